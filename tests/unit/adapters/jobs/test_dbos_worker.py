from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.records import Operation


@pytest.fixture
def make():
    def operation(id: str, *, kind="index", session_id="ses_1") -> Operation:
        return Operation(
            id=id,
            tenant_id="ten_1",
            session_id=session_id,
            kind=kind,
            state="queued",
            input={},
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    return operation


on_both_databases = pytest.mark.parametrize("bench", ["sqlite", "postgresql"], indirect=True)


def steps(lines, operation_id):
    return Counter(
        int(line.split()[2]) for line in lines if line.startswith(f"step {operation_id} ")
    )


@on_both_databases
def test_a_killed_worker_resumes_at_the_interrupted_step(bench, make):
    bench.start()
    bench.jobs.enqueue(make("op_a"))
    bench.wait_for("step op_a 1")
    bench.kill()
    bench.open_gate()
    bench.start()
    bench.wait_for("end op_a")
    assert steps(bench.lines(), "op_a") == {0: 1, 1: 2, 2: 1}
    assert bench.lines().count("answer op_a 0") == 2


@on_both_databases
def test_a_stopped_worker_finishes_its_step_and_leaves_the_rest_for_the_next(bench, make):
    bench.start()
    bench.jobs.enqueue(make("op_a"))
    bench.wait_for("step op_a 1")
    bench.terminate()
    bench.open_gate()
    assert bench.process.wait() == 0
    bench.start()
    bench.wait_for("end op_a")
    assert steps(bench.lines(), "op_a") == {0: 1, 1: 1, 2: 1}


@on_both_databases
def test_a_step_that_lost_its_database_is_not_recorded_and_the_same_process_runs_it_again(
    bench, make
):
    bench.start()
    bench.open_gate()
    bench.jobs.enqueue(make("op_cut"))
    bench.wait_for("end op_cut")
    assert steps(bench.lines(), "op_cut") == {0: 1, 1: 2, 2: 1}
    assert bench.lines().count("ready") == 1


def test_a_job_that_lost_its_database_between_steps_goes_on_behind_the_last_one(bench, make):
    bench.start()
    bench.open_gate()
    bench.jobs.enqueue(make("op_torn"))
    bench.wait_for("end op_torn")
    assert steps(bench.lines(), "op_torn") == {0: 1, 1: 1, 2: 1}
    assert bench.lines().count("run op_torn") == 2


@on_both_databases
def test_bulk_jobs_of_one_session_run_one_after_the_other(bench, make):
    bench.start()
    bench.jobs.enqueue(make("op_a"))
    bench.jobs.enqueue(make("op_b", kind="retrain"))
    bench.jobs.enqueue(make("op_c", session_id="ses_2"))
    bench.wait_for("step op_a 1", "step op_c 1")
    assert "run op_b" not in bench.lines()
    bench.open_gate()
    bench.wait_for("end op_a", "end op_b", "end op_c")
    assert bench.lines().index("end op_a") < bench.lines().index("run op_b")


def test_calls_do_not_wait_for_the_bulk_job_of_their_session(bench, make):
    bench.start()
    bench.jobs.enqueue(make("op_a"))
    bench.jobs.enqueue(make("op_call", kind="generate"))
    bench.wait_for("step op_a 1", "step op_call 1")


def test_the_same_id_again_is_a_no_op(bench, make):
    bench.open_gate()
    bench.start()
    for _ in range(3):
        bench.jobs.enqueue(make("op_a"))
    bench.wait_for("end op_a")
    bench.jobs.enqueue(make("op_a"))
    bench.jobs.enqueue(make("op_b"))
    bench.wait_for("end op_b")
    assert bench.lines().count("run op_a") == 1


def test_records_of_ended_jobs_can_be_forgotten(bench, make):
    bench.open_gate()
    bench.start()
    bench.jobs.enqueue(make("op_a"))
    bench.wait_for("end op_a")
    bench.terminate()
    bench.process.wait()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert bench.jobs.forget_finished(before=tomorrow) == 1
    with bench.engine.connect() as connection:
        for table in ("workflow_status", "operation_outputs"):
            rows = connection.execute(text(f"SELECT count(*) FROM {table}"))
            assert rows.scalar_one() == 0


def test_what_exceptions_say_reaches_neither_the_jobs_database_nor_the_log(bench, make):
    bench.open_gate()
    bench.start()
    bench.jobs.enqueue(make("op_broken"))
    bench.wait_for("end op_broken")
    bench.terminate()
    bench.process.wait()
    found = [path for path in bench.folder.iterdir() if b"canary-4711" in path.read_bytes()]
    assert "failed op_broken" in bench.lines()
    assert found == []
    with bench.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM operation_outputs")).all()
    assert "canary-4711" not in repr(rows)
    assert "ValueError" in repr(rows)


def test_a_job_whose_ending_cannot_be_stored_stays_pending(bench, make):
    bench.open_gate()
    bench.start()
    bench.jobs.enqueue(make("op_unstorable"))
    assert bench.process.wait() == 1
    with bench.engine.connect() as connection:
        rows = connection.execute(text("SELECT status FROM workflow_status"))
        assert rows.scalars().all() == ["PENDING"]
    assert "canary-4711" not in bench.stderr.read_text()


def test_step_records_are_json_and_never_pickles(bench, make):
    bench.open_gate()
    bench.start()
    bench.jobs.enqueue(make("op_a"))
    bench.wait_for("end op_a")
    with bench.engine.connect() as connection:
        rows = connection.execute(text("SELECT output, serialization FROM operation_outputs")).all()
    assert {row.serialization for row in rows} == {"portable_json"}
    assert [row.output for row in rows] == [f'"{{\\"value\\": {n}}}"' for n in range(3)]
