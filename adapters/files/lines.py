"""Lines of bounded length, however long the file's own lines are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from core.errors import InvalidInput

BOM = b"\xef\xbb\xbf"


class RowTooLong(InvalidInput):
    """One row is refused; unlike every other error of a stream, reading can go on."""

    code = "row-too-long"


class BoundedLines(Iterator[bytes]):
    """Physical lines of a stream, newline included.

    More than ``limit`` bytes without ``start_record`` in between raise RowTooLong; the
    next call goes on after the end of that line, so that one monstrous row costs neither
    memory nor the rest of the file.
    """

    def __init__(self, stream: BinaryIO, *, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._used = 0
        self._first = True

    def start_record(self) -> None:
        """The lines so far are dealt with; count afresh."""
        self._used = 0

    def __next__(self) -> bytes:
        line = self._stream.readline(self._limit + 1 - self._used)
        if not line:
            raise StopIteration
        if self._first:
            line, self._first = line.removeprefix(BOM), False
        self._used += len(line)
        if self._used > self._limit:
            self._skip(line)
        return line

    def _skip(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._stream.readline(self._limit)
        self.start_record()
        raise RowTooLong(f"a row has at most {self._limit} bytes", extras={"limit": self._limit})
