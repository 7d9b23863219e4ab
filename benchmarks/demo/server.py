"""The real server as a child process, on a free port of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks.demo.options import DemoRefused
from core.errors import TailwiseError
from runtime.processes import stop_all
from runtime.serve import require_encoder
from runtime.settings import Settings, child_environ, load_settings

START_SECONDS = 120.0
STOP_SECONDS = 45.0
LOOK_SECONDS = 0.1
LISTENING = re.compile(r"^listening on (http://\S+)", re.MULTILINE)
KEY = re.compile(r"^admin key \(shown once\): (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that is ready; ``keep()`` leaves it and its files behind."""

    url: str
    key: str
    pid: int
    data_dir: Path
    log: Path
    keep: Callable[[], None]


def check_ready_to_serve(data_dir: Path | None) -> None:
    """Raise DemoRefused where the server could not start: no encoder, or a used folder."""
    if (
        data_dir is not None
        and data_dir.exists()
        and (not data_dir.is_dir() or any(data_dir.iterdir()))
    ):
        raise DemoRefused(f"{data_dir} is not an empty folder; the demo needs one of its own")
    try:
        require_encoder(_settings(data_dir or Path("unused")))
    except TailwiseError as error:
        raise DemoRefused(error.detail) from None


def has_model_key() -> bool:
    """Whether this machine's settings hold a key for a language model."""
    return bool(load_settings().anthropic_api_key)


@contextmanager
def serving(data_dir: Path | None, *, say: Callable[[str], None]) -> Iterator[Running]:
    """A server with its worker; stopped at the end, its temporary folder removed.

    Raises DemoRefused where it does not become ready.
    """
    folder = Path(tempfile.mkdtemp(prefix="tailwise-demo-")) if data_dir is None else data_dir
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / "server.log"
    child = _start(_settings(folder), folder=folder, log=log)
    kept: list[bool] = []
    try:
        url, key = _announced(child, log)
        _await_ready(child, url, log)
        yield Running(
            url=url,
            key=key,
            pid=child.pid,
            data_dir=folder,
            log=log,
            keep=lambda: kept.append(True),
        )
    finally:
        if not kept:
            say("stopping the server")
            stop_all([child], seconds=STOP_SECONDS)
            if data_dir is None:
                shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path) -> Settings:
    """This machine's settings, but with every place the server writes to in ``folder``."""
    return load_settings(
        overrides={
            "host": "127.0.0.1",
            "port": 0,
            "metrics_port": 0,
            "data_dir": folder,
            "database_url": f"sqlite:///{folder}/app.sqlite",
            "jobs_url": f"sqlite:///{folder}/jobs.sqlite",
            "blobs_url": f"file://{folder}/blobs",
            "allow_gold_oracle": "true",
            "requests_per_minute": 0,
        }
    )


def _start(settings: Settings, *, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Its output goes to a file, which outlives us where the server is kept.

    A session of its own keeps Ctrl-C away from it: we stop it in order.
    """
    log.touch(mode=0o600)
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "runtime.cli", "serve"],
            env=child_environ(settings, {"PYTHONSAFEPATH": "1"}),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _announced(child: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    """The URL and the key that the server prints once."""
    for text in _looks(child, log):
        url, key = LISTENING.search(text), KEY.search(text)
        if url and key:
            return url[1], key[1]
    raise DemoRefused(f"the server did not start in {START_SECONDS:.0f} seconds; see {log}")


def _looks(child: subprocess.Popen[bytes], log: Path) -> Iterator[str]:
    """The log's text again and again, while the server lives and there is time."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        text = log.read_text(errors="replace")
        yield text
        if ended:
            last = (text.strip().splitlines() or ["it printed nothing"])[-1]
            raise DemoRefused(f"the server ended with code {child.returncode}: {last}")
        time.sleep(LOOK_SECONDS)


def _await_ready(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    with httpx2.Client(base_url=url, timeout=10.0, trust_env=False) as http:
        for _ in _looks(child, log):
            try:
                if http.get("/readyz").is_success:
                    return
            except httpx2.TransportError:
                continue
    raise DemoRefused(f"the server was not ready in {START_SECONDS:.0f} seconds; see {log}")
