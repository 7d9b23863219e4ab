"""A loopback server that speaks the Messages API and misbehaves as its script says.

A script is a list of steps, one per request; the last step repeats. It refuses what the
real service refuses: a missing bearer token or version header, sampling parameters.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

KEY = "sk-test-loopback"
SAMPLING = ("temperature", "top_p", "top_k")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][0]["content"])


@dataclass(slots=True, kw_only=True)
class MessagesServer:
    """``url`` is what a client gets as base URL; ``requests`` what it sent so far."""

    script: Sequence[Step]
    url: str = ""
    requests: list[Seen] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def next_step(self) -> Step:
        return self.script[min(len(self.requests), len(self.script)) - 1]


class Handler(BaseHTTPRequestHandler):
    """Answers POST /v1/messages."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    fake: MessagesServer

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.fake.requests.append(
            Seen(headers={k.lower(): v for k, v in self.headers.items()}, body=body)
        )
        fault = self._fault(body)
        if fault:
            self.error(fault[0], fault[1])
            return
        try:
            self.fake.next_step()(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _fault(self, body: dict[str, Any]) -> tuple[int, str] | None:
        if self.path != "/v1/messages":
            return 404, "not_found_error"
        if self.headers.get("authorization") != f"Bearer {KEY}" or "x-api-key" in self.headers:
            return 401, "authentication_error"
        if "anthropic-version" not in self.headers or any(name in body for name in SAMPLING):
            return 400, "invalid_request_error"
        return None

    def json(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        self.raw(status, json.dumps(document).encode(), headers)

    def raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.head(status, len(body), headers)
        self.wfile.write(body)

    def head(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(length))
        self.send_header("request-id", f"req_{len(self.fake.requests)}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def error(self, status: int, type: str, headers: dict[str, str] | None = None) -> None:
        self.json(status, {"type": "error", "error": {"type": type, "message": "no"}}, headers)

    @property
    def body(self) -> dict[str, Any]:
        return self.fake.requests[-1].body


Step: TypeAlias = Callable[[Handler], None]


@contextmanager
def messages_server(*script: Step, speaks: type[Handler] = Handler) -> Iterator[MessagesServer]:
    """Run a scripted server on a free loopback port."""
    fake = MessagesServer(script=script)
    handler = type("ScriptedHandler", (speaks,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        fake.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def refusing_port() -> Iterator[str]:
    """A URL nothing listens on: the port is bound, so nobody else can take it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


# --- what a message looks like --------------------------------------------------------


def message(
    text: str | None,
    *,
    stop_reason: str = "end_turn",
    stop_details: dict[str, Any] | None = None,
    usage: dict[str, Any] | None = None,
    thinking: bool = True,
) -> dict[str, Any]:
    """A message document; ``text`` None leaves the content empty."""
    content: list[dict[str, Any]] = []
    if text is not None:
        thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
        content = [*([thought] if thinking else []), {"type": "text", "text": text}]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "stop_details": stop_details,
        "usage": usage or {"input_tokens": 700, "output_tokens": 300},
    }


def variations(texts: Sequence[str]) -> str:
    return json.dumps({"variations": [{"text": t} for t in texts]})


# --- steps ------------------------------------------------------------------------------


def answer(document: object) -> Step:
    return lambda handler: handler.json(200, document)


def texts(*wanted: str) -> Step:
    return answer(message(variations(wanted)))


def status(code: int, type: str, **headers: str) -> Step:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.error(code, type, named)


def bare_status(code: int) -> Step:
    """An error page of a gateway, not of the service."""
    return lambda handler: handler.raw(code, b"<html>bad gateway</html>")


def hang_up(handler: Handler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def cut_body(handler: Handler) -> None:
    """Promise more bytes than are sent."""
    handler.head(200, 5_000)
    handler.wfile.write(b'{"type": "message"')
    handler.close_connection = True


def drip(seconds: float = 1.0) -> Step:
    """One byte per ``seconds``, for longer than anybody should wait."""

    def step(handler: Handler) -> None:
        handler.head(200, 10_000)
        while not handler.fake.closing.wait(seconds):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return step


def drip_head(seconds: float = 1.0) -> Step:
    """The same, in the headers."""

    def step(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not handler.fake.closing.wait(seconds):
            handler.wfile.write(b"a")
            handler.wfile.flush()

    return step


def hang(handler: Handler) -> None:
    """Accept the request and never answer."""
    handler.fake.closing.wait()
    handler.close_connection = True


def huge(handler: Handler) -> None:
    """A well-formed answer of 10 MB."""
    handler.json(200, message(variations(["a" * 10_000_000])))


def compressed(handler: Handler) -> None:
    """A body that nobody can size before unpacking it."""
    handler.raw(200, b"\x1f\x8b not really", {"content-encoding": "gzip"})


def echo(handler: Handler) -> None:
    """The prompt comes back as if it were the answer."""
    prompt = handler.fake.requests[-1].prompt
    handler.json(200, message(variations([prompt] * 3)))
