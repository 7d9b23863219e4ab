"""The feed of what happened in a session, numbered without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import records_of, row_of
from adapters.store.statements import lock_session
from adapters.store.tables import events
from core.records import Event, Options


class SqlEvents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, *, tenant_id: str, session_id: str, type: str, data: Options, now: datetime
    ) -> Event:
        lock_session(self._connection, session_id)
        last = sa.select(sa.func.max(events.c.sequence)).where(events.c.session_id == session_id)
        sequence = int(self._connection.execute(last).scalar() or 0) + 1
        event = Event(
            id=f"evt_{session_id.rpartition('_')[2]}_{sequence}",
            tenant_id=tenant_id,
            session_id=session_id,
            sequence=sequence,
            type=type,
            data=data,
            created_at=now,
        )
        self._connection.execute(sa.insert(events), row_of(event))
        return event

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
