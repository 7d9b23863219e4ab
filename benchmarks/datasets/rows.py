"""Labelled rows as they come out of a file, and the one hash that says they are the same rows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from adapters.files.reading import FileReader
from core.errors import InvalidInput
from core.records import Labels
from core.requests import ImportRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled text; ``split`` is the file's own word, "" where it has none."""

    text: str
    label: str
    split: str


def read_labelled(stream: BinaryIO, request: ImportRequest) -> list[Row]:
    """Every row of a file, in its order.

    Raises InvalidInput for a file that cannot be read, lacks a named column (the
    message lists those it has), or has a row without text or label.
    """
    rows = []
    try:
        for number, row in FileReader().rows(stream, request):
            if isinstance(row, InvalidInput):
                raise _at_row(number, row.detail)
            rows.append(_row(number, row))
    except InvalidInput as error:
        if error.code != "missing-column":
            raise
        have = ", ".join(repr(name) for name in _columns(error))
        detail = f"there is no column {error.extras['missing']!r}; the file has: {have}"
        raise InvalidInput.at("/columns", detail, code="missing-column", **error.extras) from None
    if not rows:
        raise InvalidInput("the file has no rows", code="empty-file")
    return rows


def content_hash(rows: Sequence[Row]) -> str:
    """Hex sha256 over split, label and text of the rows in their order, as JSON lines."""
    digest = hashlib.sha256()
    for row in rows:
        line = json.dumps([row.split, row.label, row.text], ensure_ascii=True)
        digest.update(line.encode("ascii") + b"\n")
    return digest.hexdigest()


def largest_first(labels: Sequence[str]) -> Labels:
    """The classes by their number of rows, descending; ties by name."""
    counts = Counter(labels)
    return tuple(sorted(counts, key=lambda label: (-counts[label], label)))


def _row(number: int, row: Any) -> Row:
    text, label = row["text"] or "", row.get("gold") or ""
    for column, value in (("text", text), ("label", label)):
        if not value.strip():
            raise _at_row(number, f"the {column} is empty")
    return Row(text=text, label=label, split=row.get("split") or "")


def _at_row(number: int, detail: str) -> InvalidInput:
    return InvalidInput.at(f"/rows/{number}", f"row {number}: {detail}", code="malformed-row")


def _columns(error: InvalidInput) -> Sequence[str]:
    columns = error.extras["columns"]
    return columns if isinstance(columns, list) else []
