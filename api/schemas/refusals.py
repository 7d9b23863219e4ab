"""Turns marshmallow's nested messages into pointers with stable codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.errors import FieldError, InvalidInput

LONGEST_POINTER = 200
MOST_ERRORS = 100


class Refusal(str):
    """An error message that carries its stable code through marshmallow."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, detail: str, *, code: str) -> Refusal:
        refusal = super().__new__(cls, detail)
        refusal.code = code
        return refusal

    def format(self, *args: object, **kwargs: object) -> Refusal:
        return Refusal(super().format(*args, **kwargs), code=self.code)


def pointer_of(keys: Iterable[str | int], *, prefix: str = "/") -> str:
    """A JSON pointer (RFC 6901), cut to a bounded length; query parameters start with ``?``."""
    parts = [str(key).replace("~", "~0").replace("/", "~1") for key in keys]
    return (prefix + "/".join(parts))[:LONGEST_POINTER] if parts else ""


def field_errors(messages: Any, *, prefix: str = "/") -> list[FieldError]:
    """Every message with the place it is about, at most a hundred of them."""
    found: list[FieldError] = []
    for keys, message in _leaves(messages, ()):
        code = message.code if isinstance(message, Refusal) else "invalid-value"
        found.append(
            FieldError(pointer=pointer_of(keys, prefix=prefix), code=code, detail=str(message))
        )
        if len(found) == MOST_ERRORS:
            break
    return found


def _leaves(node: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, Mapping):
        for key, below in node.items():
            yield from _leaves(below, keys if key == "_schema" else (*keys, key))
    elif isinstance(node, list | tuple):
        for below in node:
            yield from _leaves(below, keys)
    else:
        yield keys, node


def as_invalid_input(messages: Any, *, prefix: str = "/") -> InvalidInput:
    """One refusal for the whole document; its code is the fields' where they agree."""
    errors = field_errors(messages, prefix=prefix)
    codes = {error.code for error in errors}
    code = codes.pop() if len(codes) == 1 else "invalid-input"
    detail = errors[0].detail if len(errors) == 1 else f"{len(errors)} fields were refused"
    return InvalidInput(detail, code=code, errors=errors)
