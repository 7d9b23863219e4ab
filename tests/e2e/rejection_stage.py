"""Sessions in every state that refuses something, made by a whole server and then frozen.

The tests run against a second server over the same data that has no worker: what is queued
stays queued, so that nothing is left to chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.rejection_people import people_at_work
from tests.e2e.running import (
    COMMAND,
    Caller,
    Running,
    labelled,
    opened,
    rows,
    running,
    session_document,
    trained,
)
from tests.receiver import receiving

LIMITS = {"max_body_bytes": 100_000, "max_import_bytes": 100_000, "max_batch": 100}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Paths of sessions by what is special about them, and ids in them."""

    server: Running
    caller: Caller
    other: Caller
    paths: dict[str, str]
    ids: dict[str, str]
    failed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def state(self, path: str) -> dict[str, Any]:
        """Everything a refused request might have changed."""
        overview = self.caller.get(path)
        if overview.status_code != 200:
            return {"status": overview.status_code}
        found = overview.json()
        lists = ("items", "batches", "labels", "generations", "models", "events")
        every = {"params": {"limit": "500"}}
        listed = {name: self.caller.read(f"{path}/{name}", **every)["data"] for name in lists}
        operations = {"session_id": found["id"], "limit": "500"}
        return {
            "overview": found,
            **listed,
            "operations": self.caller.read("/v1/operations", params=operations)["data"],
        }


@contextmanager
def staged(data_dir: Path) -> Iterator[Stage]:
    paths: dict[str, str] = {}
    ids: dict[str, str] = {}
    failed: dict[str, dict[str, Any]] = {}
    with receiving() as receiver, running(data_dir, webhook_allow=receiver.place) as whole:
        caller, other = whole.caller(), whole.caller(whole.key("admin"))
        ids["other_token"] = other.token
        _label_people(caller, other, paths, ids)
        _train(caller, paths, ids)
        _spend(caller, paths, ids)
        _end(caller, paths, ids)
        _import(caller, paths, failed)
        people_at_work(whole, receiver, paths, ids)
        token = whole.token
    _lose(data_dir, ids.pop("lost_onnx"))
    command = (*COMMAND, "--api-only")
    with running(data_dir, command=command, **LIMITS) as started:
        server = replace(started, token=token)
        caller, other = server.caller(), server.caller(ids.pop("other_token"))
        _queue(caller, paths, ids)
        yield Stage(server=server, caller=caller, other=other, paths=paths, ids=ids, failed=failed)


def _label_people(
    caller: Caller, other: Caller, paths: dict[str, str], ids: dict[str, str]
) -> None:
    """People label: an open batch with an answer of each of two annotators."""
    paths["draft"] = "/v1/sessions/" + caller.made("/v1/sessions", session_document())["id"]
    paths["human"] = path = opened(caller, oracle="human", min_per_class=2)
    batch = caller.made(f"{path}/select", {"size": 6})
    ids["batch"] = batch["id"]
    free, mine, theirs, *_ = (item["id"] for item in batch["items"])
    ids |= {"free": free, "mine": mine, "theirs": theirs}
    one = {"labels": [{"item_id": mine, "label": "garden"}]}
    ids["my_label"] = caller.made(f"{path}/label", one)["results"][0]["label_id"]
    two = {"labels": [{"item_id": theirs, "label": "garden"}]}
    ids["their_label"] = other.made(f"{path}/label", two)["results"][0]["label_id"]
    for split in ("pool", "test"):
        query = {"split": split, "status": "pooled", "limit": "1"}
        ids[split] = caller.read(f"{path}/items", params=query)["data"][0]["id"]
    paths["cancelled"] = path = opened(caller, oracle="human")
    gone = caller.made(f"{path}/select", {"size": 3})
    ids |= {"cancelled_batch": gone["id"], "cancelled_item": gone["items"][0]["id"]}
    caller.made(f"{path}/batches/{gone['id']}/cancel")


def _train(caller: Caller, paths: dict[str, str], ids: dict[str, str]) -> None:
    """Two models, the first deleted; and a session whose model file gets lost."""
    paths["trained"] = path = opened(caller)
    labelled(caller, path)
    ids["deleted_model"] = trained(caller, path)
    ids["model"] = trained_again(caller, path)
    assert caller.delete(f"{path}/models/{ids['deleted_model']}").status_code == 204
    ids["operation"] = caller.read("/v1/operations", params={"limit": "1"})["data"][0]["id"]
    written = caller.waited(f"{path}/generate", {"generator": "simulated"})
    assert written["state"] == "succeeded", written["error"]
    decided = caller.read(f"{path}/generations", params={"state": "proposed"})["data"][0]["id"]
    caller.made(f"{path}/generations/{decided}/review", {"decision": "accept"})
    trained_again(caller, path)
    ids["decided"] = decided
    paths["lost"] = path = opened(caller)
    labelled(caller, path)
    ids["lost_onnx"] = caller.read(f"{path}/models/{trained(caller, path)}")["onnx"]
    paths["training"] = path = opened(caller)
    labelled(caller, path)
    trained(caller, path)


def trained_again(caller: Caller, path: str) -> str:
    operation = caller.waited(f"{path}/retrain", {"force": True})
    assert operation["state"] == "succeeded", operation["error"]
    return str(operation["result"]["model_id"])


def _spend(caller: Caller, paths: dict[str, str], ids: dict[str, str]) -> None:
    """Nothing left: of the pool, of the label budget, of the dollars, of gold."""
    few = rows()[12:16]
    paths["emptied"] = path = opened(caller, pool=few, min_distance=0.0)
    labelled(caller, path, size=4)
    paths["frugal"] = path = opened(caller, budget={"labels": 2, "dollars": 0})
    labelled(caller, path, size=2)
    bare = [{"text": row["text"]} for row in rows()[:30]]
    paths["bare"] = path = opened(caller, pool=bare)
    ids["bare_batch"] = caller.made(f"{path}/select", {"size": 3})["id"]
    paths["fresh"] = opened(caller)


def _end(caller: Caller, paths: dict[str, str], ids: dict[str, str]) -> None:
    paths["deleted"] = path = opened(caller)
    answer = caller.delete(path)
    assert caller.ended(answer.json())["state"] == "succeeded"
    paths["closed"] = path = opened(caller)
    caller.made(f"{path}/close")
    paths["unknown"] = "/v1/sessions/ses_01JD3V7Q6S0000000000000000"


def _import(caller: Caller, paths: dict[str, str], failed: dict[str, dict[str, Any]]) -> None:
    """Files whose fault only reading them whole brings to light."""
    paths["imported"] = path = opened(caller)
    good = "".join(
        f"a{n},words number {n} of many that fill the first blocks\n" for n in range(1500)
    )
    ragged = f"external_id,text\n{good}z1,one,two,three\nz2\n"
    failed["ragged"] = caller.waited(f"{path}/imports?dry_run=true", **sent(ragged.encode()))
    cut = f'external_id,text\n{good}z1,"never closed'
    failed["cut"] = caller.waited(f"{path}/imports?dry_run=true", **sent(cut.encode()))
    bomb = _bomb()
    failed["bomb"] = caller.waited(f"{path}/imports", **sent(bomb, coding="gzip"))
    torn = _packed(f"external_id,text\n{good}".encode() * 30)[:-200]
    failed["torn"] = caller.waited(f"{path}/imports", **sent(torn, coding="gzip"))


def _queue(caller: Caller, paths: dict[str, str], ids: dict[str, str]) -> None:
    """Operations that stay queued, because there is no worker."""
    path = paths["training"]
    ids["running"] = caller.made(f"{path}/retrain", {"force": True})["id"]
    paths["unindexed"] = path = (
        "/v1/sessions/" + caller.made("/v1/sessions", session_document())["id"]
    )
    added = caller.made(f"{path}/items", {"items": rows()})
    ids["indexing"] = added["operation"]["id"]
    export = {"what": "labels", "format": "csv"}
    ids["export"] = caller.made(f"{paths['trained']}/exports", export)["id"]


def _lose(data_dir: Path, digest: str) -> None:
    found = [path for path in (data_dir / "blobs").rglob("*") if digest in path.name]
    assert found
    for path in found:
        path.unlink()


def sent(body: bytes, *, kind: str = "text/csv", coding: str | None = None) -> dict[str, Any]:
    """The options of a request that uploads ``body``."""
    headers = {"Content-Type": kind, **({"Content-Encoding": coding} if coding else {})}
    return {"content": body, "headers": headers}


def _packed(data: bytes) -> bytes:
    import gzip

    return gzip.compress(data, mtime=0)


def _bomb() -> bytes:
    """A good beginning, then thirty million blanks in a few thousand bytes."""
    head = "external_id,text\n" + "".join(f"b{n},words number {n}\n" for n in range(5_000))
    return _packed(head.encode() + b"c1," + b" " * 60_000_000)


def place(server: Running) -> tuple[str, int]:
    found = urlsplit(server.url)
    return found.hostname or "", found.port or 0
