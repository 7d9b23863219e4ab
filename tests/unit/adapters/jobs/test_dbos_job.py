import threading
from datetime import UTC, datetime

import pytest

from adapters.jobs.dbos_jobs import DbosJobs
from adapters.jobs.dbos_worker import DbosJob, Interrupted, migrate_jobs
from adapters.store.engine import make_jobs_engine
from core.errors import Cancelled
from core.records import Operation

OPERATION = Operation(
    id="op_1",
    tenant_id="ten_1",
    session_id="ses_1",
    kind="index",
    state="queued",
    input={},
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


class Bench:
    """A job whose time, cancellation and stop signal the test sets."""

    def __init__(self):
        self.now = 100.0
        self.cancelled = False
        self.asked = 0
        self.published = []
        self.stopping = threading.Event()
        self.job = DbosJob(
            "op_1",
            publish=lambda _id, p: self.published.append((p.phase, p.done)),
            cancelled=self._is_cancelled,
            stopping=self.stopping,
            monotonic=lambda: self.now,
        )

    def _is_cancelled(self, _id):
        self.asked += 1
        return self.cancelled


def test_progress_is_published_at_most_four_times_a_second():
    bench = Bench()
    for done in range(1, 100):
        bench.job.progress("embed", done, 1000)
        bench.now += 0.0125
    assert len(bench.published) == 5


def test_a_new_phase_and_the_end_of_one_are_always_published():
    bench = Bench()
    bench.job.progress("embed", 1, 3)
    bench.job.progress("embed", 2, 3)
    bench.job.progress("embed", 3, 3)
    bench.job.progress("cluster", 0, 1)
    assert bench.published == [("embed", 1), ("embed", 3), ("cluster", 0)]


def test_a_check_after_the_cancellation_raises():
    bench = Bench()
    bench.job.check()
    bench.cancelled = True
    bench.now += 1
    with pytest.raises(Cancelled):
        bench.job.check()


def test_checks_in_a_tight_loop_ask_the_database_rarely():
    bench = Bench()
    for _ in range(1000):
        bench.job.check()
    assert bench.asked == 1


def test_a_check_while_the_worker_stops_unwinds_the_job_without_an_outcome():
    bench = Bench()
    bench.stopping.set()
    with pytest.raises(Interrupted):
        bench.job.check()
    assert not issubclass(Interrupted, Exception)


def test_a_step_outside_the_jobs_own_thread_is_refused():
    bench = Bench()
    with pytest.raises(RuntimeError, match="own thread"):
        bench.job.step("lost", lambda: None)


def test_an_operation_outlives_a_queue_that_no_worker_has_made_yet(tmp_path):
    engine = make_jobs_engine(f"sqlite:///{tmp_path}/jobs.sqlite")
    jobs = DbosJobs(engine)
    jobs.enqueue(OPERATION)
    migrate_jobs(engine)
    jobs.enqueue(OPERATION)
    assert jobs.forget([OPERATION.id]) == 1
    jobs.close()
    engine.dispose()
