from datetime import UTC, datetime

import pytest

from adapters.jobs.inline import InlineJobs
from core.errors import Cancelled, Conflict, FieldError, InvalidInput, JobFailed
from core.records import Operation, Progress


def operation(id: str) -> Operation:
    return Operation(
        id=id,
        tenant_id="ten_1",
        session_id="ses_1",
        kind="index",
        state="queued",
        input={},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


class Power:
    """Something a job does, that fails while it is cut."""

    def __init__(self):
        self.cut = True
        self.used = []

    def use(self, name):
        self.used.append(name)
        return name

    def crash_if_cut(self):
        if self.cut:
            raise KeyboardInterrupt


def test_an_operation_runs_when_it_is_enqueued():
    seen = []
    InlineJobs(lambda op, job: seen.append((op, job.operation_id))).enqueue(operation("op_1"))
    assert seen == [("op_1", "op_1")]


def test_deferred_operations_run_on_demand_in_order():
    seen = []
    jobs = InlineJobs(lambda op, job: seen.append(op), deferred=True)
    jobs.enqueue(operation("op_1"))
    jobs.enqueue(operation("op_2"))
    jobs.enqueue(operation("op_1"))
    assert seen == []
    assert jobs.run_waiting() == 2
    assert seen == ["op_1", "op_2"]


def test_the_same_id_again_is_a_no_op():
    seen = []
    jobs = InlineJobs(lambda op, job: seen.append(op))
    jobs.enqueue(operation("op_1"))
    jobs.enqueue(operation("op_1"))
    assert seen == ["op_1"]


def test_after_a_crash_recorded_steps_are_not_run_again():
    power = Power()

    def run(id, job):
        job.step("first", lambda: power.use("first"))
        power.crash_if_cut()
        job.step("second", lambda: power.use("second"))

    jobs = InlineJobs(run)
    with pytest.raises(KeyboardInterrupt):
        jobs.enqueue(operation("op_1"))
    power.cut = False
    jobs.enqueue(operation("op_1"))
    assert power.used == ["first", "second"]


def test_a_step_answers_what_a_replay_would_answer():
    answers = []
    jobs = InlineJobs(lambda op, job: answers.append(job.step("s", lambda: {"pair": (1, 2)})))
    jobs.enqueue(operation("op_1"))
    assert answers == [{"pair": [1, 2]}]


def test_steps_in_another_order_than_before_the_crash_are_refused():
    names = iter(["before", "after"])
    power = Power()

    def run(id, job):
        job.step(next(names), lambda: None)
        power.crash_if_cut()

    jobs = InlineJobs(run)
    with pytest.raises(KeyboardInterrupt):
        jobs.enqueue(operation("op_1"))
    with pytest.raises(RuntimeError, match="was 'before' before the crash"):
        jobs.enqueue(operation("op_1"))


def test_a_failed_step_fails_the_same_way_after_a_crash():
    power = Power()
    caught = []

    def refuse():
        raise Conflict("no money left", code="budget-exceeded", extras={"dollars": 2})

    def run(id, job):
        try:
            job.step("pay", refuse)
        except Conflict as error:
            caught.append((error.code, error.detail, error.extras))
        power.crash_if_cut()

    jobs = InlineJobs(run)
    with pytest.raises(KeyboardInterrupt):
        jobs.enqueue(operation("op_1"))
    power.cut = False
    jobs.enqueue(operation("op_1"))
    assert caught == [("budget-exceeded", "no money left", {"dollars": 2})] * 2


def test_field_errors_survive_a_replay():
    power = Power()
    caught = []

    def refuse():
        raise InvalidInput.at("/text", "the text is empty", code="empty-text")

    def run(id, job):
        try:
            job.step("check", refuse)
        except InvalidInput as error:
            caught.append(error.errors)
        power.crash_if_cut()

    jobs = InlineJobs(run)
    with pytest.raises(KeyboardInterrupt):
        jobs.enqueue(operation("op_1"))
    power.cut = False
    jobs.enqueue(operation("op_1"))
    expected = (FieldError(pointer="/text", code="empty-text", detail="the text is empty"),)
    assert caught == [expected, expected]


def test_an_unexpected_exception_is_replayed_by_its_class_name_only():
    power = Power()
    caught = []

    def run(id, job):
        try:
            job.step("break", lambda: int("canary"))
        except (ValueError, JobFailed) as error:
            caught.append(error)
        power.crash_if_cut()

    jobs = InlineJobs(run)
    with pytest.raises(KeyboardInterrupt):
        jobs.enqueue(operation("op_1"))
    power.cut = False
    jobs.enqueue(operation("op_1"))
    first, replayed = caught
    assert isinstance(first, ValueError)
    assert (replayed.code, replayed.detail) == ("internal", "ValueError")


def test_a_cancelled_operation_stops_before_its_next_step():
    cancelled = set()

    def run(id, job):
        job.step("first", lambda: cancelled.add(id))
        with pytest.raises(Cancelled):
            job.step("second", lambda: pytest.fail("ran"))

    InlineJobs(run, cancelled=cancelled.__contains__).enqueue(operation("op_1"))
    assert cancelled == {"op_1"}


def test_progress_is_published():
    published = []
    jobs = InlineJobs(
        lambda op, job: job.progress("fit", 3, 5), publish=lambda *call: published.append(call)
    )
    jobs.enqueue(operation("op_1"))
    assert published == [("op_1", Progress(phase="fit", done=3, total=5))]
