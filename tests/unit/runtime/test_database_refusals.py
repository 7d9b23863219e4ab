"""Refusals of ``tailwise db`` and of a start name the database, its fault and the way out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.store.migrate import upgrade
from adapters.store.store import open_store
from core.errors import InvalidInput, NotFound, NotInstalled, TailwiseError, Unavailable
from runtime import database
from runtime.settings import load_settings

NOWHERE = "postgresql://someone:hidden@127.0.0.1:1/tailwise"


@pytest.fixture
def good(tmp_path: Path) -> str:
    """The URL of a database with this version's tables."""
    url = f"sqlite:///{tmp_path}/good.sqlite"
    store = open_store(url)
    upgrade(store.engine)
    store.close()
    return url


def at_revision(url: str, name: str | None) -> str:
    """The database as another version would leave it; None: without any tables known to it."""
    store = open_store(url)
    with store.engine.connect().execution_options(tailwise_writes=True) as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
        if name is not None:
            connection.execute(sa.text("INSERT INTO alembic_version VALUES (:n)"), {"n": name})
        connection.commit()
    store.close()
    return url


def refusal(source: str, target: str) -> TailwiseError:
    with pytest.raises(TailwiseError) as refused:
        database.migrate_from(source, target, progress=lambda _table, _rows: None)
    return refused.value


def test_a_source_that_is_not_there_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    source, target = (f"sqlite:///{tmp_path}/{name}/app.sqlite" for name in ("typo", "new"))
    refused = refusal(source, target)
    assert isinstance(refused, NotFound)
    assert refused.code == "source-missing"
    assert refused.detail.startswith(f"the source database {source}: there is no such file")
    assert "app.sqlite of a stopped server" in refused.detail
    assert list(tmp_path.iterdir()) == []


def test_an_empty_source_is_told_from_an_old_one_and_the_target_is_not_made(
    tmp_path: Path, good: str
) -> None:
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    target = tmp_path / "new.sqlite"
    missing = refusal(f"sqlite:///{empty}", f"sqlite:///{target}")
    older = refusal(at_revision(good, "0001"), f"sqlite:///{target}")
    assert (missing.code, older.code) == ("database-outdated",) * 2
    assert f"the source database sqlite:///{empty}: its tables are missing" in missing.detail
    assert f"the source database {good}: its tables are older" in older.detail
    assert "TAILWISE_DATABASE_URL set to it" in older.detail
    assert not target.exists()


@pytest.mark.parametrize("role", ["source", "target"])
def test_a_newer_database_is_named_by_its_role(tmp_path: Path, good: str, role: str) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(Path(sa.make_url(good).database or "").read_bytes())
    newer = at_revision(f"sqlite:///{other}", "9999")
    refused = refusal(*((newer, good) if role == "source" else (good, newer)))
    assert isinstance(refused, NotInstalled)
    assert refused.code == "database-newer"
    assert refused.detail.startswith(f"the {role} database {newer}: it was migrated by a later")


@pytest.mark.parametrize("role", ["source", "target"])
def test_what_is_no_database_url_is_named_by_its_role(good: str, role: str) -> None:
    for wrong in ("nonsense", "mysql://host/name"):
        refused = refusal(*((wrong, good) if role == "source" else (good, wrong)))
        assert isinstance(refused, InvalidInput)
        assert refused.detail.startswith(f"the {role} database")
        assert "sqlite:/// or postgresql://" in refused.detail


def test_a_file_that_is_no_database_is_named_with_what_is_wrong(tmp_path: Path, good: str) -> None:
    text = tmp_path / "notes.sqlite"
    text.write_text("these are notes, and no database at all" * 100)
    refused = refusal(f"sqlite:///{text}", good)
    assert isinstance(refused, Unavailable)
    assert (refused.code, refused.detail) == (
        "database-unusable",
        f"the source database sqlite:///{text} cannot be used: file is not a database",
    )


def test_a_server_that_does_not_answer_is_named_without_its_password(good: str) -> None:
    pytest.importorskip("psycopg")
    refused = refusal(good, NOWHERE)
    assert refused.code == "database-unusable"
    assert "the target database postgresql://someone:***@127.0.0.1:1/tailwise" in refused.detail
    assert "hidden" not in refused.detail
    assert "\n" not in refused.detail


def test_a_start_and_an_upgrade_name_the_database_that_cannot_be_reached(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    settings = load_settings({"TAILWISE_DATA_DIR": str(tmp_path), "TAILWISE_DATABASE_URL": NOWHERE})
    for command in (database.prepare, database.upgrade):
        with pytest.raises(Unavailable) as refused:
            command(settings)
        assert refused.value.detail.startswith("the service's database postgresql://someone:***@")


def test_a_start_on_a_newer_database_is_refused_with_the_way_out(good: str, tmp_path: Path) -> None:
    url = at_revision(good, "9999")
    settings = load_settings({"TAILWISE_DATA_DIR": str(tmp_path), "TAILWISE_DATABASE_URL": url})
    with pytest.raises(NotInstalled) as refused:
        database.prepare(settings)
    assert refused.value.code == "database-newer"
    assert url in refused.value.detail
    assert "restore the backup" in refused.value.detail


def test_postgresql_without_its_extra_names_the_extra(
    good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    refused = refusal(good, NOWHERE)
    assert isinstance(refused, NotInstalled)
    assert "pip install 'tailwise[postgres]'" in refused.detail
