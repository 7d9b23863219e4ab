"""What many tests share: a whole service in one process, over real storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.jobs.inline import InlineJobs
from runtime.execution import execute
from runtime.settings import load_settings
from runtime.tailwise import Tailwise
from runtime.wiring import build
from tests.postgres import Postgres, serving_postgres


def build_inline(data_dir: Path, **settings: object) -> Tailwise:
    """A service on SQLite in ``data_dir`` whose operations run when they are submitted."""
    from adapters.store.migrate import upgrade
    from adapters.store.store import open_store

    made: dict[str, Any] = {}

    def run(operation_id: str, job: Any) -> None:
        execute(operation_id, job, services=made["tailwise"])

    def cancelled(operation_id: str) -> bool:
        with made["tailwise"].store.read() as tx:
            return tx.operations.cancel_requested(operation_id)

    environment = {"TAILWISE_DATA_DIR": str(data_dir)}
    configured = load_settings(environment, overrides=settings)
    data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(open_store(configured.database_url).engine)
    jobs = InlineJobs(run, cancelled=cancelled)
    made["tailwise"] = build(configured, role="inline", jobs=jobs)
    return made["tailwise"]


@pytest.fixture
def tailwise(tmp_path: Path) -> Iterator[Tailwise]:
    """A fresh inline service; its database is closed afterwards."""
    service = build_inline(tmp_path / "data")
    with service.store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=service.clock.now())
        tx.access.ensure_tenant("ten_b", name="B", now=service.clock.now())
    yield service
    service.store.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests of this process, started when first asked for."""
    with serving_postgres() as running:
        yield running
