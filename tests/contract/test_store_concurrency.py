"""Many writers at once, and writes that fail, on both databases."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.store.engine import make_jobs_engine
from adapters.store.store import SqlStore, open_store
from core.errors import Conflict, PreconditionFailed, Unavailable
from core.records import Page

ROOT = Path(__file__).parents[2]
PROCESSES, THREADS, EACH = 2, 4, 15


def at_once(work, arguments):
    """Run ``work`` in one thread per argument, all let go together."""
    gate = threading.Barrier(len(arguments))

    def go(argument):
        gate.wait()
        return work(argument)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(go, arguments))


def test_threads_of_several_processes_lose_and_repeat_nothing(store, store_url, session):
    program = Path(__file__).with_name("writer_process.py")
    running = [
        subprocess.Popen(
            [sys.executable, program, store_url, str(number), str(THREADS), str(EACH)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )
        for number in range(PROCESSES)
    ]
    errors = [process.communicate()[1].decode() for process in running]
    assert errors == [""] * PROCESSES
    total = PROCESSES * THREADS * EACH
    with store.read() as tx:
        labels = tx.labels.list("ses_1", Page(limit=2 * total))
        events = tx.events.list("ses_1", after=0, limit=2 * total)
    assert [label.seq for label in labels] == list(range(1, total + 1))
    assert [event.sequence for event in events] == list(range(1, total + 1))
    assert [event.data["seq"] for event in events] == list(range(1, total + 1))


def test_one_of_many_gets_a_lane_and_the_rest_learn_who(store, session, rows):
    def take(number):
        try:
            with store.write() as tx:
                tx.operations.add(rows.operation(f"opr_{number}", lane="lane"))
        except Conflict as refused:
            return refused.extras["operation"]
        return None

    holders = at_once(take, range(8))
    winner = holders.index(None)
    assert holders.count(None) == 1
    assert {h for h in holders if h is not None} == {f"opr_{winner}"}


def test_one_of_many_gets_an_idempotency_key(store, later):
    def take(number):
        with store.write() as tx:
            return tx.replies.begin(
                "scope", fingerprint=str(number), now=later(0), stale=later(-60)
            )

    saved = at_once(take, range(8))
    winner = saved.index(None)
    assert saved.count(None) == 1
    assert {reply.fingerprint for reply in saved if reply is not None} == {str(winner)}


def test_one_of_many_takes_over_an_abandoned_key(store, later):
    def take(number):
        with store.write() as tx:
            return tx.replies.begin(
                "scope", fingerprint=str(number), now=later(100), stale=later(50)
            )

    with store.write() as tx:
        tx.replies.begin("scope", fingerprint="dead", now=later(0), stale=later(-60))
    assert at_once(take, range(8)).count(None) == 1


def test_one_of_many_saves_over_a_revision(store, session, rows):
    def save(number):
        try:
            with store.write() as tx:
                changed = rows.session(name=str(number), revision=2)
                tx.sessions.save(changed, expected_revision=1)
        except PreconditionFailed:
            return 0
        return 1

    assert sum(at_once(save, range(8))) == 1


def test_readers_see_one_moment_while_others_write(store, session, rows):
    with store.read() as tx:
        before = tx.sessions.get("ten_a", "ses_1")
        with store.write() as other:
            changed = rows.session(name="Later", revision=2)
            other.sessions.save(changed, expected_revision=1)
        assert tx.sessions.get("ten_a", "ses_1") == before
    with store.read() as tx:
        assert tx.sessions.get("ten_a", "ses_1").name == "Later"


def test_a_write_that_fails_leaves_no_trace_and_the_next_one_works(store, session, rows):
    def fail():
        with store.write() as tx:
            tx.operations.add(rows.operation())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.write() as tx:
        assert tx.operations.unfinished("ses_1") == []
        tx.operations.add(rows.operation())
    with store.read() as tx:
        assert len(tx.operations.unfinished("ses_1")) == 1


def test_many_failed_writes_leave_every_connection_usable(store, session, rows):
    for _ in range(60):
        with pytest.raises(Conflict), store.write() as tx:
            tx.sessions.add(session)
    with store.write() as tx:
        tx.operations.add(rows.operation())
    assert store.engine.pool.checkedout() == 0


def test_a_reader_that_fails_leaves_the_next_write_working(store, session, rows):
    def fail():
        with store.read() as tx:
            next(iter(tx.items.texts("ses_1", start=0, stop=9)), None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.write() as tx:
        tx.operations.add(rows.operation())


def test_a_reader_cannot_write(store, session, rows):
    with pytest.raises(sa.exc.DBAPIError), store.read() as tx:
        tx.operations.add(rows.operation())
    with store.write() as tx:
        assert tx.operations.unfinished("ses_1") == []
        tx.operations.add(rows.operation())


def test_a_broken_reference_is_an_error_not_a_conflict(store, rows):
    with pytest.raises(sa.exc.IntegrityError), store.write() as tx:
        tx.operations.add(rows.operation(session_id="ses_9"))


def test_messages_of_database_errors_hold_no_values(store, rows):
    with pytest.raises(sa.exc.IntegrityError) as failed, store.write() as tx:
        tx.generations.add_many([rows.generation("gen_1", session_id="ses_9", text="SECRET")])
    assert "SECRET" not in str(failed.value)


def test_too_many_connections_are_a_passing_trouble(store_url):
    narrow: SqlStore = open_store(store_url, pool_size=1)
    narrow.engine.pool._timeout = 0.01
    with narrow.read(), pytest.raises(Unavailable) as refused, narrow.read():
        pass
    assert refused.value.code == "store-busy"
    narrow.close()


def test_a_connection_cut_in_the_middle_is_a_passing_trouble_and_leaves_no_trace(
    migrated_postgres, postgres, rows
):
    url, clear = migrated_postgres
    clear()
    cut = open_store(url, pool_size=1)

    def lose(go_on):
        with cut.write() as tx:
            tx.sessions.add(rows.session())
            assert postgres.cut(url) > 0
            go_on(tx)

    for go_on in (lambda tx: None, lambda tx: tx.sessions.get("ten_a", "ses_1")):
        with pytest.raises(Unavailable) as refused:
            lose(go_on)
        assert refused.value.code == "store-busy"
    with cut.write() as tx:
        tx.sessions.add(rows.session())
    cut.close()


def test_connections_cut_while_nobody_used_them_are_replaced_unseen(migrated_postgres, postgres):
    url, clear = migrated_postgres
    clear()
    cut = open_store(url, pool_size=2)
    for _ in range(2):
        with cut.read() as tx, cut.read():
            assert not tx.access.any_key()
        assert postgres.cut(url) >= 2
    cut.close()


def test_a_transaction_of_the_jobs_engine_is_alone_once_it_has_written(empty_url):
    engine = make_jobs_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (1, 0)")

    def count(_):
        for _ in range(20):
            with engine.begin() as connection:
                connection.exec_driver_sql("UPDATE counter SET n = n")
                n = connection.exec_driver_sql("SELECT n FROM counter").scalar()
                connection.exec_driver_sql(f"UPDATE counter SET n = {n + 1}")

    at_once(count, range(4))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT n FROM counter").scalar() == 80
    engine.dispose()
