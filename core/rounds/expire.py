"""Expire: batches that waited too long for answers give back what has none."""

from __future__ import annotations

from core.closing import expire_overdue
from core.errors import Gone, NotFound
from core.ports import Clock, Store


def expire_batches(*, store: Store, clock: Clock) -> int:
    """Over all tenants, one short transaction per session; how many batches expired."""
    with store.read() as tx:
        late = tx.batches.overdue(now=clock.now(), limit=100)
    sessions = sorted({(batch.tenant_id, batch.session_id) for batch in late})
    return sum(
        _expire(tenant_id, session_id, store=store, clock=clock)
        for tenant_id, session_id in sessions
    )


def _expire(tenant_id: str, session_id: str, *, store: Store, clock: Clock) -> int:
    try:
        with store.write() as tx:
            session = tx.sessions.get(tenant_id, session_id, lock=True)
            return expire_overdue(tx, session, clock=clock)
    except (NotFound, Gone):
        return 0  # deleted meanwhile, and its batches with it
