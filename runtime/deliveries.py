"""The sender: threads of the worker that take what is due and try it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.errors import TailwiseError
from core.rounds.deliver import Desk, Due, deliver
from core.webhooks import Outcome
from runtime.logs import described

POLL_SECONDS: Final = 0.25
LOCK: Final = timedelta(seconds=60)
"""Four times what an attempt may take; whoever dies in one is followed after this long."""

PER_ENDPOINT: Final = 2
"""Attempts at one endpoint at a time, so that one that hangs leaves the threads to others."""

LEAVE_SECONDS: Final = 5.0


class Sender:
    """One thread looks for what is due, ``concurrency`` threads try it."""

    def __init__(self, desk: Desk, *, concurrency: int) -> None:
        self._desk = desk
        self._concurrency = concurrency
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="webhook")
        self._running: set[Future[None]] = set()
        self._looking = threading.Thread(target=self._look, name="webhooks", daemon=True)

    def start(self) -> None:
        self._looking.start()

    def stop(self, *, seconds: float = LEAVE_SECONDS) -> bool:
        """Take nothing more; whether every attempt ended within ``seconds``.

        One that did not is tried again by the next worker, once its lock has run out.
        """
        self._stopping.set()
        self._wake.set()
        self._looking.join()
        _, unfinished = wait(self._running, timeout=seconds)
        self._pool.shutdown(wait=not unfinished, cancel_futures=True)
        return not unfinished

    def _look(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            self._running = {future for future in self._running if not future.done()}
            taken = take(self._desk, limit=self._concurrency - len(self._running))
            for due in taken:
                future = self._pool.submit(self._try, due)
                future.add_done_callback(lambda _done: self._wake.set())
                self._running.add(future)
            if not taken:
                self._wake.wait(POLL_SECONDS)

    def _try(self, due: Due) -> None:
        delivery, endpoint, _ = due
        about = {"endpoint_id": endpoint.id, "attempt": delivery.attempts + 1}
        logger = structlog.get_logger()
        try:
            outcome = deliver(due, desk=self._desk)
        except Exception as error:  # noqa: BLE001 -- the worker's boundary: the lock runs out
            logger.error(  # noqa: TRY400 -- no traceback: it may show a URL
                "webhook failed here", **about, **described(error)
            )
            return
        logger.info("webhook tried", **about, **_told(outcome))


def take(desk: Desk, *, limit: int) -> Sequence[Due]:
    """What is due now, locked; nothing where the database cannot be had for now."""
    if limit <= 0:
        return []
    now = desk.clock.now()
    try:
        with desk.store.read() as tx:
            if not tx.webhooks.waiting(now=now, per_endpoint=PER_ENDPOINT):
                return []
        with desk.store.write() as tx:
            return tx.webhooks.due(
                now=now, lock_until=now + LOCK, limit=limit, per_endpoint=PER_ENDPOINT
            )
    except (SQLAlchemyError, TailwiseError) as error:
        structlog.get_logger().warning("webhooks wait", **described(error))
        return []


def _told(outcome: Outcome | None) -> dict[str, object]:
    if outcome is None:
        return {"result": "discarded"}
    result = "delivered" if outcome.delivered else "failed"
    return {"result": result, "status": outcome.status, "error": outcome.error}
