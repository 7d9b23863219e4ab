"""Content-addressed artefacts in a directory, or wherever else fsspec can write."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import fsspec
import numpy as np
from numpy.typing import NDArray

from adapters.blobs.incoming import Incoming, sweep
from adapters.full_disk import naming_no_room
from core.errors import InvalidInput, Unavailable

DIGEST = re.compile(r"[0-9a-f]{64}")


class FsspecBlobs:
    """``file:///directory`` (the default choice), ``s3://bucket/prefix``, ``memory://``, ...

    A blob lies at ``ab/cd/abcd...``. In a directory it appears there whole or not at all:
    written beside, synced, then renamed.
    """

    def __init__(self, url: str) -> None:
        self._fs: Any
        self._fs, root = fsspec.url_to_fs(url)
        self._root = str(root).rstrip("/")
        self._directory: Path | None = None
        if "file" in self._protocols():
            self._directory = Path(self._root)
            self._incoming.mkdir(parents=True, exist_ok=True)
            sweep(self._incoming)

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if not self._has(digest, len(data)):
            self.put_stream([data])
        return digest

    def put_stream(self, chunks: Iterable[bytes], *, limit: int | None = None) -> tuple[str, int]:
        with self._writing(limit=limit) as blob:
            for chunk in chunks:
                blob.write(chunk)
        return blob.digest, blob.size

    def put_array(self, array: NDArray[Any]) -> str:
        """As ``.npy`` in row order, written in pieces; object arrays raise ValueError.

        Only an array in another order is copied, so that equal arrays have one digest.
        """
        rows = array if array.flags.c_contiguous else np.asarray(array, order="C")
        with self._writing() as blob:
            np.lib.format.write_array(cast("BinaryIO", blob), rows, allow_pickle=False)
        return blob.digest

    def get(self, digest: str) -> bytes:
        with self.open(digest) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != digest:
            _corrupt()
        return data

    def open(self, digest: str) -> BinaryIO:
        """Unchecked, for reading in pieces; raises Unavailable ``blob-missing``."""
        try:
            return cast("BinaryIO", self._fs.open(self._where(digest), "rb"))
        except FileNotFoundError:
            _missing()

    def size(self, digest: str) -> int:
        """Bytes; raises Unavailable ``blob-missing``."""
        try:
            return int(self._fs.size(self._where(digest)))
        except FileNotFoundError:
            _missing()

    def array(self, digest: str) -> NDArray[Any]:
        """Raises Unavailable ``blob-missing``, or ``blob-corrupt`` for what is no ``.npy``.

        A memory map is not checked against the digest: that would read all of it.
        """
        try:
            path = self.path(digest)
            if path is not None:
                return np.lib.format.open_memmap(path, mode="r")
            loaded: NDArray[Any] = np.lib.format.read_array(
                io.BytesIO(self.get(digest)), allow_pickle=False
            )
        except ValueError:
            _corrupt()
        loaded.flags.writeable = False
        return loaded

    def delete(self, digest: str) -> None:
        try:
            self._fs.rm_file(self._where(digest))
        except FileNotFoundError:
            return

    def path(self, digest: str) -> Path | None:
        """The blob's own file in a local directory, else None.

        Raises Unavailable ``blob-missing``.
        """
        if self._directory is None:
            return None
        path = Path(self._where(digest))
        if not path.is_file():
            _missing()
        return path

    @property
    def _incoming(self) -> Path:
        return Path(self._root) / "incoming"

    def _protocols(self) -> tuple[str, ...]:
        protocol = self._fs.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    def _where(self, digest: str) -> str:
        if not DIGEST.fullmatch(digest):
            _missing()
        return f"{self._root}/{digest[:2]}/{digest[2:4]}/{digest}"

    def _has(self, digest: str, size: int) -> bool:
        try:
            return int(self._fs.size(self._where(digest))) == size
        except FileNotFoundError:
            return False

    @contextmanager
    def _writing(self, *, limit: int | None = None) -> Iterator[_Hashed]:
        """A file to write one blob to; it is published when the block ends well.

        Raises Unavailable ``disk-full``; nothing of the blob is left then.
        """
        with naming_no_room(), Incoming(self._incoming if self._directory else None) as incoming:
            blob = _Hashed(incoming.file, limit=limit)
            yield blob
            where = self._where(blob.digest)
            if self._has(blob.digest, blob.size):
                return
            if self._directory is not None:
                incoming.publish(Path(where))
            else:
                incoming.file.flush()
                self._fs.makedirs(where.rpartition("/")[0], exist_ok=True)
                self._fs.put_file(str(incoming.path), where)


class _Hashed:
    """A file that knows the digest and size of what was written to it."""

    def __init__(self, file: BinaryIO, *, limit: int | None) -> None:
        self._file = file
        self._limit = limit
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """SHA-256 of what was written so far, as 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Raises InvalidInput ``payload-too-large`` before more than the limit is stored."""
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise InvalidInput(
                f"the file is larger than {self._limit} bytes",
                code="payload-too-large",
                extras={"limit": self._limit},
            )
        self._hash.update(data)
        return self._file.write(data)


def _missing() -> NoReturn:
    raise Unavailable("a stored file is missing", code="blob-missing") from None


def _corrupt() -> NoReturn:
    raise Unavailable("a stored file is damaged", code="blob-corrupt") from None
