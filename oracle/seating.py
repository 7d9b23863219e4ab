"""Who may sit on a panel, as its options say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.errors import InvalidInput, InvalidOption
from core.ports import Oracle
from core.records import Choice
from core.registry import Registry, check_option
from oracle.panel import PanelOracle

LEAST: Final = 2
MOST: Final = 5
NEVER: Final = frozenset({"human", "panel"})
"""People answer later, and a panel of panels would hide who said what."""


def seated(members: object, *, quorum: int | None, registry: Registry[Oracle]) -> PanelOracle:
    """The panel of these ``members`` ({"name", "options"}); ``quorum`` None = all of them.

    Raises InvalidOption that points at the member or the option.
    """
    choices = _choices(members, allowed=tuple(n for n in registry.names() if n not in NEVER))
    needed = len(choices) if quorum is None else quorum
    check_option("quorum", needed, of=int, least=1, most=len(choices))
    seats = [_seat(choice, place, registry=registry) for place, choice in enumerate(choices)]
    return PanelOracle(members=tuple(seats), quorum=needed)


def _choices(members: object, *, allowed: Sequence[str]) -> list[Choice]:
    if not isinstance(members, list | tuple) or not LEAST <= len(members) <= MOST:
        raise _refused("", f"members is a list of {LEAST} to {MOST} oracles, each with its name")
    choices: list[Choice] = []
    for place, member in enumerate(members):
        choice = _choice(member, place=place, allowed=allowed)
        if choice in choices:
            raise _refused(f"/{place}", "a member that is there twice only agrees with itself")
        choices.append(choice)
    return choices


def _choice(member: object, *, place: int, allowed: Sequence[str]) -> Choice:
    shaped = isinstance(member, Mapping) and set(member) <= {"name", "options"}
    found: Mapping[str, Any] = member if isinstance(member, Mapping) and shaped else {}
    name, options = found.get("name"), found.get("options", {})
    if name not in allowed or not isinstance(options, Mapping):
        detail = f"a member is a name ({', '.join(allowed)}) with its options"
        raise _refused(f"/{place}", detail, allowed=list(allowed))
    return Choice(name=str(name), options=dict(options))


def _seat(choice: Choice, place: int, *, registry: Registry[Oracle]) -> Oracle:
    try:
        return registry.make(choice)
    except InvalidOption as error:
        raise _refused(f"/{place}", error.detail) from None


def _refused(where: str, detail: str, **extras: object) -> InvalidInput:
    pointer = f"/options/members{where}"
    return InvalidOption.at(pointer, detail, code="invalid-option", **extras)
