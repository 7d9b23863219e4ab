"""JSON documents become frozen records; what a record does not know is left out."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tailwise_client.errors import UnexpectedAnswer

T = TypeVar("T")
NO_DEFAULT = dataclasses.MISSING


def read(into: type[T], document: Any) -> T:
    """A record of class ``into``; raises UnexpectedAnswer where a field is missing or strange."""
    try:
        found: T = _read(into, document)
    except (TypeError, ValueError, KeyError) as error:
        name = getattr(into, "__name__", str(into))
        message = f"the answer is no {name} of this client's version: {error}"
        raise UnexpectedAnswer(message) from None
    return found


def _read(wanted: Any, value: Any) -> Any:
    origin = get_origin(wanted)
    if origin in {Union, types.UnionType}:
        return _read_union(wanted, value)
    if origin in {tuple, Mapping}:
        return _read_collection(wanted, value)
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _read_record(wanted, _of_type(dict, value))
    return _read_scalar(wanted, value)


def _read_scalar(wanted: Any, value: Any) -> Any:
    if wanted is datetime:
        return datetime.fromisoformat(_of_type(str, value))
    if wanted is float:
        return float(_of_type((int, float), value))
    return value if wanted is Any else _of_type(wanted, value)


def _read_collection(wanted: Any, value: Any) -> Any:
    """``tuple[T, ...]`` from a list, ``Mapping[str, T]`` from an object."""
    arguments = get_args(wanted)
    if get_origin(wanted) is tuple:
        return tuple(_read(arguments[0], each) for each in _of_type(list, value))
    return {name: _read(arguments[1], each) for name, each in _of_type(dict, value).items()}


def _read_union(wanted: Any, value: Any) -> Any:
    if value is None:
        return None
    inner = [kind for kind in get_args(wanted) if kind is not types.NoneType]
    return _read(inner[0], value)


def _read_record(wanted: type, document: Mapping[str, Any]) -> Any:
    given = {}
    for name, (kind, required) in _fields(wanted).items():
        if name in document:
            given[name] = _read(kind, document[name])
        elif required:
            raise KeyError(name)
    return wanted(**given)


@cache
def _fields(wanted: Any) -> Mapping[str, tuple[Any, bool]]:
    """Each field's type, and whether a document must have it."""
    kinds = get_type_hints(wanted)
    return {
        field.name: (
            kinds[field.name],
            field.default is NO_DEFAULT and field.default_factory is NO_DEFAULT,
        )
        for field in dataclasses.fields(wanted)
    }


def _of_type(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        name = getattr(kind, "__name__", str(kind))
        raise TypeError(f"{type(value).__name__} where {name} was expected")
    return value
