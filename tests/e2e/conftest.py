"""What several files of browser tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.console_stage import Stage, serving_console


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
