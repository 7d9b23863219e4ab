"""Methods that are written once and belong to both clients.

A class of verbs describes what its methods do, as flows. The same method, found on

- a blocking client, does it and returns the result,
- an asynchronous client, returns something to await,
- the plain class of verbs, returns the flow, so that verbs build on one another by
  ``yield from``.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from tailwise_client.drivers import AsyncDriver, Driver
from tailwise_client.reading import read
from tailwise_client.sending import Call, Sender, document_of
from tailwise_client.steps import Emit, Flow, Stream

P = ParamSpec("P")
T = TypeVar("T")


class Described:
    """Verbs as flows over ``sender``."""

    def __init__(self, *, sender: Sender) -> None:
        self._sender = sender

    def _call(self, into: type[T], call: Call) -> Flow[T]:
        reply = yield from self._sender.send(call)
        return read(into, document_of(reply))

    @staticmethod
    def _read(into: type[T], document: Any) -> T:
        return read(into, document)

    def _get(self, into: type[T], path: str, **params: Any) -> Flow[T]:
        return self._call(into, Call(method="GET", path=path, params=params, repeatable=True))

    def _post(
        self, into: type[T], path: str, document: Any = None, *, key: str | None = None
    ) -> Flow[T]:
        """With an Idempotency-Key: ``key``, or a fresh one."""
        call = Call(method="POST", path=path, document=document, keyed=True, key=key)
        return self._call(into, call)

    def _pages(self, into: type[T], path: str, **params: Any) -> Stream[T]:
        """Every row of a listing, page by page."""
        asked: Mapping[str, Any] = params
        while True:
            page = yield from self._get(dict, path, **asked)
            for row in page["data"]:
                yield Emit(read(into, row))
            if not page.get("has_more") or not page.get("next_cursor"):
                return
            asked = {**params, "cursor": page["next_cursor"]}


class Blocking:
    """What makes verbs block: the driver, and the same verbs as flows."""

    _driver: Driver
    _plain: Described


class Awaiting:
    """What makes verbs awaitable: the driver, and the same verbs as flows."""

    _driver: AsyncDriver
    _plain: Described


class Verb(Generic[P, T]):
    """A method with one result; called on the class, it takes the client first."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Verb[P, T]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: Described, owner: type) -> Callable[P, Flow[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        return functools.wraps(self._flow)(functools.partial(self, client))

    @overload
    def __call__(self, client: Blocking, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def __call__(
        self, client: Awaiting, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]: ...
    @overload
    def __call__(self, client: Described, *args: P.args, **kwargs: P.kwargs) -> Flow[T]: ...
    def __call__(self, client: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        if isinstance(client, Blocking | Awaiting):
            return client._driver.run(self._flow(client._plain, *args, **kwargs))
        return self._flow(client, *args, **kwargs)


class Listing(Generic[P, T]):
    """A method that gives many results, one after the other."""

    def __init__(self, stream: Callable[Concatenate[Any, P], Stream[T]]) -> None:
        self._stream = stream
        self.__doc__ = stream.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Listing[P, T]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: Described, owner: type) -> Callable[P, Stream[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        return functools.wraps(self._stream)(functools.partial(self._of, client))

    def _of(self, client: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        if isinstance(client, Blocking | Awaiting):
            return client._driver.iterate(self._stream(client._plain, *args, **kwargs))
        return self._stream(client, *args, **kwargs)


def verb(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Verb[P, T]:
    """Make a flow a method of both clients."""
    return Verb(flow)


def listing(stream: Callable[Concatenate[Any, P], Stream[T]]) -> Listing[P, T]:
    """Make a stream an iterator of both clients."""
    return Listing(stream)


def collected(stream: Stream[T]) -> Flow[list[T]]:
    """Everything a stream emits, for verbs that need all of it."""
    found: list[T] = []
    outcome: object = None
    while True:
        try:
            step = stream.send(outcome)
        except StopIteration:
            return found
        outcome = None
        if isinstance(step, Emit):
            found.append(step.value)
        else:
            outcome = yield step
