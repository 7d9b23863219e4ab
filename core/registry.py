"""One registry for everything swappable: strategies, clusterers, encoders, learners, ...

A component is a frozen dataclass (or a function returning an object) whose
keyword-only parameters are its options. Plug-ins arrive by entry point: the group
is ``tailwise.<kind>``, the entry's name is the component's name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from core.errors import InvalidInput, InvalidOption
from core.records import Choice, Options

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(Generic[T]):
    """A registered name: how to make it, one sentence, and what holds of every one made."""

    name: str
    make: Callable[..., T]
    summary: str
    facts: Options = field(default_factory=dict)

    def defaults(self) -> dict[str, Any]:
        """Option names with their default values."""
        parameters = inspect.signature(self.make).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


class Registry(Generic[T]):
    """Components of one kind by name; a name bound twice is a programming error."""

    def __init__(self, kind: str, *, pure: bool = False) -> None:
        """``pure``: making a component reads and loads nothing, so options can be tried."""
        self.kind = kind
        self.pure = pure
        self._components: dict[str, Component[T]] = {}

    def register(
        self, name: str, make: Callable[..., T], *, summary: str, facts: Options | None = None
    ) -> None:
        """Bind a name, once: raises ValueError for one that is bound. ``facts`` say what holds of
        every instance, before one is made."""
        if name in self._components:
            message = f"{self.kind} {name!r} is registered twice"
            raise ValueError(message)
        self._components[name] = Component(name=name, make=make, summary=summary, facts=facts or {})

    def load_plugins(self) -> None:
        """Add what installed distributions declare under ``tailwise.<kind>``."""
        for entry in entry_points(group=f"tailwise.{self.kind}"):
            make = entry.load()
            self.register(entry.name, make, summary=(make.__doc__ or "").partition("\n")[0])

    def names(self) -> tuple[str, ...]:
        """Every bound name, in the order of registering."""
        return tuple(self._components)

    def __iter__(self) -> Iterator[Component[T]]:
        return iter(self._components.values())

    def get(self, name: str) -> Component[T]:
        """Raises InvalidInput ``unknown-<kind>`` that lists the known names."""
        try:
            return self._components[name]
        except KeyError:
            raise InvalidInput.at(
                f"/{self.kind}",
                f"there is no {self.kind} of that name; known: {', '.join(self.names())}",
                code=f"unknown-{self.kind}",
                allowed=list(self.names()),
            ) from None

    def make(self, choice: Choice) -> T:
        """The component with its options; unknown or bad options raise InvalidOption."""
        component = self.get(choice.name)
        known = component.defaults()
        for option in choice.options:
            if option not in known:
                raise InvalidOption.at(
                    f"/{self.kind}/options/{option}",
                    f"{choice.name} has no such option; known: {', '.join(known) or 'none'}",
                    code="unknown-option",
                    allowed=list(known),
                )
        return component.make(**choice.options)


def check_option(
    name: str,
    value: object,
    *,
    of: type | tuple[type, ...],
    least: float | None = None,
    most: float | None = None,
    among: tuple[str, ...] = (),
) -> None:
    """Refuse an option value of the wrong type or out of [least, most] or not ``among``.

    Components call it from ``__post_init__``. bool never passes for a number.
    """
    wrong_type = not isinstance(value, of) or (isinstance(value, bool) and of is not bool)
    number = float(value) if isinstance(value, int | float) else None
    below = least is not None and number is not None and not number >= least
    above = most is not None and number is not None and not number <= most
    stray = bool(among) and isinstance(value, str) and value not in among
    if wrong_type or below or above or stray:
        allowed = ", ".join(among) or f"from {least} to {most}"
        raise InvalidOption.at(
            f"/options/{name}", f"{name} must be {allowed}", code="invalid-option", allowed=allowed
        )
