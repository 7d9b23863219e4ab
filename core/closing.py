"""How a batch ends before every item has its answer: cancelled, expired or superseded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.events import announce
from core.ports import Clock, Repositories, Store
from core.records import Batch, BatchState, Session

AT_ONCE = 100
"""More overdue batches of one session wait for the next look."""


def close_batch(
    tx: Repositories, session: Session, batch: Batch, state: BatchState, *, clock: Clock
) -> int:
    """Return what waits to the pool and announce it; how many items went back.

    Answers given are kept, and so are items in conflict, which somebody still decides.
    """
    items = tx.items.by_ids(session.id, [item.item_id for item in batch.items])
    waiting = [item.id for item in items.values() if item.state == "selected"]
    tx.items.set_state(session.id, waiting, "pooled")
    tx.batches.set_state(batch.id, state)
    announce(
        tx,
        session,
        f"batch.{state}",
        {"batch_id": batch.id, "round": batch.round, "returned": len(waiting)},
        clock=clock,
    )
    return len(waiting)


def overdue(batch: Batch, *, now: datetime) -> bool:
    """Whether an open batch has waited long enough."""
    return batch.state == "open" and batch.expires_at is not None and batch.expires_at <= now


def expire_overdue(tx: Repositories, session: Session, *, clock: Clock) -> int:
    """Expire the session's overdue batches; how many there were. The caller holds its lock."""
    now = clock.now()
    late = tx.batches.overdue(now=now, limit=AT_ONCE, session_id=session.id)
    for batch in late:
        close_batch(tx, session, batch, "expired", clock=clock)
    return len(late)


def clear_way(
    session: Session,
    *,
    supersede: bool,
    repeats: str | None,
    allowed: Callable[[Repositories, Session], object],
    store: Store,
    clock: Clock,
) -> None:
    """Expire overdue batches before another one is selected, and supersede the open ones.

    ``allowed`` raises what would refuse the select, and then nothing is closed either. A
    request whose key ``repeats`` an earlier one closes nothing.
    """
    with store.read() as tx:
        if repeats and tx.batches.by_request(session.id, repeats):
            return
        batches = tx.batches.open(session.id)
    late = any(overdue(batch, now=clock.now()) for batch in batches)
    if not (late or (supersede and batches)):
        return
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        expire_overdue(tx, current, clock=clock)
        for batch in tx.batches.open(session.id) if supersede else ():
            close_batch(tx, current, batch, "superseded", clock=clock)
        allowed(tx, current)
