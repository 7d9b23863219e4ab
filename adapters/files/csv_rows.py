"""Rows of a CSV file (RFC 4180, comma, UTF-8 with or without a byte order mark)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from adapters.files.columns import present
from adapters.files.limits import Limits
from adapters.files.lines import BoundedLines, RowTooLong
from adapters.files.unpacking import unreadable
from core.errors import InvalidInput
from core.requests import ImportRequest


def csv_rows(
    stream: BinaryIO, request: ImportRequest, *, limits: Limits
) -> Iterator[tuple[int, Mapping[str, str | None] | InvalidInput]]:
    """(row number from 1, row by field, or why it cannot be read).

    Raises InvalidInput for a file whose header is absent, unreadable or lacks a column.
    Bytes that are not UTF-8 become lone surrogates, which the row rules refuse.
    """
    lines = BoundedLines(stream, limit=limits.row_bytes)
    records = csv.reader(_Decoded(lines), strict=True)
    header = _header(records, limits=limits)
    places = {field: header.index(column) for field, column in present(header, request).items()}
    for number, record in enumerate(_records(records, lines), start=1):
        if isinstance(record, InvalidInput):
            yield number, record
        else:
            yield number, _row(record, places, width=len(header))


def _records(
    records: Iterator[list[str]], lines: BoundedLines
) -> Iterator[list[str] | InvalidInput]:
    """Every record that is not a blank line; a bad one is followed by the next line's."""
    while True:
        lines.start_record()
        try:
            record = next(records)
        except StopIteration:
            return
        except csv.Error:
            detail = "the row is not CSV: look for an unbalanced or unescaped quote"
            yield InvalidInput(detail, code="malformed-row")
        except RowTooLong as error:
            yield error
        else:
            if record:
                yield record


class _Decoded(Iterator[str]):
    """An iterator, not a generator: it goes on after an error."""

    def __init__(self, lines: BoundedLines) -> None:
        self._lines = lines

    def __next__(self) -> str:
        return next(self._lines).decode("utf-8", "surrogateescape")


def _header(records: Iterator[list[str]], *, limits: Limits) -> list[str]:
    try:
        header = [name.strip() for name in next(records)]
    except StopIteration:
        raise InvalidInput("the file is empty", code="empty-file") from None
    except csv.Error:
        raise unreadable("the first line is not a CSV header") from None
    if len(header) > limits.columns:
        raise unreadable(f"a file has at most {limits.columns} columns")
    return header


def _row(
    record: list[str], places: Mapping[str, int], *, width: int
) -> Mapping[str, str | None] | InvalidInput:
    if len(record) != width:
        return InvalidInput(
            f"the row has {len(record)} cells where the header has {width}",
            code="ragged-row",
            extras={"expected": width, "found": len(record)},
        )
    return {field: record[place] for field, place in places.items()}
