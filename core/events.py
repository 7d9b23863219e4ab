"""Facts for the event feed: what happened, in ids and counts."""

from __future__ import annotations

from core.ports import Clock, Repositories
from core.records import Options, Session


def announce(tx: Repositories, session: Session, type: str, data: Options, *, clock: Clock) -> None:
    """Append an event in the transaction that made it true; ``data`` never holds text."""
    tx.events.add(
        tenant_id=session.tenant_id,
        session_id=session.id,
        type=type,
        data=data,
        now=clock.now(),
    )
