"""What several files of tests with a browser, or with two kinds of database, share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.e2e.console_stage import Stage, serving_console
from tests.e2e.databases import KINDS, Database, made


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A service behind a real server, and a browser; one per file."""
    with serving_console(tmp_path_factory.mktemp("console")) as stage:
        yield stage


@pytest.fixture
def stage(console: Stage) -> Iterator[Stage]:
    """The stage; afterwards nothing surprising has happened in any tab, and all are closed."""
    yield console
    surprises = [found for tab in console.tabs for found in tab.surprises]
    for tab in console.tabs:
        tab.context.close()
    console.tabs.clear()
    assert surprises == []


@pytest.fixture(scope="module")
def fresh_database(request: pytest.FixtureRequest) -> Callable[[str], Database]:
    """Makes a database of a kind."""
    return partial(made, postgres=lambda: request.getfixturevalue("postgres"))


@pytest.fixture(scope="module", params=KINDS)
def database(request: pytest.FixtureRequest, fresh_database: Callable[[str], Database]) -> Database:
    """One database per kind and file of tests."""
    return fresh_database(request.param)
