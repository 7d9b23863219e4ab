"""Engines whose transactions begin the way each database needs them to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.store.column_types import to_json
from core.errors import InvalidInput, NotInstalled

OLDEST_SQLITE = (3, 51, 3)
"""Earlier versions can corrupt a WAL database that has several connections."""

BUSY_MILLISECONDS = 30_000
WRITES = "tailwise_writes"


def make_engine(url: str, *, pool_size: int = 40) -> Engine:
    """An engine for the service's own database, ``sqlite:///path`` or ``postgresql://``.

    On SQLite a transaction is read-only unless it comes from ``writing``. Raises
    NotInstalled where the SQLite library is too old and InvalidInput for other URLs.
    """
    engine = _connectable(url, pool_size=pool_size)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin_by_purpose)
    return engine


def make_jobs_engine(url: str, *, pool_size: int = 20) -> Engine:
    """An engine for the jobs database, whose library opens its own transactions.

    On SQLite the driver begins one, IMMEDIATE, before the first write, so that none fails
    on upgrading its snapshot; the library's migrations begin theirs in SQL.
    """
    engine = _connectable(url, pool_size=pool_size)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _begin_before_writes)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection inside one read-only transaction that sees one moment."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection inside one transaction that commits at the end.

    On SQLite writers of all threads and processes queue for it in the order they came.
    """
    with (
        engine.connect().execution_options(**{WRITES: True}) as connection,
        _turn(engine),
        connection.begin(),
    ):
        yield connection


def truncate_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds deleted text.

    Where a long reader keeps the log in use, a later call or the last close does it.
    """
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as pooled, _turn(engine):
        driver: Any = pooled.driver_connection
        driver.execute("PRAGMA busy_timeout = 1000")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        driver.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")


def require_sqlite(version: tuple[int, ...]) -> None:
    """Raise NotInstalled for a SQLite library that may corrupt the database."""
    if version < OLDEST_SQLITE:
        found, oldest = (".".join(map(str, v)) for v in (version, OLDEST_SQLITE))
        raise NotInstalled(
            f"SQLite {found} can corrupt a database with several connections; {oldest} or later"
            " is needed: pip install --upgrade 'pysqlite3>=0.6.1'",
            code="sqlite-outdated",
        )


def _connectable(url: str, *, pool_size: int) -> Engine:
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed, pool_size=pool_size)
    if backend == "postgresql":
        return _postgresql(parsed, pool_size=pool_size)
    raise InvalidInput(
        "a database URL starts with sqlite:/// or postgresql://", code="invalid-database-url"
    )


def _postgresql(url: URL, *, pool_size: int) -> Engine:
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            json_serializer=to_json,
        )
    except ModuleNotFoundError as missing:
        raise NotInstalled(
            "PostgreSQL needs an extra: pip install 'tailwise[postgres]'", code="extra-missing"
        ) from missing


def _sqlite(url: URL, *, pool_size: int) -> Engine:
    if not url.database or url.database == ":memory:":
        raise InvalidInput(
            "SQLite needs a file: sqlite:////absolute/path.sqlite", code="invalid-database-url"
        )
    try:
        from pysqlite3 import dbapi2  # noqa: PLC0415 - PostgreSQL does without it
    except ImportError as missing:
        raise NotInstalled(
            "SQLite comes with the package pysqlite3: pip install 'pysqlite3>=0.6.1'"
        ) from missing
    require_sqlite(dbapi2.sqlite_version_info)
    path = Path(url.database).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url.set(drivername="sqlite", database=str(path)),
        module=dbapi2,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        json_serializer=to_json,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """Set up a new connection; the driver's own implicit BEGIN is switched off."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        # Two processes that switch a new file at once would be refused, not made to wait.
        with _locked(connection.execute("PRAGMA database_list").fetchone()[2]):
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON").fetchone()
    # The built-in lower() knows only ASCII, which would make searches miss "É".
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _begin_by_purpose(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_before_writes(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = "IMMEDIATE"


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    if engine.dialect.name != "sqlite" or not engine.url.database:
        yield
        return
    with _locked(engine.url.database):
        yield


@contextmanager
def _locked(database: str) -> Iterator[None]:
    """Hold the lock file beside the database.

    The file is opened anew each time: the lock then belongs to this call alone, so it
    also orders the threads of a process and is not shared with a forked child.
    """
    lock = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
