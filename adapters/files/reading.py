"""Files as rows by field: opened with guards, refused early where the head already shows it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO, Literal, cast

from adapters.files.columns import missing
from adapters.files.csv_rows import csv_rows
from adapters.files.jsonl_rows import first_keys, jsonl_rows
from adapters.files.limits import Limits
from adapters.files.parquet_rows import parquet_rows
from adapters.files.unpacking import GZIP_MAGIC, UNPACKED_BLOCK, Borrowed, GuardedGzip, unreadable
from core.errors import InvalidInput
from core.requests import ImportRequest

PARQUET_MAGIC = b"PAR1"
HEAD_BYTES = 64 * 1024
FIRST_ROWS = 20
SUFFIXES: Mapping[str, Literal["csv", "jsonl", "parquet"]] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
FOREIGN = {
    GZIP_MAGIC: "gzip",
    b"PK\x03\x04": "a zip archive",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    PARQUET_MAGIC: "Parquet",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"SQLite format 3": "a database",
}
"""First bytes that no CSV or JSON Lines file has."""

Rows = Iterator[tuple[int, Mapping[str, Any] | InvalidInput]]


def sniff_format(name: str) -> tuple[Literal["csv", "jsonl", "parquet"], bool]:
    """(format, gzip) by the file's name; raises InvalidInput ``unknown-format``."""
    path = PurePath(name.lower())
    packed = path.suffix in {".gz", ".gzip"}
    suffix = PurePath(path.stem).suffix if packed else path.suffix
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        detail = f"the name tells no format; known endings: {known}, each also with .gz"
        raise InvalidInput.at("/format", detail, code="unknown-format", allowed=list(SUFFIXES))
    return SUFFIXES[suffix], packed


def read_rows(stream: BinaryIO, request: ImportRequest, *, limits: Limits | None = None) -> Rows:
    """(row number from 1, row by field, or the InvalidInput of that row), streamed.

    Fields are text, external_id, gold, split and lang, as far as the file has them.
    Memory does not grow with the file. Raises InvalidInput for a file that cannot be
    read at all: unreadable-file, empty-file, missing-column, duplicate-column,
    wrong-column-type, row-group-too-large, decompression-bomb.
    """
    limits = limits or Limits()
    source = _unpacked(stream, request, limits=limits)
    if request.format == "parquet":
        _refuse_not_parquet(source.peek(len(PARQUET_MAGIC)))
        yield from parquet_rows(source, request, limits=limits)
        return
    _refuse_foreign(source.peek(16), request)
    read = csv_rows if request.format == "csv" else jsonl_rows
    yield from read(source, request, limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReader:
    """Reads files within limits; what imports take as their reader."""

    limits: Limits = field(default_factory=Limits)

    def rows(self, stream: BinaryIO, request: ImportRequest) -> Rows:
        """See ``read_rows``."""
        return read_rows(stream, request, limits=self.limits)

    def check_head(self, head: bytes, request: ImportRequest, *, whole: bool) -> None:
        """Raise InvalidInput where the first bytes already condemn the file.

        ``whole`` says that ``head`` is all there is. A head of 64 KiB is enough to
        judge; a shorter one that is not the whole file may pass unjudged.
        """
        if not head:
            raise InvalidInput("the file is empty", code="empty-file")
        if whole:
            self._check_first_rows(head, request, whole=True)
            return
        if request.gzip:
            source = _unpacked(io.BytesIO(head), request, limits=self.limits, partial=True)
            head = source.read(HEAD_BYTES)
        if request.format == "parquet":
            _refuse_not_parquet(head)
            return
        lines = head[: head.rfind(b"\n") + 1]
        if lines:
            self._check_first_rows(lines, replace(request, gzip=False), whole=False)

    def _check_first_rows(self, data: bytes, request: ImportRequest, *, whole: bool) -> None:
        """A wrong header raises by itself; rows condemn the file when none is good."""
        found = list(islice(self.rows(io.BytesIO(data), request), FIRST_ROWS))
        if not whole and len(found) < FIRST_ROWS:
            found = found[:-1]  # the cut may go through it
        refused = [row for _, row in found if isinstance(row, InvalidInput)]
        if found and len(refused) == len(found):
            raise refused[0]
        good = [row for _, row in found if not isinstance(row, InvalidInput)]
        if request.format == "jsonl" and good and all(row["text"] is None for row in good):
            source = _unpacked(io.BytesIO(data), request, limits=self.limits)
            raise missing(request.text_column, first_keys(source, limits=self.limits))


def _unpacked(
    stream: BinaryIO, request: ImportRequest, *, limits: Limits, partial: bool = False
) -> io.BufferedReader:
    source: io.BufferedReader = io.BufferedReader(Borrowed(stream))
    start = source.peek(len(GZIP_MAGIC))[: len(GZIP_MAGIC)]
    if not start:
        raise InvalidInput("the file is empty", code="empty-file")
    if not request.gzip:
        return source
    if start != GZIP_MAGIC:
        raise unreadable("the file is not gzip, though the request says so")
    unpacked = GuardedGzip(cast("BinaryIO", source), limits=limits, partial=partial)
    return io.BufferedReader(unpacked, buffer_size=UNPACKED_BLOCK)


def _refuse_foreign(start: bytes, request: ImportRequest) -> None:
    for magic, name in FOREIGN.items():
        if start.startswith(magic):
            raise unreadable(f"the file is not {request.format}: it looks like {name}")


def _refuse_not_parquet(start: bytes) -> None:
    if not start.startswith(PARQUET_MAGIC):
        raise unreadable("the file is not Parquet")
