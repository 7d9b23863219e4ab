"""Which items the session's arrays already hold, and the texts that they are made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import ROWS, in_chunks
from adapters.store.tables import DELETED, items
from core.records import SHARD_ROWS

STREAMED = 1_000
"""Texts fetched at a time."""

_UNINDEXED = sa.not_(items.c.indexed)


class ItemIndex:
    """The part of the items' repository that indexing asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_position(self, session_id: str) -> int:
        last = sa.select(sa.func.max(items.c.position)).where(items.c.session_id == session_id)
        highest: int | None = self._connection.execute(last).scalar()
        return 0 if highest is None else highest + 1

    def unindexed(self, session_id: str) -> int:
        waiting = sa.select(sa.func.count()).where(items.c.session_id == session_id, _UNINDEXED)
        return int(self._connection.execute(waiting).scalar_one())

    def unindexed_shards(self, session_id: str) -> Sequence[int]:
        number = (items.c.position // SHARD_ROWS).label("number")
        waiting = sa.select(number).distinct()
        waiting = waiting.where(items.c.session_id == session_id, _UNINDEXED).order_by(number)
        return list(self._connection.execute(waiting).scalars())

    def texts(
        self, session_id: str, *, start: int, stop: int
    ) -> Iterator[tuple[int, str, str, str]]:
        live = (
            sa.select(items.c.position, items.c.text_hash, items.c.text, items.c.split)
            .where(
                items.c.session_id == session_id,
                items.c.position >= start,
                items.c.position < stop,
                items.c.state != DELETED,
            )
            .order_by(items.c.position)
        )
        rows = self._connection.execute(live, execution_options={"yield_per": STREAMED})
        yield from rows

    def mark_indexed(
        self, session_id: str, *, start: int, stop: int, rows: Mapping[int, tuple[str, str]]
    ) -> None:
        within = sa.and_(
            items.c.session_id == session_id,
            items.c.position >= start,
            items.c.position < stop,
            _UNINDEXED,
        )
        waiting = self._connection.execute(
            sa.select(items.c.position, items.c.text_hash, items.c.split).where(within)
        )
        same: list[int] = []
        changed: list[int] = []
        for position, text_hash, split in waiting:
            (same if rows.get(position) == (text_hash, split) else changed).append(position)
        # Mostly nothing changed meanwhile: one statement then marks a shard of any size.
        wholesale = len(changed) <= ROWS
        chosen = (
            [items.c.position.not_in(changed)]
            if wholesale
            else [items.c.position.in_(chunk) for chunk in in_chunks(same)]
        )
        for condition in chosen:
            self._connection.execute(sa.update(items).where(within, condition).values(indexed=True))
