"""Batches with their picks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks, record_of, row_of
from adapters.store.statements import insert_absent, insert_all
from adapters.store.tables import batch_items, batch_requests, batches, items
from core.errors import NotFound
from core.records import Batch, BatchItem, BatchState, Page, Pick

_MINE = batches.c.session_id == sa.bindparam("session")
OVERDUE = (
    sa.select(batches)
    .where(
        batches.c.state == "open",
        batches.c.expires_at.is_not(None),
        batches.c.expires_at <= sa.bindparam("now"),
    )
    .order_by(batches.c.expires_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
OVERDUE_HERE = OVERDUE.where(_MINE)
CONTAINING = (
    sa.select(*batches.c, *batch_items.c, items.c.external_id)
    .join_from(batches, batch_items, batch_items.c.batch_id == batches.c.id)
    .outerjoin(items, items.c.id == batch_items.c.item_id)
    .where(
        batch_items.c.session_id == sa.bindparam("session"),
        batch_items.c.item_id.in_(sa.bindparam("items", expanding=True)),
    )
    .order_by(batches.c.round, batch_items.c.ordinal)
)
WAITS = (
    sa.select(batch_items.c.ordinal)
    .join(items, items.c.id == batch_items.c.item_id)
    .where(
        batch_items.c.batch_id == sa.bindparam("batch"),
        items.c.state.in_(("selected", "conflict")),
    )
    .limit(1)
)
"""Built once: to build a small statement takes longer than to run it."""


class SqlBatches:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, batch: Batch) -> None:
        row = row_of(batch)
        del row["items"]
        self._connection.execute(sa.insert(batches), row)
        owner = {
            "batch_id": batch.id,
            "tenant_id": batch.tenant_id,
            "session_id": batch.session_id,
        }
        rows = [
            {
                **owner,
                "ordinal": ordinal,
                "item_id": member.item_id,
                "answers_needed": member.answers_needed,
                **row_of(member.pick),
            }
            for ordinal, member in enumerate(batch.items)
        ]
        insert_all(self._connection, batch_items, rows)

    def get(self, session_id: str, batch_id: str) -> Batch:
        found = self._load(sa.select(batches).where(_of(session_id), batches.c.id == batch_id))
        if not found:
            raise NotFound("the session has no such batch", code="unknown-batch")
        return found[0]

    def by_request(self, session_id: str, request_key: str) -> Batch | None:
        asked = sa.select(batch_requests.c.batch_id).where(
            batch_requests.c.session_id == session_id,
            batch_requests.c.request_key == request_key,
        )
        found = self._load(sa.select(batches).where(batches.c.id.in_(asked)))
        return found[0] if found else None

    def remember_request(self, batch_id: str, request_key: str) -> None:
        """The first batch of a key stays."""
        owner = sa.select(batches.c.tenant_id, batches.c.session_id).where(batches.c.id == batch_id)
        row = self._connection.execute(owner).mappings().one()
        insert_absent(
            self._connection,
            batch_requests,
            [{**row, "batch_id": batch_id, "request_key": request_key}],
        )

    def list(self, session_id: str, page: Page, *, state: str | None = None) -> Sequence[Batch]:
        """By id."""
        query = sa.select(batches).where(_of(session_id))
        if state is not None:
            query = query.where(batches.c.state == state)
        if page.after is not None:
            query = query.where(batches.c.id > page.after)
        return self._load(query.order_by(batches.c.id).limit(page.limit))

    def all(self, session_id: str) -> Sequence[Batch]:
        return self._load(sa.select(batches).where(_of(session_id)).order_by(batches.c.round))

    def open(self, session_id: str) -> Sequence[Batch]:
        query = sa.select(batches).where(_of(session_id), batches.c.state == "open")
        return self._load(query.order_by(batches.c.round))

    def overdue(
        self, *, now: datetime, limit: int, session_id: str | None = None
    ) -> Sequence[Batch]:
        if session_id is None:
            return self._load(OVERDUE, {"now": now, "most": limit})
        return self._load(OVERDUE_HERE, {"now": now, "most": limit, "session": session_id})

    def set_state(self, batch_id: str, state: BatchState) -> None:
        self._connection.execute(
            sa.update(batches).where(batches.c.id == batch_id).values(state=state)
        )

    def waits(self, batch_id: str) -> bool:
        return self._connection.execute(WAITS, {"batch": batch_id}).first() is not None

    def count(self, session_id: str) -> int:
        query = sa.select(sa.func.count()).select_from(batches).where(_of(session_id))
        return int(self._connection.execute(query).scalar_one())

    def containing(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, Batch]:
        newest: dict[str, sa.RowMapping] = {}
        for chunk in in_chunks(item_ids):
            given = {"session": session_id, "items": chunk}
            for row in self._connection.execute(CONTAINING, given).mappings():
                newest[row[batch_items.c.item_id]] = row
        members: dict[str, list[BatchItem]] = defaultdict(list)
        for row in newest.values():
            members[row[batches.c.id]].append(_member(_part(row, batch_items)))
        return {
            item_id: replace(
                record_of(Batch, {**_part(row, batches), "items": ()}),
                items=tuple(members[row[batches.c.id]]),
            )
            for item_id, row in newest.items()
        }

    def _load(
        self, query: sa.Select[Any], given: Mapping[str, Any] | None = None
    ) -> Sequence[Batch]:
        rows = self._connection.execute(query, given).mappings().all()
        members: dict[str, list[BatchItem]] = defaultdict(list)
        for chunk in in_chunks([row["id"] for row in rows]):
            for row in self._connection.execute(_members(chunk)).mappings():
                members[row["batch_id"]].append(_member(row))
        return [
            replace(record_of(Batch, {**row, "items": ()}), items=tuple(members[row["id"]]))
            for row in rows
        ]


def _of(session_id: str) -> sa.ColumnElement[bool]:
    return batches.c.session_id == session_id


def _members(batch_ids: Sequence[str]) -> sa.Select[Any]:
    """Picks with their items' external ids, which a deleted item has lost."""
    return (
        sa.select(batch_items, items.c.external_id)
        .outerjoin(items, items.c.id == batch_items.c.item_id)
        .where(batch_items.c.batch_id.in_(batch_ids))
        .order_by(batch_items.c.batch_id, batch_items.c.ordinal)
    )


def _part(row: sa.RowMapping, table: sa.Table) -> dict[str, Any]:
    """One table's columns of a joined row, and the item's external id."""
    part = {column.name: row[column] for column in table.c}
    return {**part, "external_id": row[items.c.external_id]}


def _member(row: Mapping[str, Any] | sa.RowMapping) -> BatchItem:
    return BatchItem(
        item_id=row["item_id"],
        external_id=row["external_id"] or "",
        pick=record_of(Pick, row),
        answers_needed=row["answers_needed"],
    )
