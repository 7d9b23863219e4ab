"""The store over one database: short transactions that yield every repository."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapters.full_disk import disk_full, has_no_room
from adapters.store.access import SqlAccess
from adapters.store.assignments import SqlAssignments
from adapters.store.batches import SqlBatches
from adapters.store.costs import SqlCosts
from adapters.store.engine import make_engine, reading, truncate_log, writing
from adapters.store.events import SqlEvents
from adapters.store.flags import SqlFlags
from adapters.store.generations import SqlGenerations
from adapters.store.heartbeats import SqlHeartbeats
from adapters.store.indexes import SqlIndexes
from adapters.store.items import SqlItems
from adapters.store.labels import SqlLabelEvents
from adapters.store.models import SqlModels
from adapters.store.operations import SqlOperations
from adapters.store.people import SqlPeople
from adapters.store.provider_batches import SqlProviderBatches
from adapters.store.replies import SqlReplies
from adapters.store.sessions import SqlSessions
from adapters.store.templates import SqlTemplates
from adapters.store.vectors import SqlVectorCache
from adapters.store.webhooks import SqlWebhooks
from core.errors import STORE_BUSY, Conflict, Unavailable


class SqlRepositories:
    """Every noun's repository inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.scrubbed = False
        self.access = SqlAccess(connection)
        self.sessions = SqlSessions(connection, scrub=self._scrub)
        self.items = SqlItems(connection, scrub=self._scrub)
        self.vectors = SqlVectorCache(connection)
        self.indexes = SqlIndexes(connection)
        self.batches = SqlBatches(connection)
        self.labels = SqlLabelEvents(connection)
        self.assignments = SqlAssignments(connection)
        self.flags = SqlFlags(connection)
        self.assignments = SqlAssignments(connection)
        self.flags = SqlFlags(connection)
        self.templates = SqlTemplates(connection)
        self.generations = SqlGenerations(connection)
        self.costs = SqlCosts(connection)
        self.provider_batches = SqlProviderBatches(connection)
        self.models = SqlModels(connection)
        self.operations = SqlOperations(connection)
        self.events = SqlEvents(connection)
        self.people = SqlPeople(connection)
        self.replies = SqlReplies(connection)
        self.heartbeats = SqlHeartbeats(connection)
        self.webhooks = SqlWebhooks(connection)

    def _scrub(self) -> None:
        self.scrubbed = True


class SqlStore:
    """SQLite or PostgreSQL; the schema is brought up by ``migrate.upgrade``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[SqlRepositories]:
        """One moment of the database; writing in it is refused."""
        with _in_core_terms(), reading(self.engine) as connection:
            yield SqlRepositories(connection)

    @contextmanager
    def write(self) -> Iterator[SqlRepositories]:
        """Commits at the end, or leaves no trace when the body raises.

        Raises Conflict ``write-conflict`` when another writer stored the same unique
        thing first and Unavailable when the database cannot be had for now, ``disk-full``
        where it has no room.
        """
        with _in_core_terms():
            with writing(self.engine) as connection:
                repositories = SqlRepositories(connection)
                yield repositories
            if repositories.scrubbed:
                truncate_log(self.engine)

    def close(self) -> None:
        """Give all connections back; the store can be used again."""
        self.engine.dispose()


def open_store(url: str, *, pool_size: int = 40) -> SqlStore:
    """A store at ``sqlite:///path`` or ``postgresql://…``; connects when first used."""
    return SqlStore(make_engine(url, pool_size=pool_size))


@contextmanager
def _in_core_terms() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if not _repeats(error):
            raise
        raise Conflict(
            "another writer stored the same thing first; send the request again",
            code="write-conflict",
        ) from error
    except PoolTimeout as error:
        raise Unavailable("all database connections are in use", code=STORE_BUSY) from error
    except DBAPIError as error:
        if has_no_room(error):
            raise disk_full() from error
        if not _passes(error):
            raise
        raise Unavailable("the database cannot be used for now", code=STORE_BUSY) from error


def _repeats(error: DBAPIError) -> bool:
    """Whether a unique rule was broken."""
    state = getattr(error.orig, "sqlstate", None)
    return state == "23505" or str(error.orig).startswith("UNIQUE constraint failed")


def _passes(error: DBAPIError) -> bool:
    """Whether the same statement may work later: locks, deadlocks, disk, lost server."""
    if error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError):
        return False
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is None:
        return True
    return str(name).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN"))
