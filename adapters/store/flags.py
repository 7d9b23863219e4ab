"""What people found wrong with items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks, record_of, records_of, row_of
from adapters.store.tables import flags
from core.errors import NotFound
from core.people import Flag
from core.records import Page


class SqlFlags:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, flag: Flag) -> None:
        self._connection.execute(sa.insert(flags), row_of(flag))

    def get(self, session_id: str, flag_id: str) -> Flag:
        query = sa.select(flags).where(flags.c.session_id == session_id, flags.c.id == flag_id)
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound("the session has no such flag", code="unknown-flag")
        return record_of(Flag, row)

    def list(self, session_id: str, page: Page, *, state: str | None = None) -> Sequence[Flag]:
        """By id."""
        query = sa.select(flags).where(flags.c.session_id == session_id)
        if state is not None:
            query = query.where(flags.c.state == state)
        if page.after is not None:
            query = query.where(flags.c.id > page.after)
        query = query.order_by(flags.c.id).limit(page.limit)
        return records_of(Flag, self._connection.execute(query))

    def save(self, flag: Flag) -> None:
        self._connection.execute(sa.update(flags).where(flags.c.id == flag.id).values(row_of(flag)))

    def open_items(self, session_id: str, item_ids: Sequence[str]) -> Set[str]:
        found: set[str] = set()
        for chunk in in_chunks(item_ids):
            query = sa.select(flags.c.item_id).where(
                flags.c.session_id == session_id,
                flags.c.state == "open",
                flags.c.item_id.in_(chunk),
            )
            found.update(self._connection.execute(query).scalars())
        return found

    def counts(self, session_id: str) -> Mapping[tuple[str, str], int]:
        query = sa.select(flags.c.state, flags.c.reason, sa.func.count()).where(
            flags.c.session_id == session_id
        )
        rows = self._connection.execute(query.group_by(flags.c.state, flags.c.reason))
        return {(state, reason): int(count) for state, reason, count in rows}
