"""A service to measure: prepared in process, then served by the real program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.jobs.inline import InlineJobs
from core.access import mint_key
from runtime import database
from runtime.execution import execute
from runtime.settings import Settings, child_environ
from runtime.tailwise import Tailwise
from runtime.wiring import build

TENANT = "benchmark"


def prepared(settings: Settings) -> Tailwise:
    """A migrated service whose jobs run when asked (``jobs.run_waiting``)."""
    settings.data_dir.mkdir(exist_ok=True)
    database.prepare(settings)
    made: dict[str, Tailwise] = {}
    jobs = InlineJobs(lambda name, job: execute(name, job, services=made["it"]), deferred=True)
    made["it"] = build(settings, role="inline", jobs=jobs)
    with made["it"].store.write() as tx:
        tx.access.ensure_tenant(TENANT, name=TENANT, now=made["it"].clock.now())
    return made["it"]


def key(tailwise: Tailwise, scopes: Iterable[str]) -> tuple[str, str]:
    """The id and the token of a new key of the benchmark's tenant."""
    minted = mint_key(
        tenant_id=TENANT,
        name="benchmark",
        scopes=scopes,
        session_id=None,
        ids=tailwise.ids,
        now=tailwise.clock.now(),
    )
    with tailwise.store.write() as tx:
        tx.access.add_key(minted.key)
    return minted.key.id, minted.token


@contextmanager
def serving(settings: Settings, *, api_only: bool = True) -> Iterator[str]:
    """The URL of the service, run by its own command on a free port."""
    command = [sys.executable, "-P", "-m", "runtime.cli", "serve", "--port", "0"]
    server = subprocess.Popen(
        [*command, *(["--api-only"] if api_only else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=child_environ(settings, {}),
        cwd=Path(settings.data_dir),
    )
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if line.startswith("listening on "))
        yield line.removeprefix("listening on ").strip()
    finally:
        server.terminate()
        server.wait(timeout=60)
