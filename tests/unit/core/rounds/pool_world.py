"""A session over a real SQLite store, for the tests of rows going in and out."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

from adapters.files import FileReader
from adapters.store.migrate import upgrade
from adapters.store.store import SqlStore, open_store
from core.errors import Cancelled, InvalidInput
from core.records import (
    Batch,
    BatchItem,
    LabelClass,
    LabelEvent,
    NewItem,
    Operation,
    Page,
    Pick,
    Session,
    SessionSettings,
    Task,
)
from core.requests import ImportRequest
from core.rounds.imports import run_import, start_import

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class TickingClock:
    """One second later at every look."""

    def __init__(self) -> None:
        self._seconds = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(seconds=next(self._seconds))


class CountingIds:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):08d}"


class MemoryBlobs:
    """Content-addressed bytes in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.held[digest] = data
        return digest

    def put_stream(self, chunks: Iterable[bytes], *, limit: int | None = None) -> tuple[str, int]:
        data = b""
        for chunk in chunks:
            data += chunk
            if limit is not None and len(data) > limit:
                raise InvalidInput("too large", code="payload-too-large", extras={"limit": limit})
        return self.put(data), len(data)

    def open(self, digest: str) -> BinaryIO:
        return io.BytesIO(self.held[digest])

    def delete(self, digest: str) -> None:
        self.held.pop(digest, None)


class QueuedJobs:
    """Remembers what was handed over; runs nothing."""

    def __init__(self) -> None:
        self.enqueued: list[Operation] = []

    def enqueue(self, operation: Operation) -> None:
        self.enqueued.append(operation)

    def cancel(self, operation_id: str) -> None: ...

    def forget(self, operation_ids: Sequence[str]) -> int:
        return len(operation_ids)


class Crash(BaseException):
    """The process dies: nothing below the worker may catch it."""


class DurableJob:
    """Step answers outlast the run; dies at the ``crash_at``-th moment of a step's life.

    Each step has three moments: before its work, after its work but before its answer is
    written down, and after that.
    """

    operation_id = "op"

    def __init__(
        self,
        records: dict[str, str] | None = None,
        *,
        crash_at: int | None = None,
        cancel_after: int | None = None,
    ) -> None:
        self.records = {} if records is None else records
        self.seen: list[tuple[str, int, int]] = []
        self.moments = 0
        self._crash_at = crash_at
        self._cancel_after = cancel_after

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        if name not in self.records:
            self._moment()
            answer = json.dumps(work())
            self._moment()
            self.records[name] = answer
            self._moment()
        return json.loads(self.records[name])

    def progress(self, phase: str, done: int, total: int) -> None:
        self.seen.append((phase, done, total))

    def check(self) -> None:
        if self._cancel_after is not None and len(self.records) >= self._cancel_after:
            raise Cancelled("asked to stop")

    def _moment(self) -> None:
        if self.moments == self._crash_at:
            raise Crash
        self.moments += 1


@dataclass
class World:
    """Everything a verb asks for, and short ways to call the import."""

    store: SqlStore
    session: Session
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    jobs: QueuedJobs = field(default_factory=QueuedJobs)
    clock: TickingClock = field(default_factory=TickingClock)
    ids: CountingIds = field(default_factory=CountingIds)
    reader: FileReader = field(default_factory=FileReader)

    @property
    def tools(self) -> dict[str, Any]:
        return {"store": self.store, "jobs": self.jobs, "clock": self.clock, "ids": self.ids}

    def now(self) -> Session:
        with self.store.read() as tx:
            return tx.sessions.get(self.session.tenant_id, self.session.id)

    def items(self) -> list[Any]:
        with self.store.read() as tx:
            return list(tx.items.list(self.session.id, Page(limit=100_000)))

    def gold(self) -> dict[str, Any]:
        with self.store.read() as tx:
            found = tx.items.gold(self.session.id, [item.id for item in self.items()])
        return {item.external_id: found.get(item.id) for item in self.items()}

    def events(self, *types: str) -> list[Any]:
        with self.store.read() as tx:
            return list(tx.events.list(self.session.id, after=0, limit=10_000, types=types))

    def operations(self, kind: str) -> list[Operation]:
        with self.store.read() as tx:
            found = tx.operations.list(self.session.tenant_id, Page(limit=1000), kind=kind)
        return list(found)

    def start(self, data: bytes, request: ImportRequest, **changes: Any) -> Operation:
        given = {"request_key": None, "max_bytes": 1 << 30, **changes}
        chunks = (data[i : i + 4096] for i in range(0, len(data), 4096))
        return start_import(
            self.session,
            chunks,
            request,
            reader=self.reader,
            blobs=self.blobs,
            **self.tools,
            **given,
        )

    def run(self, operation: Operation, job: DurableJob | None = None) -> Any:
        return run_import(
            operation,
            self.session,
            job=job or DurableJob(),
            reader=self.reader,
            blobs=self.blobs,
            **self.tools,
        )

    def bring(self, data: bytes, request: ImportRequest) -> Any:
        return self.run(self.start(data, request))

    def select(self, *item_ids: str, state: str = "open") -> None:
        """A batch that holds these items."""
        with self.store.write() as tx:
            items = tx.items.by_ids(self.session.id, item_ids)
            tx.batches.add(_batch(self.session, self.ids.new("bat"), items.values(), state=state))
            if state == "open":
                tx.items.set_state(self.session.id, list(item_ids), "selected")

    def label(self, item_id: str, class_id: str, *, seq: int, kind: str = "created") -> None:
        event = _label(self.session, self.ids.new("lab"), item_id, class_id, seq=seq, kind=kind)
        with self.store.write() as tx:
            tx.labels.add_many([event])
            tx.items.set_labels(self.session.id, {item_id: ((class_id,), "resolved")})


@cache
def _migrated() -> bytes:
    """An empty database with the schema: migrating takes longer than most tests."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "app.sqlite"
        store = open_store(f"sqlite:///{path}")
        upgrade(store.engine)
        store.close()
        return path.read_bytes()


def label_often(world: World, item_id: str, *, times: int) -> None:
    """As many label events, in one transaction."""
    events = [
        _label(world.session, world.ids.new("lab"), item_id, "spam", seq=seq, kind="created")
        for seq in range(1, times + 1)
    ]
    with world.store.write() as tx:
        tx.labels.add_many(events)


def make_world(
    directory: Path,
    *,
    classes: tuple[str, ...] = ("spam", "ham", "other"),
    kind: Literal["single", "multi"] = "single",
) -> World:
    path = directory / "app.sqlite"
    path.write_bytes(_migrated())
    store = open_store(f"sqlite:///{path}")
    session = Session(
        id="ses_1",
        tenant_id="ten_1",
        name="a session",
        task=Task(classes=tuple(LabelClass(id=c, name=c) for c in classes), kind=kind),
        guidelines="",
        guidelines_version=1,
        settings=SessionSettings(),
        state="draft",
        revision=1,
        created_at=START,
        updated_at=START,
    )
    with store.write() as tx:
        tx.access.ensure_tenant("ten_1", name="one", now=START)
        tx.sessions.add(session)
    return World(store=store, session=session)


def close_session(world: World) -> None:
    with world.store.write() as tx:
        closed = replace(world.now(), state="closed", revision=world.now().revision + 1)
        tx.sessions.save(closed, expected_revision=closed.revision - 1)


def row(name: str, text: str | None = None, **changes: Any) -> NewItem:
    return NewItem(external_id=name, text=text or f"the text of {name}", **changes)


def _batch(session: Session, id: str, items: Iterable[Any], *, state: str) -> Batch:
    picks = tuple(
        BatchItem(
            item_id=item.id,
            external_id=item.external_id,
            pick=Pick(position=item.position, cluster=0, score=0.0, rank=rank, strategy="random"),
        )
        for rank, item in enumerate(items)
    )
    return Batch(
        id=id,
        tenant_id=session.tenant_id,
        session_id=session.id,
        round=1,
        state=state,  # type: ignore[arg-type]
        strategy="random",
        strategy_used="random",
        seed=0,
        index_id="idx_1",
        model_id=None,
        requested=len(picks),
        shortfall=0,
        shortfall_reason=None,
        items=picks,
        created_at=START,
    )


def _label(
    session: Session, id: str, item_id: str, class_id: str, *, seq: int, kind: str
) -> LabelEvent:
    return LabelEvent(
        id=id,
        tenant_id=session.tenant_id,
        session_id=session.id,
        item_id=item_id,
        seq=seq,
        kind=kind,  # type: ignore[arg-type]
        labels=(class_id,),
        oracle="human",
        annotator_id="ann_1",
        client_label_id=None,
        batch_id=None,
        target_id=None,
        guidelines_version=1,
        note=None,
        duration_ms=None,
        status="on_time",
        created_at=START,
    )
