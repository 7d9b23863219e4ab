"""What a procedure may ask of the world, one step at a time.

A procedure is a generator, a *flow*: it yields steps, is sent their outcomes, and returns its
result. It neither blocks nor awaits; ``drivers`` carry its steps out, one blocking, one with
asyncio. So each procedure is written once: retries, uploads, pages, the whole loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from tailwise_client.files import Body, FileSink

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Send one request; the outcome is a ``Reply`` or a ``Lost``. An answer of success goes
    to ``sink`` where there is one."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | None = field(default=None, repr=False)
    sink: FileSink | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, whatever its status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No answer came. ``sent`` False = the service never got the request."""

    sent: bool
    timed_out: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Wait; the outcome is None."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """Call what the program gave us; the outcome is what it returns, or what that awaits."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Hand one value to whoever iterates; the outcome is None."""

    value: T


Step: TypeAlias = Exchange | Pause | Invoke
Flow: TypeAlias = Generator[Step, Any, T]
Stream: TypeAlias = Generator[Step | Emit[T], Any, None]


def pause(seconds: float) -> Flow[None]:
    """Wait."""
    yield Pause(seconds=seconds)


def invoke(function: Callable[..., Any], *arguments: Any) -> Flow[Any]:
    """What the program's function returns; in an asynchronous client it may be a coroutine."""
    outcome = yield Invoke(function=function, arguments=arguments)
    return outcome
