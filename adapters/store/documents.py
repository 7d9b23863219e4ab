"""Records as rows and JSON documents, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa

T = TypeVar("T")
R = TypeVar("R")

Convert = Callable[[Any], Any]

ROWS = 500
"""Most values in one IN list and most rows written by one statement."""


def row_of(record: Any) -> dict[str, Any]:
    """A record's fields by name, each as a scalar or a JSON-shaped value."""
    return {field.name: plain(getattr(record, field.name)) for field in fields(record)}


def plain(value: Any) -> Any:
    """``value`` in the shapes JSON knows; sets are sorted."""
    if is_dataclass(value):
        return row_of(value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return value


def record_of(kind: type[R], row: Mapping[str, Any] | sa.RowMapping) -> R:
    """The frozen record that ``row_of`` was given; other keys of the row are ignored.

    Fields that an older document lacks take their defaults.
    """
    cached: Any = kind  # mypy doubts that any class can be hashed
    values: dict[str, Any] = {
        name: row[name] if convert is None else convert(row[name])
        for name, convert in _converters(cached)
        if name in row
    }
    return kind(**values)


def records_of(kind: type[R], result: sa.CursorResult[Any]) -> list[R]:
    """Every row of a query as a record."""
    return [record_of(kind, row) for row in result.mappings()]


def in_chunks(values: Iterable[T], size: int = ROWS) -> Iterator[Sequence[T]]:
    """Consecutive lists of at most ``size`` values: SQLite bounds a statement's variables."""
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


@cache
def _converters(kind: type[Any]) -> tuple[tuple[str, Convert | None], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _converter(hints[field.name])) for field in fields(kind))


def _converter(hint: Any) -> Convert | None:
    """How a JSON-shaped value becomes ``hint``; None where it already is one."""
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: record_of(hint, value)
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return _optional(_converter(next(a for a in get_args(hint) if a is not type(None))))
    if origin is tuple:
        inner = _converter(get_args(hint)[0])
        return tuple if inner is None else lambda value: tuple(map(inner, value))
    return frozenset if origin is frozenset else None


def _optional(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda value: None if value is None else convert(value)
