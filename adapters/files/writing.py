"""Rows as bytes of JSON Lines, Parquet, and CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.files.archives import write_archive
from adapters.files.parquet_writing import write_parquet
from core.requests import RowFormat

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")
GUARD = "'"
LIST_SEPARATOR = "|"


def write_jsonl(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """One object a line, UTF-8, keys in the rows' order; texts exactly as they are."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[bytes]:
    """RFC 4180 with a header; None is an empty cell, lists are joined by ``|``.

    A cell that a spreadsheet could run (first character = + - @ tab CR NUL, or the
    apostrophe that marks such a cell) gets a leading apostrophe; numbers are left alone.
    Dropping one leading apostrophe gives every text back exactly.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([_cell(column) for column in columns])
    yield _drained(buffer)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
        yield _drained(buffer)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWriter:
    """Writes rows in any format; what exports take as their writer."""

    def write(
        self, rows: Iterable[Mapping[str, Any]], *, format: RowFormat, columns: Sequence[str]
    ) -> Iterator[bytes]:
        """See ``write_jsonl``, ``write_csv`` and ``write_parquet``."""
        if format == "parquet":
            return write_parquet(rows, columns)
        return write_csv(rows, columns) if format == "csv" else write_jsonl(rows)

    def pack(self, files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
        """See ``write_archive``."""
        return write_archive(files)


def _cell(value: Any) -> str | int | float | None:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        value = LIST_SEPARATOR.join(map(str, value))
    text = str(value)
    return GUARD + text if text.startswith((*FORMULA_STARTS, GUARD)) else text


def _drained(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data
