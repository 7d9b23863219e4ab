"""An HTTP transport that ends on time and reads only so much, whatever the server does.

An ordinary read timeout starts again with every byte, so a server that drips one byte a
second holds its caller for hours. Here every socket operation gets no more than what is
left until one fixed moment.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2


class AnswerTooLarge(httpx2.TransportError):
    """The body passed the size limit; the rest was not read."""


class AnswerCompressed(httpx2.TransportError):
    """The body came compressed though it was asked for plain, so its size is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment on ``clock`` (seconds, monotonic)."""

    clock: Callable[[], float]
    at: float

    def left(self) -> float:
        """Seconds until then; negative once it is past."""
        return self.at - self.clock()

    def clamp(self, timeout: float | None) -> float:
        """The timeout or what is left, whichever is shorter; raises TimeoutError at the end."""
        left = self.left()
        if left <= 0:
            raise TimeoutError
        return left if timeout is None else min(timeout, left)


class DeadlineTransport(httpx2.BaseTransport):
    """One connection per request, HTTP/1.1, no proxy, no redirects of its own."""

    def __init__(
        self, *, deadline: Deadline, max_bytes: int, ssl_context: ssl.SSLContext | None
    ) -> None:
        self._max_bytes = max_bytes
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=DeadlineBackend(deadline, addresses=addresses_of),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        with _translated():
            answer = self._pool.handle_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        body = _Body(answer, max_bytes=self._max_bytes)
        response = httpx2.Response(answer.status, headers=answer.headers, stream=body)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise AnswerCompressed("the answer is compressed")
        return response

    def close(self) -> None:
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response, *, max_bytes: int) -> None:
        self._answer = answer
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        with _translated():
            for chunk in self._answer.iter_stream():
                size += len(chunk)
                if size > self._max_bytes:
                    raise AnswerTooLarge("the answer is too large")
                yield chunk

    def close(self) -> None:
        self._answer.close()


class DeadlineBackend(httpcore2.SyncBackend):
    """Connections to the first of ``addresses(host, port)`` that answers, all in time.

    TLS and the Host header keep the host's name, whatever the address. ``addresses`` may
    raise ConnectError.
    """

    def __init__(
        self, deadline: Deadline, *, addresses: Callable[[str, int], Sequence[str]]
    ) -> None:
        self._deadline = deadline
        self._addresses = addresses

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Try each address of the host; the deadline covers all of them together."""
        failure: Exception = httpcore2.ConnectError("the host has no address")
        for address in self._addresses(host, port):
            with _expiring(httpcore2.ConnectTimeout):
                limit = self._deadline.clamp(timeout)
            try:
                stream = super().connect_tcp(address, port, limit, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._deadline)
        raise failure


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _expiring(httpcore2.ReadTimeout):
            limit = self._deadline.clamp(timeout)
        return self._stream.read(max_bytes, limit)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _expiring(httpcore2.WriteTimeout):
            limit = self._deadline.clamp(timeout)
        self._stream.write(buffer, limit)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        with _expiring(httpcore2.ConnectTimeout):
            limit = self._deadline.clamp(timeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, limit)
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def addresses_of(host: str, port: int) -> list[str]:
    """By the machine's resolver, in its order."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore2.ConnectError(str(error)) from error
    return [str(address[0]) for *_, address in found]


@contextmanager
def _expiring(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise kind("the deadline has passed") from None


@contextmanager
def _translated() -> Iterator[None]:
    """The two libraries name their errors alike; each becomes its namesake."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        namesake: type[Exception] = getattr(httpx2, type(error).__name__, httpx2.TransportError)
        raise namesake(str(error)) from error
