"""A loopback server that answers each request as told, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

DROP = object()
"""Told instead of an answer: hang up."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True, kw_only=True)
class Told:
    """One answer."""

    status: int = 200
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    @property
    def body(self) -> bytes:
        if self.content is not None:
            return self.content
        return b"" if self.document is None else json.dumps(self.document).encode()


@dataclass(kw_only=True)
class Scripted:
    """Answers in ``script``, one per request, then ``otherwise``."""

    url: str = ""
    script: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    otherwise: Callable[[Asked], Any] | None = None

    def answer(self, asked: Asked) -> Any:
        self.asked.append(asked)
        if self.script:
            return self.script.pop(0)
        assert self.otherwise is not None, f"nothing is told for {asked.method} {asked.path}"
        return self.otherwise(asked)


def problem(status: int, code: str, *, retryable: bool = False, **extras: Any) -> Told:
    """A problem document, as the service writes it."""
    headers = {"Content-Type": "application/problem+json"}
    if "retry_after" in extras:
        headers["Retry-After"] = str(extras.pop("retry_after"))
    document = {
        "type": f"urn:tailwise:problem:{code}",
        "title": code,
        "status": status,
        "detail": "for a reason",
        "instance": "/",
        "code": code,
        "request_id": "req_1",
        "retryable": retryable,
        "errors": [],
        **extras,
    }
    return Told(status=status, document=document, headers=headers)


@contextmanager
def scripted() -> Iterator[Scripted]:
    """Listening on a free port until the block ends."""
    script = Scripted()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield script
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(script: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=parts.query,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            told = script.answer(asked)
            if told is DROP:
                self.close_connection = True
                return
            self.send_response(told.status)
            length = str(len(told.body))
            headers = {"Content-Type": "application/json", "Content-Length": length}
            headers |= told.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Quietly."""

    return Handler
