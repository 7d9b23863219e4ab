"""``tailwise serve``: makes a server ready, starts its processes and stops them cleanly."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from adapters.store.store import open_store
from core.errors import Conflict, InvalidInput, NotInstalled, Unavailable
from runtime import database
from runtime.clock import SystemClock
from runtime.gauges import StoreGauges
from runtime.inviting import invitation_command
from runtime.processes import (
    Child,
    Kept,
    start_python,
    stop_all,
    stop_on_signals,
    wait_for_line,
    watch,
)
from runtime.settings import Settings, child_environ

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 35.0
BACKLOG: Final = 2048
ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Requests run side by side, so that arithmetic inside one must not take every core."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders of one server: ``run`` is empty and every child's working directory."""

    run: Path
    metrics: Path


def serve(settings: Settings, *, say: Say, api_only: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; the exit code is 0, or 1 when the web server ended.

    ``say`` gets the lines meant for the person who started it: how to get in (once)
    and the address. Raises NotInstalled ``encoder-missing`` or ``database-outdated``, Conflict
    ``port-taken`` and Unavailable ``start-failed``.
    """
    stopping = stop_on_signals()
    require_encoder(settings)
    places = prepare_folders(settings)
    listener = listen(settings.host, settings.port, variable="TAILWISE_PORT")
    with listener:
        database.prepare(settings)
        settings = database.with_cursor_secret(settings)
        _offer_first_key(settings, say=say, url=address(settings.host, listener))
        _serve_metrics(settings, places)
        environ = child_environ(settings, _extra_environ(settings, places))
        children: list[Child] = []
        kept: Kept | None = None
        try:
            if not api_only:
                kept = _start_worker(environ, places, stopping=stopping)
            web = _start_web(environ, places, listener)
            children.append(web)
            if _wait_for_web(web, listener, stopping=stopping):
                say(f"listening on {address(settings.host, listener)}")
            return watch(web, kept, stopping=stopping)
        finally:
            stop_all([*children, *([kept.child] if kept else [])], seconds=STOP_SECONDS)
            shutil.rmtree(places.run.parent, ignore_errors=True)
            structlog.get_logger().info("stopped")


def require_encoder(settings: Settings) -> None:
    """Raise NotInstalled ``encoder-missing`` where the default encoder's files are not."""
    if not (settings.encoder_dir / "model.onnx").is_file():
        raise NotInstalled(
            f"there is no encoder in {settings.encoder_dir}; run: tailwise encoder install",
            code="encoder-missing",
        )


def prepare_folders(settings: Settings) -> Places:
    """The data directory, readable by its owner only, with empty folders for this process.

    Those of processes that were killed are removed.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    runs = settings.data_dir / "run"
    for old in runs.glob("[0-9]*"):
        if not psutil.pid_exists(int(old.name)) or old.name == str(os.getpid()):
            shutil.rmtree(old, ignore_errors=True)
    own = runs / str(os.getpid())
    places = Places(run=own / "empty", metrics=own / "metrics")
    for folder in (places.run, places.metrics):
        folder.mkdir(mode=0o700, parents=True)
    return places


def listen(host: str, port: int, *, variable: str) -> socket.socket:
    """A bound and listening socket, so that a taken port is known before anything starts."""
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except socket.gaierror:
        raise InvalidInput(f"{host} is not an address of this machine", code="bad-host") from None
    except OSError as error:
        raise Conflict(
            f"cannot listen on {host} port {port} ({os.strerror(error.errno or 0)});"
            f" choose another port with {variable}",
            code="port-taken",
            extras={"port": port},
        ) from None


def address(host: str, listener: socket.socket) -> str:
    """The URL that reaches the socket from this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- translated away
    shown = f"[{name}]" if ":" in name else name
    return f"http://{shown}:{listener.getsockname()[1]}"


def _offer_first_key(settings: Settings, *, say: Say, url: str) -> None:
    if database.has_keys(settings):
        return
    if settings.loopback:
        say(f"admin key (shown once): {database.add_first_key(settings)}")
    else:
        say("there is no access key yet; run: tailwise keys create --scope admin")
    say(f"to open the console, run: {invitation_command(settings, url=url)}")


def _serve_metrics(settings: Settings, places: Places) -> None:
    """Answer Prometheus from this process, which outlives the web processes."""
    if not settings.metrics_port:
        return
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(places.metrics))  # type: ignore[no-untyped-call]
    store = open_store(settings.database_url, pool_size=2)
    registry.register(StoreGauges(store, clock=SystemClock()))
    listen(settings.host, settings.metrics_port, variable="TAILWISE_METRICS_PORT").close()
    start_http_server(settings.metrics_port, addr=settings.host, registry=registry)


def _extra_environ(settings: Settings, places: Places) -> dict[str, str]:
    # onnxruntime reports its use to its vendor unless it is told not to before it is imported.
    extra = {"GUNICORN_CMD_ARGS": ""}
    if settings.metrics_port:
        extra["PROMETHEUS_MULTIPROC_DIR"] = str(places.metrics)
    return extra


def _start_worker(environ: dict[str, str], places: Places, *, stopping: threading.Event) -> Kept:
    """A worker that already takes jobs, and is started again if it dies."""
    reader, writer = os.pipe()
    first = start_python(
        ["-m", "runtime.worker", "--ready-fd", str(writer), "--die-with-parent"],
        environ=environ,
        directory=places.run,
        fds=[writer],
    )
    os.close(writer)
    try:
        wait_for_line(first, reader, seconds=START_SECONDS, stopping=stopping, name="worker")
    except Unavailable:
        stop_all([first], seconds=1.0)
        raise
    finally:
        os.close(reader)
    again = partial(
        start_python,
        ["-m", "runtime.worker", "--die-with-parent"],
        environ=environ,
        directory=places.run,
        fds=[],
    )
    return Kept(first, start=again, name="worker")


def _start_web(environ: dict[str, str], places: Places, listener: socket.socket) -> Child:
    fd = listener.fileno()
    places_and_socket = [f"--chdir={places.run}", f"--bind=fd://{fd}"]
    return start_python(
        ["-m", "gunicorn", "--config=python:runtime.gunicorn_conf", *places_and_socket],
        environ={**environ, **ONE_THREAD},
        directory=places.run,
        fds=[fd],
    )


def _wait_for_web(web: Child, listener: socket.socket, *, stopping: threading.Event) -> bool:
    """Whether the API answers; False when asked to stop before."""
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- translated away
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not stopping.is_set():
        if web.poll() is not None:
            raise Unavailable(f"the web server ended with {web.returncode}", code="start-failed")
        if _answers(name, port):
            return True
        stopping.wait(0.1)
    if stopping.is_set():
        return False
    raise Unavailable("the web server did not answer in time", code="start-failed")


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5.0)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status < 500  # noqa: PLR2004 -- HTTP's server errors
    except OSError:
        return False
    finally:
        connection.close()
