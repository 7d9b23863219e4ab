"""The migrations make what the tables say, and versions that do not fit are refused."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from adapters.store.engine import writing
from adapters.store.migrate import check, upgrade
from adapters.store.store import open_store
from adapters.store.tables import metadata
from core.errors import NotInstalled


@pytest.fixture
def empty(empty_url):
    store = open_store(empty_url)
    yield store.engine
    store.close()


def set_revision(engine, revision):
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def test_the_migrations_make_the_tables_of_the_metadata(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_partial_indexes_are_the_same_on_both_sides(store):
    with store.engine.connect() as connection:
        inspector = sa.inspect(connection)
        made = {i["name"]: i for t in ("items", "models") for i in inspector.get_indexes(t)}
    dialect = store.engine.dialect.name
    assert "indexed" in str(made["ix_items_unindexed"]["dialect_options"][f"{dialect}_where"])
    assert "active" in str(made["uq_models_active"]["dialect_options"][f"{dialect}_where"])


def test_an_empty_database_is_refused_until_it_is_upgraded(empty):
    with pytest.raises(NotInstalled) as refused:
        check(empty)
    assert refused.value.code == "database-outdated"
    assert "tailwise db upgrade" in refused.value.detail
    upgrade(empty)
    check(empty)


def test_upgrading_again_keeps_what_is_stored(store, session):
    upgrade(store.engine)
    with store.read() as tx:
        assert tx.sessions.get("ten_a", "ses_1") == session


@pytest.mark.parametrize("ask", [check, upgrade])
def test_a_newer_database_is_refused(empty, ask):
    upgrade(empty)
    set_revision(empty, "9999")
    with pytest.raises(NotInstalled) as refused:
        ask(empty)
    assert refused.value.code == "database-newer"


def test_a_failed_upgrade_leaves_no_table(empty):
    with writing(empty) as connection:
        connection.exec_driver_sql("CREATE TABLE operations (id TEXT)")
    with pytest.raises(sa.exc.DBAPIError):
        upgrade(empty)
    with empty.connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) <= {"operations"}
