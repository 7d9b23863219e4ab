"""Cancel a batch: what has no answer yet returns to the pool."""

from __future__ import annotations

from dataclasses import replace

from core.closing import close_batch
from core.errors import Conflict
from core.ports import Clock, Store
from core.records import Batch, Session


def cancel_batch(session: Session, batch_id: str, *, store: Store, clock: Clock) -> Batch:
    """Raises Conflict ``batch-closed`` unless the batch is open; answers given are kept."""
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        batch = tx.batches.get(session.id, batch_id)
        if batch.state != "open":
            raise Conflict(
                f"the batch is {batch.state}", code="batch-closed", extras={"state": batch.state}
            )
        close_batch(tx, current, batch, "cancelled", clock=clock)
    return replace(batch, state="cancelled")
