"""Cancel a batch: what has no answer yet returns to the pool."""

from __future__ import annotations

from dataclasses import replace

from core.errors import Conflict
from core.events import announce
from core.ports import Clock, Store
from core.records import Batch, Session


def cancel_batch(session: Session, batch_id: str, *, store: Store, clock: Clock) -> Batch:
    """Raises Conflict ``batch-closed`` unless the batch is open; answers given are kept."""
    with store.write() as tx:
        tx.sessions.get(session.tenant_id, session.id, lock=True)
        batch = tx.batches.get(session.id, batch_id)
        if batch.state != "open":
            raise Conflict(
                f"the batch is {batch.state}", code="batch-closed", extras={"state": batch.state}
            )
        items = tx.items.by_ids(session.id, [item.item_id for item in batch.items])
        waiting = [item.id for item in items.values() if item.state == "selected"]
        tx.items.set_state(session.id, waiting, "pooled")
        tx.batches.set_state(batch.id, "cancelled")
        announce(
            tx,
            session,
            "batch.cancelled",
            {"batch_id": batch.id, "round": batch.round, "returned": len(waiting)},
            clock=clock,
        )
    return replace(batch, state="cancelled")
