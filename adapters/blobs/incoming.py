"""Files under construction, which leave nothing behind when their writer dies."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast


class Incoming:
    """A temporary file, locked while its writer lives; ``directory`` None is the system's."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def __enter__(self) -> Self:
        while True:
            number, name = tempfile.mkstemp(prefix="blob-", dir=self._directory)
            fcntl.flock(number, fcntl.LOCK_EX)
            # A sweep may have come between the two calls.
            if os.fstat(number).st_nlink:
                break
            os.close(number)
        self.path = Path(name)
        self.file = cast("BinaryIO", os.fdopen(number, "wb"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.path.unlink(missing_ok=True)
        # After a full disk, closing fails again on what is still buffered.
        with suppress(OSError):
            self.file.close()

    def publish(self, target: Path) -> None:
        """Move the file into place so that it survives a power cut, whole or not at all."""
        self.file.flush()
        os.fsync(self.file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(target)
        for directory in (target.parent, target.parent.parent, target.parent.parent.parent):
            _sync(directory)


def sweep(directory: Path) -> None:
    """Delete the files of writers that died: theirs are no longer locked."""
    for path in directory.glob("blob-*"):
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _sync(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
