"""Content-addressed files over fsspec: a local directory, memory, or object storage."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput, Unavailable

BLOCK = 1024 * 1024


class FsspecBlobs:
    """Blobs under a URL: ``<first two hex digits>/<sha256>``, written once, then only read."""

    def __init__(self, url: str) -> None:
        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        self._local = Path(self._root) if url.startswith("file:") else None

    def put(self, data: bytes) -> str:
        return self.put_stream([data])[0]

    def put_stream(self, chunks: Iterable[bytes], *, limit: int | None = None) -> tuple[str, int]:
        """(digest, size); holds one chunk at a time, and stores nothing past ``limit``."""
        digest, size = hashlib.sha256(), 0
        with self._temporary() as file:
            try:
                for chunk in chunks:
                    size += len(chunk)
                    if limit is not None and size > limit:
                        raise InvalidInput(
                            f"at most {limit} bytes",
                            code="payload-too-large",
                            extras={"limit": limit},
                        )
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
                self._adopt(Path(file.name), digest.hexdigest())
            finally:
                Path(file.name).unlink(missing_ok=True)
        return digest.hexdigest(), size

    def get(self, digest: str) -> bytes:
        with self.open(digest) as stream:
            data = stream.read()
        if hashlib.sha256(data).hexdigest() != digest:
            raise Unavailable("a stored file is not what it was", code="blob-corrupt")
        return data

    def open(self, digest: str) -> BinaryIO:
        try:
            return cast("BinaryIO", self._fs.open(self._place(digest), "rb"))
        except FileNotFoundError:
            raise Unavailable("a stored file is missing", code="blob-missing") from None

    def size(self, digest: str) -> int:
        try:
            return int(self._fs.size(self._place(digest)))
        except FileNotFoundError:
            raise Unavailable("a stored file is missing", code="blob-missing") from None

    def put_array(self, array: NDArray[Any]) -> str:
        return self.put_stream(_npy(array))[0]

    def array(self, digest: str) -> NDArray[Any]:
        """Memory-mapped from a directory, read whole from elsewhere; never writable."""
        if self._local is None:
            found = np.lib.format.read_array(io.BytesIO(self.get(digest)), allow_pickle=False)
        else:
            try:
                found = np.lib.format.open_memmap(self._local / digest[:2] / digest, mode="r")
            except FileNotFoundError:
                raise Unavailable("a stored file is missing", code="blob-missing") from None
        found.flags.writeable = False
        return cast("NDArray[Any]", found)

    def delete(self, digest: str) -> None:
        """Idempotent."""
        if self._fs.exists(self._place(digest)):
            self._fs.rm_file(self._place(digest))

    def path(self, digest: str) -> Path | None:
        """Where the blob lies on this machine, None where it does not."""
        return None if self._local is None else self._local / digest[:2] / digest

    def _place(self, digest: str) -> str:
        return f"{self._root}/{digest[:2]}/{digest}"

    def _temporary(self) -> Any:
        """A file to write to; in the same directory where it will be renamed."""
        folder = None
        if self._local is not None:
            folder = self._local / "incoming"
            folder.mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=folder, delete=False)

    def _adopt(self, file: Path, digest: str) -> None:
        """Put the finished file in its place; it is already there if the content is known."""
        if self._fs.exists(self._place(digest)):
            return
        if self._local is None:
            self._fs.makedirs(f"{self._root}/{digest[:2]}", exist_ok=True)
            self._fs.put_file(str(file), self._place(digest))
            return
        target = self._local / digest[:2] / digest
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _npy(array: NDArray[Any]) -> Iterable[bytes]:
    """The array as a .npy file, block by block."""
    array = np.ascontiguousarray(array)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    yield header.getvalue()
    view = memoryview(array).cast("B") if array.size else memoryview(b"")
    for start in range(0, len(view), BLOCK):
        yield bytes(view[start : start + BLOCK])
