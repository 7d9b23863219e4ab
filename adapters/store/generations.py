"""Generated texts with their lineage and review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.column_types import has_label
from adapters.store.documents import in_chunks, records_of, row_of
from adapters.store.statements import insert_absent
from adapters.store.tables import generations
from core.errors import NotFound, PreconditionFailed
from core.records import Generation, GenerationState, Page


class SqlGenerations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_many(self, rows: Sequence[Generation]) -> None:
        insert_absent(self._connection, generations, [row_of(row) for row in rows])

    def get(self, session_id: str, generation_id: str) -> Generation:
        found = self.by_ids(session_id, [generation_id])
        if not found:
            raise NotFound("the session has no such generation", code="unknown-generation")
        return found[generation_id]

    def by_ids(self, session_id: str, ids: Sequence[str]) -> Mapping[str, Generation]:
        found: dict[str, Generation] = {}
        for chunk in in_chunks(ids):
            # An expression, so that SQLite looks the ids up and does not walk the session.
            mine = generations.c.session_id.concat("") == session_id
            query = sa.select(generations).where(mine, generations.c.id.in_(chunk))
            rows = records_of(Generation, self._connection.execute(query))
            found.update((row.id, row) for row in rows)
        return found

    def list(
        self,
        session_id: str,
        page: Page,
        *,
        state: str | None = None,
        operation_id: str | None = None,
        label: str | None = None,
    ) -> Sequence[Generation]:
        """By id."""
        query = sa.select(generations).where(_of(session_id))
        if state is not None:
            query = query.where(generations.c.state == state)
        if operation_id is not None:
            query = query.where(generations.c.operation_id == operation_id)
        if label is not None:
            query = query.where(has_label(generations.c.labels, label))
        if page.after is not None:
            query = query.where(generations.c.id > page.after)
        query = query.order_by(generations.c.id).limit(page.limit)
        return records_of(Generation, self._connection.execute(query))

    def of_operation(self, session_id: str, operation_id: str) -> Sequence[Generation]:
        query = sa.select(generations).where(
            _of(session_id), generations.c.operation_id == operation_id
        )
        return records_of(Generation, self._connection.execute(query.order_by(generations.c.id)))

    def save(self, row: Generation, *, expected_revision: int) -> None:
        """Raises PreconditionFailed when the stored revision is another."""
        changed = (
            sa.update(generations)
            .where(
                _of(row.session_id),
                generations.c.id == row.id,
                generations.c.revision == expected_revision,
            )
            .values(row_of(row))
        )
        if self._connection.execute(changed).rowcount == 0:
            raise PreconditionFailed("the generation changed since it was read")

    def usable(self, session_id: str) -> Sequence[Generation]:
        query = sa.select(generations).where(
            _of(session_id), generations.c.state.in_(["accepted", "edited"])
        )
        query = query.order_by(generations.c.id)
        return records_of(Generation, self._connection.execute(query))

    def counts(self, session_id: str) -> Mapping[tuple[str, str, GenerationState], int]:
        by = (generations.c.labels, generations.c.template_id, generations.c.state)
        query = sa.select(*by, sa.func.count()).where(_of(session_id)).group_by(*by)
        counted: Counter[tuple[str, str, GenerationState]] = Counter()
        for labels, template_id, state, count in self._connection.execute(query):
            for class_id in labels:
                counted[class_id, template_id, state] += count
        return counted

    def totals(self, session_id: str) -> Mapping[tuple[str, GenerationState], int]:
        by = (generations.c.template_id, generations.c.state)
        query = sa.select(*by, sa.func.count()).where(_of(session_id)).group_by(*by)
        rows = self._connection.execute(query)
        return {(template_id, state): count for template_id, state, count in rows}

    def count_reviewed(self, session_id: str) -> int:
        """Rows that somebody has decided on."""
        query = sa.select(sa.func.count()).select_from(generations)
        query = query.where(_of(session_id), generations.c.reviewed_at.is_not(None))
        return int(self._connection.execute(query).scalar_one())


def _of(session_id: str) -> sa.ColumnElement[bool]:
    return generations.c.session_id == session_id
