"""Imports into SQLite: rows a second against bare SQLite, and memory against the file's size."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pysqlite3

from adapters.blobs.files import FsspecBlobs
from adapters.files.reading import FileReader
from adapters.jobs.inline import InlineJobs
from adapters.store.migrate import upgrade
from adapters.store.store import SqlStore, open_store
from benchmarks.performance.table import Row, compare
from core.intake import TRANSACTION_ROWS
from core.ports import Job
from core.records import LabelClass, Session, SessionSettings, Task
from core.requests import ImportRequest
from core.rounds.imports import run_import, start_import
from runtime.clock import SystemClock, UlidIds

ROWS = 20_000
SMALL, LARGE = 10_000, 100_000
MEGABYTE = 1_000_000
REQUEST = ImportRequest(format="csv")


def run() -> list[Row]:
    """Both sides sync every transaction of 500 rows; ours reads the file twice and checks it."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        numbers = count()
        file = write_csv(root / "rows.csv", rows=ROWS)
        ours, reference = compare(
            lambda: import_file(file, root / f"ours-{next(numbers)}"),
            lambda: bare(root / f"bare-{next(numbers)}.sqlite"),
            repeats=3,
        )
        small, large = (
            peak(partial(import_file, write_csv(root / f"{n}.csv", rows=n), root / f"memory-{n}"))
            for n in (SMALL, LARGE)
        )
    return [
        Row(
            name=f"import a CSV of {ROWS:,} rows into SQLite",
            ours_seconds=ours,
            reference_seconds=reference,
            ratio=ours / reference,
            target="rows a second, no bound",
            note=f"{ROWS / ours:,.0f} rows/s; reference: executemany of ready rows",
        ),
        Row(
            name=f"memory of an import of {LARGE:,} rows",
            ours_seconds=0.0,
            target=f"as for {SMALL:,} rows",
            extra_mb=large / MEGABYTE,
            note=f"{small / MEGABYTE:.1f} MB for {SMALL:,} rows, {large / MEGABYTE:.1f} MB for"
            f" {LARGE:,} (Python's peak)",
        ),
    ]


def import_file(file: Path, directory: Path) -> None:
    """The whole way of an upload: to a blob, checked, decided, stored, its index queued."""
    directory.mkdir()
    blobs = FsspecBlobs(f"file://{directory / 'blobs'}")
    with fresh_store(directory) as (store, session):
        jobs = InlineJobs(lambda _id, _job: None)
        tools: dict[str, Any] = {
            "store": store,
            "clock": SystemClock(),
            "ids": UlidIds(),
            "blobs": blobs,
        }
        reader = FileReader()
        with file.open("rb") as stream:
            operation = start_import(
                session,
                iter(partial(stream.read, 65_536), b""),
                REQUEST,
                request_key=None,
                reader=reader,
                jobs=jobs,
                max_bytes=1 << 30,
                **tools,
            )

        def work(_id: str, job: Job) -> None:
            run_import(operation, session, job=job, reader=reader, jobs=jobs, **tools)

        InlineJobs(work).enqueue(operation)


def bare(path: Path) -> None:
    """The same columns and indexes, rows made beforehand in effect: no reading, no checks."""
    connection = pysqlite3.connect(str(path), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE items (id TEXT PRIMARY KEY, tenant_id TEXT, session_id TEXT,"
        " external_id TEXT, position INTEGER, text TEXT, text_hash TEXT, split TEXT, gold TEXT,"
        " UNIQUE (session_id, external_id), UNIQUE (session_id, position))"
    )
    connection.execute("CREATE INDEX by_hash ON items (session_id, text_hash)")
    insert = "INSERT INTO items VALUES (?, 't', 's', ?, ?, ?, ?, 'pool', 'spam')"
    for start in range(0, ROWS, TRANSACTION_ROWS):
        numbers = range(start, start + TRANSACTION_ROWS)
        rows = [(f"itm_{n:026}", f"r{n}", n, text(n), f"{n * 7919:064x}") for n in numbers]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows)
        connection.execute("COMMIT")
    connection.close()


def text(number: int) -> str:
    """One message of the file."""
    return f"message {number}: could you have a look at my account, it has been odd since Monday"


def write_csv(path: Path, *, rows: int) -> Path:
    """A file of ``rows`` messages of about 80 characters with ids and gold."""
    with path.open("w", encoding="utf-8") as file:
        file.write("external_id,text,gold\n")
        file.writelines(
            f'r{n},"{text(n)}",{"spam" if n % 9 == 0 else "ham"}\n' for n in range(rows)
        )
    return path


@contextmanager
def fresh_store(directory: Path) -> Iterator[tuple[SqlStore, Session]]:
    """An empty database with one session."""
    store = open_store(f"sqlite:///{directory / 'app.sqlite'}")
    upgrade(store.engine)
    now = SystemClock().now()
    session = Session(
        id="ses_1",
        tenant_id="ten_1",
        name="imports",
        task=Task(classes=tuple(LabelClass(id=name, name=name) for name in ("spam", "ham"))),
        guidelines="",
        guidelines_version=1,
        settings=SessionSettings(),
        state="draft",
        revision=1,
        created_at=now,
        updated_at=now,
    )
    with store.write() as tx:
        tx.access.ensure_tenant("ten_1", name="one", now=now)
        tx.sessions.add(session)
    yield store, session
    store.close()


def peak(work: Callable[[], None]) -> int:
    """Most bytes that Python held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
