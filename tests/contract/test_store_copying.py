"""A database moves into an empty one, of the same or the other kind, without loss."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from store_rows import NOW, Rows

from adapters.store.copying import copy_database
from adapters.store.store import SqlStore, open_store
from adapters.store.tables import metadata
from core.errors import Conflict
from core.records import Item, Session


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path, store: SqlStore) -> Iterator[SqlStore]:
    """A migrated, empty database of the other kind than ``store``."""
    if store.engine.dialect.name == "postgresql":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "target.sqlite")
        opened = open_store(f"sqlite:///{tmp_path}/target.sqlite")
    else:
        url, clear = request.getfixturevalue("migrated_postgres")
        clear()
        opened = open_store(url)
    yield opened
    opened.close()


def quiet(_table: str, _rows: int) -> None:
    """Nobody watches."""


def content(store: SqlStore) -> dict[str, list[Any]]:
    with store.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table)).mappings()))
            for table in metadata.sorted_tables
        }


def test_every_row_arrives_as_it_was(
    store: SqlStore, empty: SqlStore, session: Session, pool: list[Item], rows: Rows
) -> None:
    with store.write() as tx:
        tx.access.ensure_tenant("ten_1", name="One", now=NOW)
        tx.vectors.put("ten_1", "enc", {"hash": _halves()})
        tx.events.add(tenant_id="ten_1", session_id=session.id, type="x.y", data={"n": 1}, now=NOW)
    counts = copy_database(store.engine, empty.engine, progress=quiet)
    assert content(empty) == content(store)
    assert counts["items"] == len(pool)


def _halves() -> Any:
    import numpy as np

    return np.array([0.5, -1.0], dtype=np.float16)


def test_a_target_with_rows_is_refused_and_left_alone(
    store: SqlStore, empty: SqlStore, session: Session, rows: Rows
) -> None:
    with empty.write() as tx:
        tx.sessions.add(replace(session, id="ses_other"))
    before = content(empty)
    with pytest.raises(Conflict) as refusal:
        copy_database(store.engine, empty.engine, progress=quiet)
    assert refusal.value.code == "database-not-empty"
    assert content(empty) == before


def test_an_unfinished_operation_keeps_the_database_where_it_is(
    store: SqlStore, empty: SqlStore, session: Session, rows: Rows
) -> None:
    with store.write() as tx:
        tx.operations.add(rows.operation(session_id=session.id))
    with pytest.raises(Conflict) as refusal:
        copy_database(store.engine, empty.engine, progress=quiet)
    assert refusal.value.code == "operations-unfinished"
    assert not any(content(empty).values())


def test_more_rows_than_a_block_arrive(
    store: SqlStore, empty: SqlStore, session: Session, later: Callable[[float], Any]
) -> None:
    with store.write() as tx:
        for number in range(1_203):
            data = {"n": number}
            tx.events.add(
                tenant_id="ten_1",
                session_id=session.id,
                type="a.b",
                data=data,
                now=later(number),
            )
    assert copy_database(store.engine, empty.engine, progress=quiet)["events"] == 1_203
