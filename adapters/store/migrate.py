"""Bring a database to this version's schema, or say that it is not there."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from adapters.store.engine import reading, writing
from core.errors import NotInstalled

ADVISORY_LOCK = 0x7461696C
"""Any number that is ours: one process at a time migrates a PostgreSQL database."""


def upgrade(engine: Engine) -> None:
    """Create or migrate the tables, in one transaction; nothing happens where they are up to date.

    Raises NotInstalled ``database-newer`` where a later version made them.
    """
    config = _config()
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
        if _revision(connection, config) != _head(config):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def check(engine: Engine, *, remedy: str = "run 'tailwise db upgrade'") -> None:
    """Raise NotInstalled ``database-outdated`` or ``database-newer`` unless the tables fit."""
    config = _config()
    with reading(engine) as connection:
        found = _revision(connection, config)
    if found != _head(config):
        fault = "are missing" if found is None else "are older than this version"
        raise NotInstalled(f"its tables {fault}: {remedy}", code="database-outdated")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _head(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _revision(connection: Connection, config: Config) -> str | None:
    """The revision the database is at, None for an empty one."""
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise NotInstalled(
            "it was migrated by a later version of Tailwise: install that version,"
            " or restore the backup made before the upgrade",
            code="database-newer",
        )
    return found
