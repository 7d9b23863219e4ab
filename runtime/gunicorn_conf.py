"""How gunicorn serves the API; ``tailwise serve`` starts it with this file.

No preloading: ONNX sessions must be made after the fork, one per process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gunicorn.http.wsgi  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from runtime.logs import configure_logs
from runtime.processes import die_with_parent
from runtime.settings import load_settings

settings = load_settings()
gunicorn.http.wsgi.SERVER = "tailwise"  # the product and version behind it are nobody's business


class EventLogger(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """Sends gunicorn's own messages where all others go."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        configure_logs(level=settings.log_level, format=settings.log_format)


wsgi_app = "api.wsgi:app"
bind = f"{settings.host}:{settings.port}"
worker_class = "gthread"
workers = settings.web_processes
threads = settings.threads
timeout = 60
graceful_timeout = 30
keepalive = 5
preload_app = False
max_requests = 0
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 -- heartbeats
control_socket_disable = True
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
proc_name = "tailwise"
loglevel = settings.log_level
logger_class = EventLogger


UNREAD_BYTES = 64 * 1024
"""How much of a refused body gunicorn reads before it gives the connection up."""


def pre_request(_worker: Any, request: Any) -> None:
    """Announce ``Connection: close`` where a refusal would leave the body unread: the client
    would send its next request into a connection that is about to be cut."""
    length = dict(request.headers).get("CONTENT-LENGTH", "0")
    chunked = any(name == "TRANSFER-ENCODING" for name, _ in request.headers)
    if chunked or not length.isdecimal() or int(length) > UNREAD_BYTES:
        request.force_close()


def on_starting(_server: Any) -> None:
    """Stop at once where the supervisor was killed: nobody else would stop us."""
    die_with_parent("SIGINT")


def post_worker_init(worker: Any) -> None:
    """Event streams end when their process is asked to stop: it waits for every answer."""
    worker.wsgi.extensions["tailwise_streams"].serving = lambda: worker.alive


def child_exit(_server: Any, worker: Any) -> None:
    """Drop the gauges of a web process that is gone."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 -- after the fork

    if settings.metrics_port:
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
