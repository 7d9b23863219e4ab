"""Where cells run: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from threading import Thread

from core.errors import NotInstalled, Unavailable

DASK_SECONDS = 10


@contextmanager
def process_pool(workers: int) -> Iterator[Executor]:
    """Fresh processes: no thread of the parent's libraries is copied into them.

    Leaving by an exception (Ctrl-C is one) ends them at once, so the cells in progress are
    lost; without the parent they end by themselves.
    """
    pool = ProcessPoolExecutor(
        max_workers=workers, mp_context=get_context("spawn"), initializer=_follow_parent
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in active_children():
            worker.terminate()
        raise
    pool.shutdown()


def _follow_parent() -> None:
    """In a worker: Ctrl-C is the parent's business, and nobody works for a dead one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def dask_pool(address: str) -> Iterator[Executor]:
    """A Dask cluster as an executor.

    Raises NotInstalled ``missing-extra`` without the library, Unavailable ``no-scheduler``
    where nobody answers at ``address``.
    """
    try:
        from distributed import Client  # noqa: PLC0415 -- part of an extra
    except ImportError:
        raise NotInstalled(
            "a Dask cluster needs: pip install 'tailwise[cluster]'", code="missing-extra"
        ) from None
    try:
        client = Client(address, timeout=DASK_SECONDS)
    except (OSError, ValueError):
        raise Unavailable(f"no Dask scheduler answers at {address}", code="no-scheduler") from None
    with client:
        yield client.get_executor()
