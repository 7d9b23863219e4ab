"""Logs are events with keys, one JSON object a line on stderr, and never hold texts.

Our own events name exceptions by class and place. What other libraries log is cut down
to the fixed part of its message, because the rest may quote a row or a request.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FRAMES: Final = 6
FOREIGN_CHARS: Final = 120
QUIET: Final = ("sqlalchemy", "dbos", "alembic", "httpx2", "anthropic", "matplotlib")


def configure_logs(*, level: str = "info", format: str = "json") -> None:
    """Send every logger of the process to stderr in one format; call it once, first."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    render: Processor = (
        structlog.dev.ConsoleRenderer()
        if format == "console"
        else structlog.processors.JSONRenderer()
    )
    stamp: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*stamp, name_exception, render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*stamp, keep_fixed_part],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    _route_stdlib(handler, threshold)


@contextmanager
def bound(**keys: str) -> Iterator[None]:
    """Add keys such as ``operation_id`` to every event inside the block."""
    with structlog.contextvars.bound_contextvars(**keys):
        yield


def name_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace ``exc_info`` by the exception's class and the places it passed."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        event.update(described(error))
    return event


def described(error: BaseException) -> dict[str, object]:
    """An exception as keys of an event: its class and the places it passed, no words."""
    return {"error": type(error).__name__, "where": _places(error.__traceback__)}


def keep_fixed_part(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Reduce a library's message to its template up to the first colon, and drop the rest."""
    record = cast("logging.LogRecord", event["_record"])
    event["logger"] = record.name
    event["event"] = str(record.msg).partition(":")[0].partition("\n")[0][:FOREIGN_CHARS]
    if record.exc_info and record.exc_info[0] is not None:
        event["error"] = record.exc_info[0].__name__
    for key in ("exc_info", "stack_info", "stack", "exception"):
        event.pop(key, None)
    record.exc_info = record.exc_text = record.stack_info = None
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _route_stdlib(handler: logging.Handler, threshold: int) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logger = logging.getLogger(name)
        # A handler of its own keeps the engine from adding one that prints everything.
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(max(threshold, logging.WARNING))
    for name in ("gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
