"""Upstream files from a pinned commit: size, time and hash are checked, and kept in a cache."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import platformdirs

from benchmarks.datasets.catalog import Entry
from core.errors import Unavailable

UPSTREAM = "https://raw.githubusercontent.com"
LARGEST_FILE = 32 * 1024 * 1024
TIMEOUT = 30.0
FOUND = 200


def default_cache() -> Path:
    """Where fetched files are kept unless a caller says otherwise."""
    return platformdirs.user_cache_path("tailwise") / "datasets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Gets the files of a set from ``address`` once; later from ``cache``.

    ``limit`` is the largest file in bytes, ``timeout`` the seconds a connection may be
    silent. A cached file whose hash is wrong is
    fetched again.
    """

    cache: Path = field(default_factory=default_cache)
    address: str = UPSTREAM
    limit: int = LARGEST_FILE
    timeout: float = TIMEOUT

    def files(self, entry: Entry) -> list[bytes]:
        """The upstream files of ``entry``, in the order of its paths.

        Raises Unavailable: dataset-unreachable, dataset-too-large, and hash-mismatch with
        file, expected and found sha256 in the extras. Nothing that fails is kept.
        """
        pairs = zip(entry.paths, entry.upstream_sha256, strict=True)
        return [self._file(entry, path, expected) for path, expected in pairs]

    def _file(self, entry: Entry, path: str, expected: str) -> bytes:
        kept = self.cache / entry.repository.replace("/", "+") / entry.commit / path
        if kept.is_file():
            data = kept.read_bytes()
            if _sha256(data) == expected:
                return data
        url = f"{self.address}/{entry.repository}/{entry.commit}/{path}"
        data = self._get(url, entry)
        if (found := _sha256(data)) != expected:
            facts = {"file": url, "expected": expected, "found": found}
            detail = f"{url} is not the pinned file: expected {expected}, found {found}"
            raise Unavailable(detail, code="hash-mismatch", extras=facts)
        _keep(kept, data)
        return data

    def _get(self, url: str, entry: Entry) -> bytes:
        data = bytearray()
        try:
            with httpx2.stream("GET", url, timeout=self.timeout) as answer:
                if answer.status_code != FOUND:
                    raise _unreachable(url, entry, why=f"status {answer.status_code}")
                for block in answer.iter_bytes():
                    data += block
                    if len(data) > self.limit:
                        detail = f"{url} is larger than {self.limit:,} bytes"
                        raise Unavailable(detail, code="dataset-too-large")
        except httpx2.HTTPError as error:
            raise _unreachable(url, entry, why=type(error).__name__) from error
        return bytes(data)


def _unreachable(url: str, entry: Entry, *, why: str) -> Unavailable:
    detail = (
        f"{entry.name} could not be fetched from {url} ({why});"
        f" put {entry.file} into a folder and name it in TAILWISE_DATASETS"
    )
    return Unavailable(detail, code="dataset-unreachable")


def _keep(path: Path, data: bytes) -> None:
    """Write beside the file and rename, so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
