"""Facts for the event feed: what happened, in ids and counts."""

from __future__ import annotations

from typing import Final

from core.ports import Clock, Repositories
from core.records import Options, Session

EVENT_TYPES: Final = frozenset(
    {
        "batch.cancelled",
        "batch.completed",
        "batch.expired",
        "batch.ready",
        "batch.superseded",
        "endpoint.disabled",
        "endpoint.test",
        "generation.completed",
        "generations.reviewed",
        "item.conflict",
        "item.deleted",
        "item.escalated",
        "item.resolved",
        "item.updated",
        "items.added",
        "label.undone",
        "labels.added",
        "model.activated",
        "model.deleted",
        "model.trained",
        "operation.cancelled",
        "operation.failed",
        "operation.queued",
        "operation.succeeded",
        "pool.indexed",
        "session.closed",
        "session.created",
        "session.deleted",
        "session.draft",
        "session.open",
        "session.paused",
        "session.updated",
    }
)
"""Everything that is announced; ``endpoint.test`` is sent on demand and is in no feed."""


def announce(tx: Repositories, session: Session, type: str, data: Options, *, clock: Clock) -> None:
    """Append an event in the transaction that made it true; ``data`` never holds text."""
    tx.events.add(
        tenant_id=session.tenant_id,
        session_id=session.id,
        type=type,
        data=data,
        now=clock.now(),
    )
