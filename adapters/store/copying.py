"""Moves a whole database into an empty one, of the same or of the other kind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from adapters.store.column_types import to_json
from adapters.store.engine import reading, writing
from adapters.store.tables import metadata
from core.errors import Conflict, Unavailable

BLOCK = 500


def copy_database(
    source: Engine, target: Engine, *, progress: Callable[[str, int], None]
) -> Mapping[str, int]:
    """Every row of every table, in one transaction on each side; rows by table name.

    Both have this version's tables (``migrate.check``). What arrived is read back and
    compared by the SHA-256 of each table's content before anything is committed.
    ``progress`` gets a table's name and its rows so far. Raises Conflict
    ``database-not-empty`` or ``operations-unfinished``, and Unavailable ``copy-differs``.
    """
    with reading(source) as origin, writing(target) as goal:
        _require_idle(origin)
        _require_empty(goal)
        counts = {}
        for table in metadata.sorted_tables:
            counts[table.name] = _copy_table(origin, goal, table, progress=progress)
            if _digest(origin, table) != _digest(goal, table):
                raise Unavailable(
                    f"table {table.name} did not arrive as it was sent; nothing was kept",
                    code="copy-differs",
                )
    return counts


def _require_idle(origin: Connection) -> None:
    """A job's step records lie elsewhere and do not move, so that none may be under way."""
    operations = metadata.tables["operations"]
    waiting = sa.select(sa.func.count()).where(operations.c.finished_at.is_(None))
    if number := origin.execute(waiting).scalar_one():
        raise Conflict(
            f"{number} operations are not finished; let them end or cancel them,"
            " then stop the server and try again",
            code="operations-unfinished",
            extras={"operations": number},
        )


def _require_empty(goal: Connection) -> None:
    filled = [
        table.name
        for table in metadata.sorted_tables
        if table.name != "heartbeats" and goal.execute(sa.select(table).limit(1)).first()
    ]
    if filled:
        raise Conflict(
            f"the target already holds rows ({', '.join(filled)}); name an empty database",
            code="database-not-empty",
            extras={"tables": filled},
        )


def _copy_table(
    origin: Connection, goal: Connection, table: sa.Table, *, progress: Callable[[str, int], None]
) -> int:
    goal.execute(sa.delete(table))
    done = 0
    rows = _rows(origin, table)
    while block := [dict(row) for row in islice(rows, BLOCK)]:
        goal.execute(sa.insert(table), block)
        done += len(block)
        progress(table.name, done)
    return done


def _rows(connection: Connection, table: sa.Table) -> Iterator[sa.RowMapping]:
    """By primary key, compared byte by byte on both databases."""
    order = [
        sa.collate(column, "C" if connection.dialect.name == "postgresql" else "BINARY")
        if isinstance(column.type, sa.Text)
        else column
        for column in table.primary_key.columns
    ]
    query = sa.select(table).order_by(*order)
    streamed = query.execution_options(stream_results=True, yield_per=BLOCK)
    yield from connection.execute(streamed).mappings()


def _digest(connection: Connection, table: sa.Table) -> str:
    digest = hashlib.sha256()
    for row in _rows(connection, table):
        digest.update(to_json({name: _shown(value) for name, value in row.items()}).encode())
    return digest.hexdigest()


def _shown(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.isoformat() if hasattr(value, "isoformat") else value
