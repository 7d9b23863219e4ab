"""Server-sent events: answers that go on while things happen, and the slots they take.

The format is the one of https://html.spec.whatwg.org/multipage/server-sent-events.html.
A stream holds a thread of its web process until it ends, so both one tenant's streams and
those of all tenants together are capped, for each process by itself.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from flask import Flask, Request, Response, current_app, request

from api.auth import authenticate
from api.context import EXTENSION, services, tenant_id
from api.errors import TooManyRequests
from core.errors import TailwiseError
from core.ports import Clock, Store
from runtime.settings import Settings

EVENT_STREAM: Final = "text/event-stream"
STREAMS: Final = "tailwise_streams"
RETRY_SECONDS: Final = 5
RECONNECT_MILLISECONDS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event: ``id`` is what a client sends back as Last-Event-ID; no ``event`` = message."""

    id: str
    data: Any
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between two looks, between two pings, and until a stream ends by itself."""

    look: float = 0.5
    ping: float = 15.0
    most: float = 300.0


Look = Callable[[], tuple[Sequence[Message], bool]]
"""What happened since the last look, and whether nothing will follow."""


class Streams:
    """The slots of one process: ``each`` for one tenant, ``most`` for all of them."""

    def __init__(self, *, each: int, most: int, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.each = each
        self.serving: Callable[[], bool] = lambda: True
        self._most = most
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, tenant: str) -> Callable[[], None]:
        """A slot, and how to give it back; raises TooManyRequests ``too-many-streams``."""
        with self._lock:
            if self._open[tenant] >= self.each or self._open.total() >= self._most:
                raise _too_many(self.each)
            self._open[tenant] += 1
        return _once(lambda: self._give_back(tenant))

    def in_use(self, tenant: str) -> int:
        """How many streams the tenant has open in this process."""
        return self._open[tenant]

    def _give_back(self, tenant: str) -> None:
        with self._lock:
            self._open[tenant] -= 1


def register_streams(app: Flask) -> None:
    """Make the slots; half of the threads stay for everything that is no stream."""
    settings: Settings = app.extensions[EXTENSION].settings
    most = max(1, settings.threads // 2)
    app.extensions[STREAMS] = Streams(each=settings.max_streams, most=most)


def stream(look: Look) -> Response:
    """Answer with what ``look`` finds, until it says that nothing will follow.

    Ends after five minutes too, when the server stops, when the caller may not read any
    more and when the client is gone; a client that wants more comes again with its
    Last-Event-ID. Raises TooManyRequests ``too-many-streams`` before anything is sent.
    """
    streams: Streams = current_app.extensions[STREAMS]
    give_back = streams.take(tenant_id())
    made = services()
    asked: Request = cast("Any", request)._get_current_object()  # the body outlives the request
    body = _lines(
        look,
        streams=streams,
        connection=asked.environ.get("gunicorn.socket") or asked.environ.get("werkzeug.socket"),
        allowed=lambda: _still_allowed(asked, store=made.store, clock=made.clock),
        dumps=current_app.json.dumps,
    )
    response = Response(body, content_type=EVENT_STREAM)
    response.headers["X-Accel-Buffering"] = "no"  # a proxy that buffers passes this on at once
    response.call_on_close(give_back)
    return response


def last_event_id() -> str | None:
    """What a client that comes again saw last."""
    return request.headers.get("Last-Event-ID") or None


def wants_stream() -> bool:
    """Whether the caller asks for events rather than for a page of them."""
    best = request.accept_mimetypes.best_match(["application/json", EVENT_STREAM])
    return best == EVENT_STREAM


def _written(message: Message, *, dumps: Callable[[Any], str]) -> str:
    """A message on the wire; JSON has no line breaks of its own."""
    event = f"event: {message.event}\n" if message.event else ""
    return f"id: {message.id}\n{event}data: {dumps(message.data)}\n\n"


def _lines(
    look: Look,
    *,
    streams: Streams,
    connection: Any,
    allowed: Callable[[], bool],
    dumps: Callable[[Any], str],
) -> Iterator[str]:
    pace = streams.pace
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    began = spoke = time.monotonic()
    while streams.serving() and not _is_gone(connection):
        messages, last = _looked(look)
        for message in messages:
            spoke = time.monotonic()
            yield _written(message, dumps=dumps)
        now = time.monotonic()
        if last or now - began >= pace.most:
            return
        if now - spoke >= pace.ping:
            if not allowed():
                return
            spoke = now
            yield ": ping\n\n"
        threading.Event().wait(pace.look)


def _looked(look: Look) -> tuple[Sequence[Message], bool]:
    """A refusal in the middle of a stream ends it: coming again tells the client why."""
    try:
        return look()
    except TailwiseError:
        return (), True


def _still_allowed(asked: Request, *, store: Store, clock: Clock) -> bool:
    """A key that was revoked meanwhile, or a person who signed out, hears no more."""
    try:
        authenticate(asked, store=store, clock=clock)
    except TailwiseError:
        return False
    return True


def _is_gone(connection: Any) -> bool:
    """Whether the client hung up: a quiet stream would notice only when it writes."""
    if type(connection) is not socket.socket:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _once(act: Callable[[], None]) -> Callable[[], None]:
    """Closing a response twice gives one slot back."""
    left = [act]

    def run() -> None:
        while left:
            left.pop()()

    return run


def _too_many(each: int) -> TooManyRequests:
    error = TooManyRequests(
        f"one tenant may hold {each} streams at once; poll instead, or come back later",
        code="too-many-streams",
        extras={"limit": each},
    )
    error.headers = {"Retry-After": str(RETRY_SECONDS)}
    return error
