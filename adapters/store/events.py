"""The feed of what happened in a session, numbered without gaps, and who is to hear of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import records_of, row_of
from adapters.store.statements import insert_all, lock_session
from adapters.store.tables import deliveries, events
from adapters.store.webhooks import hearing
from core.records import Event, Options
from core.webhooks import Delivery

LAST = sa.select(sa.func.max(events.c.sequence)).where(
    events.c.session_id == sa.bindparam("session")
)
"""Built once: to build a small statement takes longer than to run it."""


class SqlEvents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._written: dict[str, int] = {}

    def add(
        self, *, tenant_id: str, session_id: str, type: str, data: Options, now: datetime
    ) -> Event:
        sequence = self._last(session_id) + 1
        event = Event(
            id=f"evt_{session_id.rpartition('_')[2]}_{sequence}",
            tenant_id=tenant_id,
            session_id=session_id,
            sequence=sequence,
            type=type,
            data=data,
            created_at=now,
        )
        insert_all(self._connection, events, [row_of(event)])
        self._written[session_id] = sequence
        heard = [_delivery(event, endpoint) for endpoint in hearing(self._connection, event)]
        insert_all(self._connection, deliveries, [row_of(row) for row in heard])
        return event

    def _last(self, session_id: str) -> int:
        """The highest sequence. Once this transaction wrote to the session it holds its lock,
        so that nobody else can have written after it."""
        if session_id in self._written:
            return self._written[session_id]
        lock_session(self._connection, session_id)
        return int(self._connection.execute(LAST, {"session": session_id}).scalar() or 0)

    def list(
        self, session_id: str, *, after: int, limit: int, types: Sequence[str] = ()
    ) -> Sequence[Event]:
        """By sequence, from the one after ``after``; no ``types`` means all of them."""
        query = sa.select(events).where(
            events.c.session_id == session_id, events.c.sequence > after
        )
        if types:
            query = query.where(events.c.type.in_(types))
        query = query.order_by(events.c.sequence).limit(limit)
        return records_of(Event, self._connection.execute(query))


def _delivery(event: Event, endpoint_id: str) -> Delivery:
    """The outbox row; ids sort by time, and one event has one row per endpoint."""
    milliseconds = int(event.created_at.timestamp() * 1000)
    digest = hashlib.sha256(f"{event.id} {endpoint_id}".encode()).hexdigest()
    return Delivery(
        id=f"dlv_{milliseconds:011x}{digest[:15]}",
        tenant_id=event.tenant_id,
        session_id=event.session_id,
        endpoint_id=endpoint_id,
        event_id=event.id,
        type=event.type,
        state="pending",
        attempts=0,
        next_attempt_at=event.created_at,
        locked_until=None,
        last_status=None,
        last_error=None,
        created_at=event.created_at,
        delivered_at=None,
    )
