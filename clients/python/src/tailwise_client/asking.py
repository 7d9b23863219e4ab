"""What a program sends: answers, decisions and rows, as records or as plain dictionaries."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Row: TypeAlias = Mapping[str, Any]
FIELDS = ("text", "external_id", "split", "gold", "lang", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLabel:
    """One answer. The item is named by ``item_id`` or ``external_id``; () as ``labels`` says
    that no class applies (in a multi-label session). ``client_label_id`` is your id of the
    answer: sent twice, it is stored once."""

    item_id: str | None = None
    external_id: str | None = None
    label: str | None = None
    labels: Sequence[str] | None = None
    skip: bool | None = None
    client_label_id: str | None = None
    batch_id: str | None = None
    assignment_id: str | None = None
    lease_token: str | None = dataclasses.field(default=None, repr=False)
    supersedes: str | None = None
    note: str | None = dataclasses.field(default=None, repr=False)
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a generation: accept, edit (with ``text``), relabel (with ``labels``)
    or reject. With ``expected_revision`` it is refused where somebody decided before."""

    generation_id: str
    decision: str
    text: str | None = dataclasses.field(default=None, repr=False)
    labels: Sequence[str] | None = None
    reason: str | None = None
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """An annotator's answer that declines the item."""

    reason: str | None = None


def as_document(given: Any) -> dict[str, Any]:
    """A record or mapping as JSON takes it; fields that are None are left out."""
    fields = given if isinstance(given, Mapping) else _fields(given)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in fields.items()
        if value is not None
    }


def _fields(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}


def rows_of(source: Any, *, columns: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows from a pandas or polars data frame, or from anything that gives dictionaries.

    ``columns`` names the column of each field, and leaves all others out. Without it, a data
    frame gives the fields the service knows, and dictionaries are sent as they are. Missing
    values (None, NaN) are left out. Neither library is imported.
    """
    frame = True
    if hasattr(source, "to_dicts"):
        rows: Iterable[Row] = source.to_dicts()
    elif hasattr(source, "to_dict") and hasattr(source, "columns"):
        rows = source.to_dict(orient="records")
    else:
        rows, frame = source, False
    for row in rows:
        if columns is not None:
            yield _present({field: row.get(column) for field, column in columns.items()})
        elif frame:
            yield _present({field: row[field] for field in FIELDS if field in row})
        else:
            yield _present(as_document(row))


def _present(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and value == value}  # noqa: PLR0124


def chunked(rows: Iterable[T], *, most: int, most_bytes: int) -> Iterator[list[T]]:
    """Rows in parts of at most ``most`` rows and ``most_bytes`` bytes of JSON; a row that is
    larger goes alone, for the service to refuse."""
    part: list[T] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row, allow_nan=False)) + 2
        if part and (len(part) == most or size + length > most_bytes):
            yield part
            part, size = [], 0
        part.append(row)
        size += length
    if part:
        yield part


def evenly(rows: Sequence[T], *, most: int) -> Iterator[Sequence[T]]:
    """Parts of nearly equal size, so that none of several has a single row."""
    parts = -(-len(rows) // most)
    for n in range(parts):
        yield rows[n * len(rows) // parts : (n + 1) * len(rows) // parts]
