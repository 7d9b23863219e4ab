"""The few statements that SQLAlchemy spells per database, behind one name each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks
from adapters.store.tables import sessions

Row = Mapping[str, Any]


def insert_all(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows of like keys; nothing happens for none."""
    for chunk in in_chunks(rows):
        connection.execute(sa.insert(table), list(chunk))


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
    """Insert a row, or overwrite the one that is unique by ``columns``; its id stays."""
    kept = {name: value for name, value in row.items() if name != "id"}
    statement = _insert(connection, table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=columns, set_=kept))


def lock_session(connection: Connection, session_id: str) -> None:
    """Make other writers of the session wait; SQLite's writers already do.

    NO KEY UPDATE, because rows that merely refer to the session must not deadlock on it.
    """
    if connection.dialect.name == "sqlite":
        return
    connection.execute(
        sa.select(sessions.c.id).where(sessions.c.id == session_id).with_for_update(key_share=True)
    )


def _insert(connection: Connection, table: sa.Table) -> Any:
    """Each dialect's own INSERT: both know ON CONFLICT, neither type says so for both."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
