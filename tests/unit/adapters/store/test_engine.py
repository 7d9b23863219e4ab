"""What an engine refuses and how its SQLite connections are set up."""

import pytest

from adapters.store.engine import make_engine, make_jobs_engine, reading, require_sqlite, writing
from core.errors import InvalidInput, NotInstalled


@pytest.fixture(params=[make_engine, make_jobs_engine])
def engine(request, tmp_path):
    made = request.param(f"sqlite:///{tmp_path}/new/folder/store.sqlite")
    yield made
    made.dispose()


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2)])
def test_a_sqlite_that_corrupts_databases_is_refused_with_its_cure(version):
    with pytest.raises(NotInstalled, match=r"pip install --upgrade 'pysqlite3"):
        require_sqlite(version)


def test_a_mended_sqlite_is_accepted():
    assert require_sqlite((3, 51, 3)) is None


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db"])
@pytest.mark.parametrize("make", [make_engine, make_jobs_engine])
def test_other_databases_are_refused(make, url):
    with pytest.raises(InvalidInput) as refused:
        make(url)
    assert refused.value.code == "invalid-database-url"


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_is_spoken_to_through_psycopg(scheme):
    assert make_engine(f"{scheme}://user@host/db").url.drivername == "postgresql+psycopg"


def test_secrets_of_statements_are_hidden(engine):
    assert engine.hide_parameters


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 30_000),
        ("secure_delete", 1),
    ],
)
def test_every_connection_is_set_up(engine, pragma, value):
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_a_writer_follows_a_reader_on_the_same_connection(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/store.sqlite", pool_size=1)
    with reading(engine) as connection:
        connection.exec_driver_sql("SELECT 1")
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE t (a)")
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
    engine.dispose()
