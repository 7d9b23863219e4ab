from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import DatabaseError

from adapters.jobs.inline import InlineJobs
from core.errors import STORE_BUSY, Cancelled, Conflict, InvalidInput, NotFound, Unavailable
from core.records import Operation
from runtime.execution import execute, sweep

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Memory:
    """The operations and events of a store, in memory."""

    def __init__(self, *operations: Operation) -> None:
        self.rows = {o.id: o for o in operations}
        self.events = SimpleNamespace(add=self._event)
        self.operations = self
        self.happened: list[tuple[str, str]] = []
        self.full = False

    @contextmanager
    def read(self):
        yield self

    write = read

    def get(self, tenant_id, operation_id):
        return self.rows[operation_id]

    def start(self, operation_id, *, now):
        if operation_id not in self.rows:
            raise NotFound("no such operation", code="unknown-operation")
        row = self.rows[operation_id]
        if not row.done:
            row = replace(row, state="running", attempt=row.attempt + 1, started_at=now)
            self.rows[operation_id] = row
        return row

    def finish(self, operation_id, state, *, result, error, now):
        if self.full:
            raise OSError("disk full")
        row = self.rows[operation_id]
        self.rows[operation_id] = replace(row, state=state, result=result, error=error)

    def cancel_requested(self, operation_id):
        return self.rows[operation_id].cancel_requested

    def queued(self, *, limit=100):
        return [o for o in self.rows.values() if o.state == "queued"]

    def _event(self, *, tenant_id, session_id, type, data, now):
        self.happened.append((type, data["operation_id"]))


def operation(**changes) -> Operation:
    row = Operation(
        id="op_1",
        tenant_id="ten_1",
        session_id="ses_1",
        kind="index",
        state="queued",
        input={},
        created_at=NOW,
    )
    return replace(row, **changes)


def run(store, task):
    """Execute the stored operation with ``task`` as what its kind does; the row afterwards."""
    clock = SimpleNamespace(now=lambda: NOW)
    services = SimpleNamespace(store=store, clock=clock)
    tasks = dict.fromkeys(("index", "delete"), task)
    jobs = InlineJobs(
        lambda op, job: execute(op, job, services=services, tasks=tasks),
        cancelled=store.cancel_requested,
    )
    jobs.enqueue(operation())
    return store.rows.get("op_1")


def test_what_a_task_returns_is_the_operations_result():
    row = run(Memory(operation()), lambda services, operation, job: {"rows": 3})
    assert (row.state, row.result, row.error, row.attempt) == ("succeeded", {"rows": 3}, None, 1)


def test_a_refusal_is_stored_as_a_problem():
    def refuse(services, operation, job):
        raise Conflict("there is one class only", code="one-class", extras={"present": ["a"]})

    row = run(Memory(operation()), refuse)
    assert row.state == "failed"
    assert row.error == {
        "code": "one-class",
        "detail": "there is one class only",
        "extras": {"present": ["a"]},
    }


def test_refused_fields_are_part_of_the_problem():
    def refuse(services, operation, job):
        raise InvalidInput.at("/text", "empty", code="empty-text")

    row = run(Memory(operation()), refuse)
    assert row.error["errors"] == [{"pointer": "/text", "code": "empty-text", "detail": "empty"}]


def test_an_unexpected_exception_leaves_only_its_class_name(capsys):
    def break_down(services, operation, job):
        raise ValueError("canary")

    row = run(Memory(operation()), break_down)
    assert (row.state, row.error["code"]) == ("failed", "internal")
    assert row.error["detail"] == "unexpected ValueError"
    assert "canary" not in str(row.error) + str(capsys.readouterr())


def test_a_database_that_went_away_ends_nothing_and_whoever_runs_it_is_told():
    def lose(services, operation, job):
        raise Unavailable("the database cannot be used for now", code=STORE_BUSY)

    store = Memory(operation())
    with pytest.raises(Unavailable):
        run(store, lose)
    assert (store.rows["op_1"].state, store.happened) == ("running", [])


def test_a_full_disk_under_a_database_is_named():
    driver = SimpleNamespace(sqlite_errorname="SQLITE_FULL")

    def fill(services, operation, job):
        raise DatabaseError("INSERT", {}, driver)

    assert run(Memory(operation()), fill).error["code"] == "disk-full"


def test_a_cancelled_task_ends_cancelled():
    def cancel(services, operation, job):
        raise Cancelled("asked to stop")

    row = run(Memory(operation()), cancel)
    assert (row.state, row.error["code"]) == ("cancelled", "cancelled")


def test_an_operation_cancelled_before_its_start_never_runs():
    store = Memory(operation(cancel_requested=True))
    row = run(store, lambda services, operation, job: pytest.fail("ran"))
    assert row.state == "cancelled"


def test_a_finished_operation_is_left_alone():
    store = Memory(operation(state="succeeded", result={"rows": 1}))
    row = run(store, lambda services, operation, job: pytest.fail("ran"))
    assert row.result == {"rows": 1}
    assert store.happened == []


def test_a_purged_operation_is_ignored():
    store = Memory()
    assert run(store, lambda services, operation, job: pytest.fail("ran")) is None


def test_an_operation_that_lost_its_worker_five_times_is_given_up():
    store = Memory(operation(state="running", attempt=5))
    row = run(store, lambda services, operation, job: pytest.fail("ran"))
    assert (row.state, row.error["code"]) == ("failed", "worker-lost")


def test_the_fifth_attempt_still_runs():
    store = Memory(operation(state="running", attempt=4))
    row = run(store, lambda services, operation, job: {})
    assert (row.state, row.attempt) == ("succeeded", 5)


def test_an_ending_and_its_event_are_written_together():
    store = Memory(operation())
    run(store, lambda services, operation, job: {})
    assert store.happened == [("operation.succeeded", "op_1")]


def test_a_deleted_session_gets_no_event():
    store = Memory(operation(kind="delete"))
    run(store, lambda services, operation, job: {})
    assert store.happened == []


def test_an_ending_that_cannot_be_stored_is_not_swallowed():
    store = Memory(operation())
    store.full = True
    with pytest.raises(OSError, match="disk full"):
        run(store, lambda services, operation, job: {})
    assert store.rows["op_1"].state == "running"


def test_the_sweep_enqueues_what_waits_for_more_than_two_seconds():
    store = Memory(
        operation(id="op_old"), operation(id="op_new", created_at=NOW + timedelta(seconds=9))
    )
    enqueued = []
    jobs = SimpleNamespace(enqueue=lambda operation: enqueued.append(operation.id))
    assert sweep(store=store, jobs=jobs, now=NOW + timedelta(seconds=10)) == 1
    assert enqueued == ["op_old"]


def test_the_sweep_ends_what_was_cancelled_while_it_waited():
    store = Memory(operation(cancel_requested=True))
    jobs = SimpleNamespace(enqueue=lambda operation: pytest.fail("enqueued"))
    sweep(store=store, jobs=jobs, now=NOW + timedelta(seconds=10))
    assert store.rows["op_1"].state == "cancelled"
