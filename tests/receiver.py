"""A webhook receiver on loopback that does what a script says, and remembers what it got."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK = 200

Act = Callable[["Exchange"], None]


@dataclass(frozen=True, kw_only=True)
class Message:
    """One request as it came; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(kw_only=True)
class Exchange:
    """What an act may do with one request."""

    handler: BaseHTTPRequestHandler
    message: Message
    leaving: threading.Event

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def write(self, data: bytes) -> None:
        self.handler.wfile.write(data)
        self.handler.wfile.flush()


def status(code: int, **headers: str) -> Act:
    return lambda exchange: exchange.answer(code, **headers)


def hang(exchange: Exchange) -> None:
    """Says nothing until the receiver is closed."""
    exchange.leaving.wait(60)


def drip(exchange: Exchange) -> None:
    """A status line, then headers without end, a byte at a time."""
    exchange.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    with suppress(OSError):
        while not exchange.leaving.wait(0.02):
            exchange.write(b"a")


def endless_body(exchange: Exchange) -> None:
    """Promises ten gigabytes and starts to send them."""
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    with suppress(OSError):
        while not exchange.leaving.is_set():
            exchange.write(b"b" * 65_536)


@dataclass(kw_only=True)
class Receiver:
    """``script`` is acted out request by request; its last act repeats."""

    script: Sequence[Act] = (status(OK),)
    messages: list[Message] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    leaving: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hook"

    def wait_for(self, count: int, *, seconds: float = 60.0) -> list[Message]:
        """The messages, once there are that many."""
        with self.arrived:
            enough = self.arrived.wait_for(lambda: len(self.messages) >= count, seconds)
        assert enough, f"{len(self.messages)} of {count} messages came in {seconds} seconds"
        return self.messages

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        message = Message(path=handler.path, headers=headers, body=body)
        with self.arrived:
            place = len(self.messages)
            self.messages.append(message)
            self.arrived.notify_all()
        act = self.script[min(place, len(self.script) - 1)]
        with suppress(OSError):
            act(Exchange(handler=handler, message=message, leaving=self.leaving))


@contextmanager
def receiving(*script: Act, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens, until the block ends."""
    receiver = Receiver(script=script or (status(OK),))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)
            self.close_connection = True

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None:
            """A handshake that was broken off is the sender's business."""

        def finish_request(self, connection: Any, address: Any) -> None:
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            super().finish_request(connection, address)
            connection.close()

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.leaving.set()
        server.shutdown()
        server.server_close()
        thread.join()
