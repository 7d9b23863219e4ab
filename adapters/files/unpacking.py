"""Gzip as a stream with a guard: a small file cannot become an endless one."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from adapters.files.limits import Limits
from core.errors import InvalidInput

GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 16 * 1024
UNPACKED_BLOCK = 256 * 1024
WITH_GZIP_HEADER = 31


class Borrowed(io.RawIOBase):
    """A stream that is read here and closed by whoever opened it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


class GuardedGzip(io.RawIOBase):
    """Reads the members of a gzip file one after another.

    Raises InvalidInput ``decompression-bomb`` past the limits and ``unreadable-file``
    where the data is damaged or cut off; ``partial`` data may end anywhere.
    """

    def __init__(self, stream: BinaryIO, *, limits: Limits, partial: bool = False) -> None:
        super().__init__()
        self._stream = stream
        self._limits = limits
        self._partial = partial
        self._member = zlib.decompressobj(WITH_GZIP_HEADER)
        self._waiting = b""
        self._packed = 0
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        while True:
            if self._member.eof:
                self._next_member()
            block = self._block()
            if not block and self._member.eof:
                return b""
            data = self._unpack(block, size)
            if data:
                return data
            if not block:
                return self._cut_off()

    def _block(self) -> bytes:
        if self._waiting:
            block, self._waiting = self._waiting, b""
            return block
        block = self._stream.read(BLOCK)
        self._packed += len(block)
        return block

    def _unpack(self, block: bytes, size: int) -> bytes:
        try:
            data = self._member.decompress(block, size)
        except zlib.error:
            raise unreadable("the gzip data is damaged") from None
        self._waiting = self._member.unconsumed_tail or self._member.unused_data
        self._unpacked += len(data)
        self._guard()
        return data

    def _next_member(self) -> None:
        """Start the next member, past the zero bytes that some tools pad with."""
        while not self._waiting.strip(b"\0"):
            self._waiting = self._stream.read(BLOCK)
            self._packed += len(self._waiting)
            if not self._waiting:
                return
        self._waiting = self._waiting.lstrip(b"\0")
        self._member = zlib.decompressobj(WITH_GZIP_HEADER)

    def _cut_off(self) -> bytes:
        if not self._partial and self._packed:
            raise unreadable("the gzip data is cut off")
        return b""

    def _guard(self) -> None:
        allowed = max(self._limits.free_bytes, self._packed * self._limits.ratio)
        if self._unpacked > min(allowed, self._limits.unpacked_bytes):
            raise InvalidInput(
                "the file unpacks to more than is allowed",
                code="decompression-bomb",
                extras={"limit": self._limits.unpacked_bytes, "ratio": self._limits.ratio},
            )


def unreadable(detail: str) -> InvalidInput:
    """The refusal of a file that is not what it is said to be."""
    return InvalidInput(detail, code="unreadable-file")
