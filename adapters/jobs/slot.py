"""A worker's place on this machine: two processes must not share one worker id."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Conflict


@contextmanager
def claim_slot(directory: Path, worker_id: str) -> Iterator[None]:
    """Hold ``worker_id`` until the block ends or the process dies, however it dies.

    Raises Conflict ``worker-already-running`` while another process holds it. The lock
    is a record lock: a forked child does not inherit it and so cannot outlive it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / f"{worker_id}.lock").open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise already_running(worker_id) from None
        yield


def already_running(worker_id: str) -> Conflict:
    """What a second worker of the same id is told."""
    return Conflict(
        f"a worker named {worker_id} is already running; give this one another TAILWISE_WORKER_ID",
        code="worker-already-running",
        extras={"worker_id": worker_id},
    )
