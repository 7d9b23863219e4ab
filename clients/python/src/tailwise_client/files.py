"""Bodies that are sent more than once and files that arrive whole or not at all."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol

from tailwise_client.errors import UnexpectedAnswer

CHUNK_BYTES = 256 * 1024


class Body(Protocol):
    """A request's body; each attempt to send it starts from the beginning."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def __iter__(self) -> Iterator[bytes]: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Bytes:
    """A body in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        yield self._content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


class FileBody:
    """A file, read as it is sent; ``on_bytes(done, total)`` hears of every part."""

    def __init__(self, path: Path, *, on_bytes: Callable[[int, int], None] | None = None) -> None:
        self._path = path
        self._on_bytes = on_bytes
        self._size = path.stat().st_size

    @property
    def size(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        done = 0
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                done += len(chunk)
                yield chunk
                if self._on_bytes is not None:
                    self._on_bytes(done, self._size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


class FileSink:
    """Writes an answer beside ``path`` and moves it there once it is whole.

    ``finish`` raises UnexpectedAnswer where the bytes do not have the digest that the service
    announced (RFC 9530, sha-256).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._digest = hashlib.sha256()
        self._file: IO[bytes] | None = None

    def begin(self) -> None:
        """Also after an attempt that broke off."""
        self.close()
        self._digest = hashlib.sha256()
        self._file = self._part.open("wb")

    def write(self, chunk: bytes) -> None:
        assert self._file is not None, "begin() comes first"  # noqa: S101
        self._digest.update(chunk)
        self._file.write(chunk)

    def finish(self, headers: Mapping[str, str]) -> None:
        self.close()
        found = base64.b64encode(self._digest.digest()).decode()
        announced = headers.get("content-digest", "")
        if announced.startswith("sha-256=:") and announced != f"sha-256=:{found}:":
            message = f"{self.path.name} arrived with another digest than was announced"
            raise UnexpectedAnswer(message)
        self._part.replace(self.path)

    def discard(self) -> None:
        """Leave nothing of an answer that did not come whole."""
        self.close()
        self._part.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
