"""Items of the pool: written in bulk, found by id, position or hash, blanked when deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from adapters.store.column_types import has_label
from adapters.store.documents import in_chunks, records_of
from adapters.store.item_index import ItemIndex
from adapters.store.purge import forget_vectors
from adapters.store.statements import insert_all, lock_session
from adapters.store.tables import DELETED, batch_items, items
from core.errors import NotFound
from core.records import Item, ItemState, Labels, NewItem, Page, Session, Split

PUBLIC = [column for column in items.c if column.name not in {"gold", "indexed"}]
"""What an Item is read from: gold is never loaded into one."""

LIVE = items.c.state != DELETED


class SqlItems(ItemIndex):
    """``scrub`` is told when text was deleted that the write-ahead log still holds."""

    def __init__(self, connection: Connection, *, scrub: Callable[[], None]) -> None:
        super().__init__(connection)
        self._scrub = scrub

    def add_many(
        self,
        session: Session,
        items: Sequence[tuple[str, NewItem]],
        *,
        text_hashes: Sequence[str],
        now: datetime,
    ) -> Sequence[Item]:
        lock_session(self._connection, session.id)
        first = self.next_position(session.id)
        added = [
            _new(session, id, new, position=first + number, text_hash=text_hashes[number], now=now)
            for number, (id, new) in enumerate(items)
        ]
        golds = (new.gold for _, new in items)
        insert_all(
            self._connection, _TABLE, [_row(i, gold=g) for i, g in zip(added, golds, strict=True)]
        )
        return added

    def get(self, session_id: str, item_id: str) -> Item:
        found = self.by_ids(session_id, [item_id])
        if not found:
            raise NotFound("the session has no such item", code="unknown-item")
        return found[item_id]

    def by_external_ids(self, session_id: str, external_ids: Sequence[str]) -> Mapping[str, Item]:
        rows = self._among(session_id, items.c.external_id, external_ids)
        return {item.external_id: item for item in rows}

    def by_ids(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, Item]:
        found: dict[str, Item] = {}
        for chunk in in_chunks(item_ids):
            rows = self._connection.execute(BY_IDS, {"session": session_id, "ids": chunk})
            found |= {item.id: item for item in records_of(Item, rows)}
        return found

    def by_positions(self, session_id: str, positions: Sequence[int]) -> Mapping[int, Item]:
        rows = self._among(session_id, items.c.position, [int(p) for p in positions])
        return {item.position: item for item in rows}

    def list(
        self,
        session_id: str,
        page: Page,
        *,
        state: str | None = None,
        split: str | None = None,
        label: str | None = None,
        batch_id: str | None = None,
        query: str | None = None,
    ) -> Sequence[Item]:
        wanted = [items.c.session_id == session_id, LIVE]
        if page.after is not None:
            wanted.append(items.c.position > int(page.after))
        if state is not None:
            wanted.append(items.c.state == state)
        if split is not None:
            wanted.append(items.c.split == split)
        if label is not None:
            wanted.append(has_label(items.c.labels, label))
        if batch_id is not None:
            members = sa.select(batch_items.c.item_id).where(batch_items.c.batch_id == batch_id)
            wanted.append(items.c.id.in_(members))
        if query is not None:
            wanted.append(items.c.text.icontains(query, autoescape=True))
        listed = sa.select(*PUBLIC).where(*wanted).order_by(items.c.position).limit(page.limit)
        return records_of(Item, self._connection.execute(listed))

    def rewrite(self, session_id: str, item_id: str, new: NewItem, *, text_hash: str) -> None:
        """Raises NotFound ``unknown-item``."""
        old = self.get(session_id, item_id)
        values: dict[str, Any] = {
            "text": new.text,
            "text_hash": text_hash,
            "split": new.split,
            "gold": new.gold,
            "lang": new.lang,
            "metadata": dict(new.metadata),
            "revision": items.c.revision + 1,
        }
        if (old.text, old.split) != (new.text, new.split):
            values["indexed"] = False
        self._connection.execute(sa.update(items).where(items.c.id == item_id, LIVE).values(values))
        forget_vectors(self._connection, old.tenant_id, [old.text_hash])

    def set_state(self, session_id: str, item_ids: Sequence[str], state: ItemState) -> None:
        for chunk in in_chunks(item_ids):
            mine = sa.and_(_belongs(session_id), items.c.id.in_(chunk), LIVE)
            self._connection.execute(sa.update(items).where(mine).values(state=state))

    def set_labels(
        self, session_id: str, answers: Mapping[str, tuple[Labels | None, ItemState]]
    ) -> None:
        rows = [
            {"session": session_id, "item": item_id, "answer": labels, "becomes": state}
            for item_id, (labels, state) in answers.items()
        ]
        for chunk in in_chunks(rows):
            self._connection.execute(SET_LABELS, list(chunk))

    def delete(self, session_id: str, item_id: str) -> None:
        """Raises NotFound ``unknown-item``."""
        old = self.get(session_id, item_id)
        blanks: dict[str, Any] = {
            "external_id": None,
            "text": "",
            "text_hash": "",
            "state": DELETED,
            "labels": None,
            "gold": None,
            "lang": None,
            "metadata": {},
            "indexed": True,
        }
        self._connection.execute(
            sa.update(items)
            .where(items.c.id == item_id)
            .values(blanks)
            .values(revision=items.c.revision + 1)
        )
        forget_vectors(self._connection, old.tenant_id, [old.text_hash])
        self._scrub()

    def counts(self, session_id: str) -> Mapping[str, int]:
        grouped = (
            sa.select(items.c.split, items.c.state, sa.func.count())
            .where(items.c.session_id == session_id, LIVE)
            .group_by(items.c.split, items.c.state)
        )
        return {f"{split}/{state}": n for split, state, n in self._connection.execute(grouped)}

    def busy_positions(self, session_id: str) -> NDArray[np.int64]:
        """Ascending."""
        # Asked state by state, so that the index answers alone.
        busy = sa.select(items.c.position).where(
            items.c.session_id == session_id,
            items.c.split == "pool",
            items.c.state.in_(["selected", "conflict", "resolved", "excluded", DELETED]),
        )
        found = np.fromiter(self._connection.execute(busy).scalars(), dtype=np.int64)
        found.sort()
        return found

    def gold(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, Labels]:
        """Items without gold are left out."""
        found: dict[str, Labels] = {}
        for chunk in in_chunks(item_ids):
            known = sa.select(items.c.id, items.c.gold).where(
                _belongs(session_id), items.c.id.in_(chunk), items.c.gold.is_not(None)
            )
            found.update((id, gold) for id, gold in self._connection.execute(known))
        return found

    def gold_classes(self, session_id: str) -> Sequence[str]:
        used = sa.select(items.c.gold).distinct()
        used = used.where(items.c.session_id == session_id, items.c.gold.is_not(None))
        return sorted({c for labels in self._connection.execute(used).scalars() for c in labels})

    def gold_split(self, session_id: str, split: Split) -> Sequence[tuple[int, str, Labels]]:
        known = (
            sa.select(items.c.position, items.c.id, items.c.gold)
            .where(
                items.c.session_id == session_id,
                items.c.split == split,
                LIVE,
                items.c.indexed,
                items.c.gold.is_not(None),
            )
            .order_by(items.c.position)
        )
        return [(position, id, gold) for position, id, gold in self._connection.execute(known)]

    def hash_matches(
        self, session_id: str, text_hashes: Sequence[str]
    ) -> Mapping[str, tuple[str, Split]]:
        """Among several rows outside the test split the first position wins."""
        found: dict[str, tuple[str, Split]] = {}
        for chunk in in_chunks(text_hashes):
            same = (
                sa.select(items.c.text_hash, items.c.id, items.c.split)
                .where(items.c.session_id == session_id, items.c.text_hash.in_(chunk), LIVE)
                .order_by(items.c.position.desc())
            )
            for text_hash, id, split in self._connection.execute(same):
                if split == "test" or found.get(text_hash, ("", split))[1] != "test":
                    found[text_hash] = (id, split)
        return found

    def _among(
        self, session_id: str, column: sa.Column[Any], values: Sequence[Any]
    ) -> Sequence[Item]:
        found: list[Item] = []
        for chunk in in_chunks(values):
            among = sa.select(*PUBLIC).where(
                items.c.session_id == session_id, column.in_(chunk), LIVE
            )
            found.extend(records_of(Item, self._connection.execute(among)))
        return found


def _belongs(session_id: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """The session's rows, as an expression that no index serves: SQLite would otherwise walk
    the whole session to find a few ids."""
    return items.c.session_id.concat("") == session_id


_TABLE = items

BY_IDS = sa.select(*PUBLIC).where(
    _belongs(sa.bindparam("session")), items.c.id.in_(sa.bindparam("ids", expanding=True)), LIVE
)
SET_LABELS = (
    sa.update(items)
    .where(items.c.session_id == sa.bindparam("session"), items.c.id == sa.bindparam("item"), LIVE)
    .values(labels=sa.bindparam("answer"), state=sa.bindparam("becomes"))
)
"""Built once: to build a small statement takes longer than to run it."""


def _new(
    session: Session, id: str, new: NewItem, *, position: int, text_hash: str, now: datetime
) -> Item:
    return Item(
        id=id,
        tenant_id=session.tenant_id,
        session_id=session.id,
        external_id=new.external_id,
        position=position,
        text=new.text,
        text_hash=text_hash,
        split=new.split,
        state="pooled",
        labels=None,
        lang=new.lang,
        metadata=dict(new.metadata),
        revision=1,
        created_at=now,
    )


def _row(item: Item, *, gold: Labels | None) -> dict[str, Any]:
    row: dict[str, Any] = {column.name: getattr(item, column.name) for column in PUBLIC}
    return {**row, "gold": gold, "indexed": False}
