"""Batches handed in at providers, and those that still have to go there."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks, record_of, records_of, row_of
from adapters.store.tables import provider_batches
from core.provider_batches import HandedIn


class SqlProviderBatches:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, batch: HandedIn) -> None:
        self._connection.execute(sa.insert(provider_batches), row_of(batch))

    def get(self, batch_id: str) -> HandedIn | None:
        query = sa.select(provider_batches).where(provider_batches.c.id == batch_id)
        row = self._connection.execute(query).mappings().one_or_none()
        return record_of(HandedIn, row) if row else None

    def save(self, batch: HandedIn) -> None:
        which = provider_batches.c.id == batch.id
        self._connection.execute(sa.update(provider_batches).where(which).values(row_of(batch)))

    def remove(self, batch_id: str) -> None:
        self._connection.execute(
            sa.delete(provider_batches).where(provider_batches.c.id == batch_id)
        )

    def taken(self, provider_ids: Sequence[str]) -> Set[str]:
        found: set[str] = set()
        for chunk in in_chunks(provider_ids):
            query = sa.select(provider_batches.c.provider_id).where(
                provider_batches.c.provider_id.in_(chunk)
            )
            found.update(self._connection.execute(query).scalars())
        return found

    def leaving(self, session_id: str) -> Sequence[HandedIn]:
        """By id."""
        query = sa.select(provider_batches).where(
            provider_batches.c.session_id == session_id, provider_batches.c.state == "leaving"
        )
        return records_of(HandedIn, self._connection.execute(query.order_by(provider_batches.c.id)))

    def due(self, *, now: datetime, limit: int = 100) -> Sequence[HandedIn]:
        """Longest due first."""
        at = provider_batches.c.next_at
        query = sa.select(provider_batches).where(provider_batches.c.state == "leaving", at <= now)
        return records_of(
            HandedIn,
            self._connection.execute(query.order_by(at, provider_batches.c.id).limit(limit)),
        )
