"""A real server with its worker, and a client that speaks to it: what contract tests share."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx

from core.records import NewItem
from tests.corpus import TOPICS, items

START_SECONDS = 120.0
STOP_SECONDS = 60.0
COMMAND = (str(Path(sys.executable).with_name("tailwise")), "serve")
ALL_SCOPES = ("admin", "content:read")


class Caller:
    """One key's view of the server; required headers are added where a test does not set them."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self.http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=60.0,
            trust_env=False,
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(
        self, path: str, document: Any = None, *, key: str | None = "", **options: Any
    ) -> httpx.Response:
        """``key`` "" = a fresh Idempotency-Key, None = none."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["Idempotency-Key"] = key or uuid4().hex
        if document is not None:
            options["json"] = document
        return self.http.post(path, headers=headers, **options)

    def made(self, path: str, document: Any = None, **options: Any) -> dict[str, Any]:
        """The document of a POST that must succeed."""
        answer = self.post(path, document, **options)
        assert answer.is_success, (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def read(self, path: str, **options: Any) -> dict[str, Any]:
        """The document of a GET that must succeed."""
        answer = self.get(path, **options)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def patch(self, path: str, document: Any, **options: Any) -> httpx.Response:
        headers = {"If-Match": "*", **options.pop("headers", {})}
        return self.http.patch(path, json=document, headers=headers, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        headers = {"If-Match": "*", **options.pop("headers", {})}
        return self.http.delete(path, headers=headers, **options)

    def ended(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        """The operation once it is done; at most two minutes."""
        for _ in range(12):
            found = self.read(f"/v1/operations/{operation['id']}", params={"wait": "10"})
            if found["done"]:
                return found
        message = f"{found['kind']} is still {found['state']}"
        raise AssertionError(message)

    def waited(self, path: str, document: Any = None, **options: Any) -> dict[str, Any]:
        """The ended operation that a POST started."""
        return self.ended(self.made(path, document, **options))


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that answers; ``logs`` grows as its processes write."""

    url: str
    token: str
    process: subprocess.Popen[str]
    data_dir: Path
    logs: list[str] = field(repr=False)
    callers: list[Caller] = field(default_factory=list, repr=False)

    def caller(self, token: str | None = None) -> Caller:
        """Closed with the server; "" is a caller without a key."""
        made = Caller(self.url, self.token if token is None else token)
        self.callers.append(made)
        return made

    def key(self, *scopes: str, session_id: str | None = None) -> str:
        """A new key of the first tenant."""
        document = {"name": "test", "scopes": list(scopes), "session_id": session_id}
        made = self.caller().made("/v1/keys", document, key=None)
        return str(made["token"])

    def tenant_key(self, tenant: str, *scopes: str) -> str:
        """A new key of another tenant, made on the command line."""
        wanted = [part for scope in scopes for part in ("--scope", scope)]
        done = subprocess.run(
            [COMMAND[0], "keys", "create", "--tenant", tenant, *wanted],
            env=environment({"data_dir": self.data_dir}),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip().splitlines()[-1]


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """This process's environment with exactly these settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAILWISE_", "ANTHROPIC_"))}
    given = {f"TAILWISE_{name.upper()}": str(value) for name, value in settings.items()}
    return {**kept, **given, "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(
    data_dir: Path,
    *,
    command: Sequence[str] = COMMAND,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **settings: object,
) -> Iterator[Running]:
    """A server on free ports over ``data_dir``, stopped afterwards."""
    given = {"port": 0, "metrics_port": 0, "data_dir": data_dir, **settings}
    process = subprocess.Popen(
        list(command),
        env={**environment(given), **(environ or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    logs: list[str] = []
    callers: list[Caller] = []
    ready = threading.Event()
    reader = threading.Thread(target=_collect, args=(process, logs, ready), daemon=True)
    reader.start()
    try:
        ready.wait(START_SECONDS)
        url, token = _announced(logs)
        started = Running(url=url, token=token, process=process, data_dir=data_dir, logs=logs)
        callers = started.callers
        yield started
    finally:
        for caller in callers:
            caller.http.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        if process.stdout is not None:
            process.stdout.close()


def _collect(process: subprocess.Popen[str], logs: list[str], ready: threading.Event) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        logs.append(line)
        if line.startswith("listening on"):
            ready.set()
    ready.set()


def _announced(logs: Sequence[str]) -> tuple[str, str]:
    text = "".join(logs)
    url = re.search(r"^listening on (\S+)", text, re.MULTILINE)
    assert url is not None, f"the server did not start:\n{text}"
    token = re.search(r"^admin key \(shown once\): (\S+)", text, re.MULTILINE)
    return url[1], token[1] if token else ""


def session_document(**settings: object) -> dict[str, Any]:
    """Three classes, hashing vectors and gold answers unless told otherwise."""
    return {
        "name": "topics",
        "task": {"labels": [{"id": topic, "name": topic.title()} for topic in TOPICS]},
        "settings": {"encoder": "hashing", "oracle": "gold", "batch_size": 12, **settings},
    }


def rows(found: Sequence[NewItem] | None = None) -> list[dict[str, Any]]:
    """The corpus as rows of a request."""
    return [
        {
            "external_id": row.external_id,
            "text": row.text,
            "split": row.split,
            "gold": list(row.gold or ()),
        }
        for row in (items() if found is None else found)
    ]


def opened(caller: Caller, *, pool: Sequence[Mapping[str, Any]] | None = None, **s: object) -> str:
    """The path of a session whose pool is indexed."""
    session = caller.made("/v1/sessions", session_document(**s))
    path = f"/v1/sessions/{session['id']}"
    added = caller.made(f"{path}/items", {"items": list(rows() if pool is None else pool)})
    assert caller.ended(added["operation"])["state"] == "succeeded"
    return path


def labelled(caller: Caller, path: str, *, size: int = 40) -> dict[str, Any]:
    """A batch answered by gold."""
    batch = caller.made(f"{path}/select", {"size": size})
    caller.made(f"{path}/label", {"oracle": "gold", "batch_id": batch["id"]})
    return batch


def trained(caller: Caller, path: str) -> str:
    """The id of a model trained on what is labelled."""
    operation = caller.waited(f"{path}/retrain")
    assert operation["state"] == "succeeded", operation["error"]
    return str(operation["result"]["model_id"])
