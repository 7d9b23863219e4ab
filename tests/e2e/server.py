"""A server in two halves, each of which can be stopped, killed and started again."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from adapters.store.store import SqlStore, open_store
from tests.e2e.running import Caller, environment

START_SECONDS = 120.0
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.02
TAILWISE = str(Path(sys.executable).with_name("tailwise"))
BELOW_CLIENT_PORTS = range(20_000, 32_000)
"""A client's own socket never gets one of these, so none takes the server's while it is down."""


def until(holds: Callable[[], Any], *, seconds: float = START_SECONDS, what: str) -> Any:
    """What ``holds`` answers once that is true; an assertion fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} seconds for {what}"
        time.sleep(LOOK_SECONDS)
    return answer


def free_port() -> int:
    """A port that the server can listen on each time it is started."""
    for port in random.Random(os.getpid()).sample(BELOW_CLIENT_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    message = "no port is free"
    raise AssertionError(message)


class Half:
    """One started command with everything it starts; its output is appended to ``log``."""

    def __init__(
        self, command: Sequence[str], *, environ: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        log.touch()
        self._log = log
        self._before = log.stat().st_size
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                list(command),
                env=dict(environ),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """What this process wrote so far."""
        return self._log.read_bytes()[self._before :].decode()

    def wait_for(self, line: str) -> None:
        """Until a line begins so."""
        pattern = re.compile(f"^{re.escape(line)}", re.MULTILINE)

        def ready() -> bool:
            assert self.process.poll() is None, self.said()
            return bool(pattern.search(self.said()))

        until(ready, what=line)

    def kill(self) -> None:
        """SIGKILL for all of its processes, with no time to say goodbye."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        for child in children:
            with suppress(ProcessLookupError):
                group = os.getpgid(child.pid)
                assert group != os.getpgrp(), "the supervisor gives its children groups"
                os.killpg(group, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        psutil.wait_procs(children, timeout=STOP_SECONDS)

    def stop(self) -> None:
        """SIGTERM, and a clean end."""
        self.process.terminate()
        assert self.process.wait(STOP_SECONDS) == 0, self.said()


@dataclass(kw_only=True)
class Server:
    """``tailwise serve --api-only`` and ``tailwise worker`` over one data directory.

    ``token`` is the first admin key, known once the API was started.
    """

    folder: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    token: str = ""
    api: Half | None = None
    worker: Half | None = None

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def store(self) -> Iterator[SqlStore]:
        """What the server stores, read and written behind its back."""
        embedded = f"sqlite:///{self.data_dir}/app.sqlite"
        opened = open_store(str(self.settings.get("database_url", embedded)))
        try:
            yield opened
        finally:
            opened.close()

    def upgrade(self) -> None:
        """Makes the tables, which a server does by itself only where it is embedded."""
        self._run("db", "upgrade")

    def start_api(self) -> None:
        self.api = self._half("api.log", "serve", "--api-only", f"--port={self.port}")
        self.api.wait_for("listening on")
        shown = re.search(r"^admin key \(shown once\): (\S+)", self.api.said(), re.MULTILINE)
        self.token = shown[1] if shown else self.token

    def start_worker(self) -> None:
        self.worker = self._half("worker.log", "worker")
        self.worker.wait_for("worker ready")

    def kill_api(self) -> None:
        assert self.api is not None
        self.api.kill()

    def kill_worker(self) -> None:
        assert self.worker is not None
        self.worker.kill()

    def stop(self) -> None:
        """Both halves, cleanly."""
        for half in (self.worker, self.api):
            if half is not None and half.process.poll() is None:
                half.stop()

    def end(self) -> None:
        """Whatever is left, at once."""
        for half in (self.worker, self.api):
            if half is not None and half.process.poll() is None:
                half.kill()

    @contextmanager
    def caller(self, token: str | None = None) -> Iterator[Caller]:
        """A client with the first key, or with another."""
        caller = Caller(self.url, self.token if token is None else token)
        try:
            yield caller
        finally:
            caller.http.close()

    def tenant_token(self, tenant: str) -> str:
        """An admin key of another tenant, made on the command line."""
        made = self._run("keys", "create", "--tenant", tenant, "--scope", "admin")
        return made.strip().splitlines()[-1]

    def logs(self) -> str:
        """Everything both halves wrote."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [TAILWISE, *arguments],
            env=self._environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _half(self, log: str, *arguments: str) -> Half:
        return Half(
            [TAILWISE, *arguments],
            environ=self._environ(),
            folder=self.folder,
            log=self.folder / log,
        )

    def _environ(self) -> dict[str, str]:
        return environment({"data_dir": self.data_dir, "metrics_port": 0, **self.settings})


@contextmanager
def serving_api(folder: Path, **settings: object) -> Iterator[Server]:
    """The API without a worker; whatever runs in the end is killed."""
    server = Server(folder=folder, settings=settings)
    try:
        if "database_url" in settings:
            server.upgrade()
        server.start_api()
        yield server
    finally:
        server.end()


@contextmanager
def serving(folder: Path, **settings: object) -> Iterator[Server]:
    """Both halves."""
    with serving_api(folder, **settings) as server:
        server.start_worker()
        yield server
