"""The few statements that SQLAlchemy spells per database, behind one name each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks
from adapters.store.tables import sessions

Row = Mapping[str, Any]
DIALECTS: Mapping[str, Callable[[sa.Table], Any]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


LOCK = (
    sa.select(sessions.c.id)
    .where(sessions.c.id == sa.bindparam("id"))
    .with_for_update(key_share=True)
)
_insert_into = cache(sa.insert)
"""Statements without values are made once: to build one takes longer than to run it."""


def insert_all(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows of like keys; nothing happens for none."""
    for chunk in in_chunks(rows):
        connection.execute(_insert_into(table), list(chunk))


def insert_absent(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert the rows that break no unique rule, leaving what is there as it is."""
    statement = _insert(connection, table).on_conflict_do_nothing()
    for chunk in in_chunks(rows):
        connection.execute(statement, list(chunk))


def claim(connection: Connection, table: sa.Table, row: Row) -> bool:
    """Insert one row unless it breaks a unique rule; whether it was inserted.

    Waits for another transaction that is inserting the same, and loses if that commits.
    """
    statement = _insert(connection, table).values(row).on_conflict_do_nothing()
    inserted = connection.execute(statement.returning(*table.primary_key.columns))
    return inserted.first() is not None


def upsert(connection: Connection, table: sa.Table, row: Row) -> None:
    """Insert a row, or replace the one of the same primary key."""
    keys = list(table.primary_key.columns)
    statement = _insert(connection, table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=row))


def replace_by(connection: Connection, table: sa.Table, columns: Sequence[str], row: Row) -> None:
    """Insert a whole row, or overwrite the one that is unique by ``columns``; its id stays."""
    connection.execute(_replacing(connection.dialect.name, table, tuple(columns)), [row])


@cache
def _replacing(dialect: str, table: sa.Table, columns: Sequence[str]) -> Any:
    statement = DIALECTS[dialect](table)
    kept = {c.name: statement.excluded[c.name] for c in table.c if c.name != "id"}
    return statement.on_conflict_do_update(index_elements=columns, set_=kept)


def lock_session(connection: Connection, session_id: str) -> None:
    """Make other writers of the session wait; SQLite's writers already do.

    NO KEY UPDATE, because rows that merely refer to the session must not deadlock on it.
    """
    if connection.dialect.name == "sqlite":
        return
    connection.execute(LOCK, {"id": session_id})


def _insert(connection: Connection, table: sa.Table) -> Any:
    """Each dialect's own INSERT: both know ON CONFLICT, neither type says so for both."""
    return DIALECTS[connection.dialect.name](table)
