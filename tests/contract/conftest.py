"""Both databases, freshly migrated for each test, and records to store in them."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from store_rows import NOW, Rows

from adapters.store.migrate import upgrade
from adapters.store.store import SqlStore, open_store
from adapters.store.tables import metadata
from core.records import Item, NewItem, Session
from core.texts import text_hash
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.sqlite"
    store = open_store(f"sqlite:///{path}")
    upgrade(store.engine)
    store.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Iterator[tuple[str, Callable[[], None]]]:
    """The URL of a migrated database, and how to empty it."""
    url = postgres.create()
    store = open_store(url)
    upgrade(store.engine)

    def clear() -> None:
        with store.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))

    yield url, clear
    store.close()


DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database."""
    if request.param == "postgresql":
        url, clear = request.getfixturevalue("migrated_postgres")
        clear()
        return url
    shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "store.sqlite")
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").create()
    return f"sqlite:///{tmp_path}/empty.sqlite"


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def session(store: SqlStore, rows: Rows) -> Session:
    """An open session that is stored."""
    made = rows.session()
    with store.write() as tx:
        tx.sessions.add(made)
    return made


@pytest.fixture
def fill(store: SqlStore) -> Callable[..., list[Item]]:
    """Adds items ``itm_<n>`` to a session, continuing where its positions end."""

    def add(session: Session, *new: NewItem, prefix: str = "itm") -> list[Item]:
        with store.write() as tx:
            first = tx.items.next_position(session.id)
            pairs = [(f"{prefix}_{first + n}", item) for n, item in enumerate(new)]
            hashes = [text_hash(item.text) for item in new]
            return list(tx.items.add_many(session, pairs, text_hashes=hashes, now=NOW))

    return add


@pytest.fixture
def pool(session: Session, fill: Callable[..., list[Item]]) -> list[Item]:
    """Four pool items, a test item and a reserve item, the last two and one more with gold."""
    return fill(
        session,
        NewItem(external_id="ext-0", text="Zero", metadata={"b": 1, "a": [1, 2]}),
        NewItem(external_id="ext-1", text="One", gold=("harm",), lang="en"),
        NewItem(external_id="ext-2", text="Zwölf ÄPFEL 100%"),
        NewItem(external_id="ext-3", text="Three"),
        NewItem(external_id="ext-4", text="Four", split="test", gold=("none",)),
        NewItem(external_id="ext-5", text="Five", split="reserve", gold=("harm", "none")),
    )


@pytest.fixture
def later() -> Callable[[float], datetime]:
    return lambda seconds: NOW + timedelta(seconds=seconds)


@pytest.fixture
def count_rows(store: SqlStore) -> Callable[[str, str], int]:
    """How many rows of a table name a session."""

    def count(table: str, session_id: str) -> int:
        counted = sa.text(f"SELECT count(*) FROM {table} WHERE session_id = :id")
        with store.engine.connect() as connection:
            return connection.execute(counted, {"id": session_id}).scalar_one()

    return count
