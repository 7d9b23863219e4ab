"""One server for the pages of a file that need no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.running import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """``tailwise serve`` and what it printed."""
    with running(tmp_path_factory.mktemp("served") / "data") as found:
        yield found
