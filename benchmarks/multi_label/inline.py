"""The whole service in this process over a temporary folder, for the time of a study."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.jobs.inline import InlineJobs
from adapters.store.migrate import upgrade
from adapters.store.store import open_store
from core.errors import JobFailed
from core.ports import Job
from core.records import Operation
from runtime.execution import execute
from runtime.settings import Settings
from runtime.tailwise import Tailwise
from runtime.wiring import build

TENANT = "ten_study"
"""One tenant for all sessions: its vector cache is what encodes every text once."""


@contextmanager
def inline_service(settings: Settings) -> Iterator[Tailwise]:
    """A service on SQLite in a folder that is gone afterwards; operations run when submitted.

    Of ``settings`` only what finds the encoder is kept: no database, no blobs, no keys.
    """
    with tempfile.TemporaryDirectory(prefix="tailwise-study-") as folder:
        made: dict[str, Any] = {}

        def run(operation_id: str, job: Job) -> None:
            execute(operation_id, job, services=made["service"])

        private = _private(settings, folder=Path(folder))
        store = open_store(private.database_url)
        upgrade(store.engine)
        store.close()
        service = build(private, role="inline", jobs=InlineJobs(run))
        made["service"] = service
        with service.store.write() as tx:
            tx.access.ensure_tenant(TENANT, name="study", now=service.clock.now())
        try:
            yield service
        finally:
            service.store.close()  # type: ignore[attr-defined]


def finished(service: Tailwise, operation_id: str) -> Operation:
    """The operation, which has run; raises JobFailed with its reason unless it succeeded."""
    operation = service.wait(TENANT, operation_id, seconds=0)
    if operation.state != "succeeded":
        error = operation.error or {}
        detail = f"{operation.kind}: {error.get('detail', operation.state)}"
        raise JobFailed(detail, code=error.get("code", "job-failed"))
    return operation


def _private(settings: Settings, *, folder: Path) -> Settings:
    return replace(
        settings,
        data_dir=folder,
        database_url="",
        jobs_url="",
        blobs_url="",
        anthropic_api_key="",
        allow_gold_oracle=True,
    )
