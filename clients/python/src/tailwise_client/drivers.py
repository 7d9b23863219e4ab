"""The two ways to carry out a flow: blocking, and with asyncio. Nothing else knows which."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from typing import TypeVar

import httpx2

from tailwise_client.files import FileSink
from tailwise_client.steps import Emit, Exchange, Flow, Invoke, Lost, Pause, Reply, Step, Stream

T = TypeVar("T")
NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Driver:
    """Carries out flows and blocks meanwhile; safe in several threads."""

    def __init__(self, http: httpx2.Client, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = http
        self._sleep = sleep

    def run(self, flow: Flow[T]) -> T:
        """What the flow returns; whatever happens, the flow tidies up behind itself."""
        outcome: object = None
        with closing(flow):
            while True:
                try:
                    step = flow.send(outcome)
                except StopIteration as done:
                    result: T = done.value
                    return result
                outcome = self._do(step)

    def iterate(self, stream: Stream[T]) -> Iterator[T]:
        """What the stream emits."""
        outcome: object = None
        while True:
            try:
                step = stream.send(outcome)
            except StopIteration:
                return
            outcome = None
            if isinstance(step, Emit):
                yield step.value
            else:
                outcome = self._do(step)

    def close(self) -> None:
        self._http.close()

    def _do(self, step: Step) -> object:
        if isinstance(step, Exchange):
            return self._exchange(step)
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        return step.function(*step.arguments)

    def _exchange(self, step: Exchange) -> Reply | Lost:
        request = self._http.build_request(
            step.method,
            step.path,
            params=step.params,
            headers=dict(step.headers),
            content=None if step.body is None else iter(step.body),
        )
        try:
            response = self._http.send(request, stream=True)
            try:
                if step.sink is None or not response.is_success:
                    response.read()
                else:
                    self._save(response, step.sink)
                return _reply(response, saved=step.sink is not None and response.is_success)
            finally:
                response.close()
        except httpx2.TransportError as error:
            return _lost(error)

    def _save(self, response: httpx2.Response, sink: FileSink) -> None:
        sink.begin()
        for chunk in response.iter_bytes():
            sink.write(chunk)
        sink.finish(_headers(response))


class AsyncDriver:
    """Carries out flows and awaits meanwhile.

    Files are read and written between awaits in parts of a quarter of a megabyte.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._sleep = sleep

    async def run(self, flow: Flow[T]) -> T:
        """What the flow returns; whatever happens, the flow tidies up behind itself."""
        outcome: object = None
        with closing(flow):
            while True:
                try:
                    step = flow.send(outcome)
                except StopIteration as done:
                    result: T = done.value
                    return result
                outcome = await self._do(step)

    async def iterate(self, stream: Stream[T]) -> AsyncIterator[T]:
        """What the stream emits."""
        outcome: object = None
        while True:
            try:
                step = stream.send(outcome)
            except StopIteration:
                return
            outcome = None
            if isinstance(step, Emit):
                yield step.value
            else:
                outcome = await self._do(step)

    async def close(self) -> None:
        await self._http.aclose()

    async def _do(self, step: Step) -> object:
        if isinstance(step, Exchange):
            return await self._exchange(step)
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        return await _settled(step)

    async def _exchange(self, step: Exchange) -> Reply | Lost:
        request = self._http.build_request(
            step.method,
            step.path,
            params=step.params,
            headers=dict(step.headers),
            content=None if step.body is None else aiter(step.body),
        )
        try:
            response = await self._http.send(request, stream=True)
            try:
                if step.sink is None or not response.is_success:
                    await response.aread()
                else:
                    await self._save(response, step.sink)
                return _reply(response, saved=step.sink is not None and response.is_success)
            finally:
                await response.aclose()
        except httpx2.TransportError as error:
            return _lost(error)

    async def _save(self, response: httpx2.Response, sink: FileSink) -> None:
        sink.begin()
        async for chunk in response.aiter_bytes():
            sink.write(chunk)
        sink.finish(_headers(response))


async def _settled(step: Invoke) -> object:
    found = step.function(*step.arguments)
    return await found if inspect.isawaitable(found) else found


def _reply(response: httpx2.Response, *, saved: bool) -> Reply:
    return Reply(
        status=response.status_code,
        headers=_headers(response),
        content=b"" if saved else response.content,
    )


def _headers(response: httpx2.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _lost(error: httpx2.TransportError) -> Lost:
    return Lost(
        sent=not isinstance(error, NEVER_SENT),
        timed_out=isinstance(error, httpx2.TimeoutException),
        why=type(error).__name__,
    )
