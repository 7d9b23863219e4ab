"""Endpoints and the outbox, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from store_rows import NOW

from core.errors import NotFound, PreconditionFailed
from core.records import Page
from core.webhooks import WebhookEndpoint

LOCK = timedelta(seconds=60)
ALL = Page(limit=500)


@pytest.fixture
def endpoint(store, session, rows):
    """Adds endpoints; every argument is a field."""

    def add(id: str = "whe_1", **changes: object) -> WebhookEndpoint:
        made = rows.endpoint(id, **changes)
        with store.write() as tx:
            tx.access.ensure_tenant(made.tenant_id, name="A", now=NOW)
            tx.webhooks.add(made)
        return made

    return add


@pytest.fixture
def announce(store, session):
    def add(count: int = 1, *, type: str = "items.added", now=NOW):
        with store.write() as tx:
            return [
                tx.events.add(
                    tenant_id="ten_a", session_id=session.id, type=type, data={"count": n}, now=now
                )
                for n in range(count)
            ]

    return add


def due(store, *, now=NOW, limit=100, per_endpoint=100):
    with store.write() as tx:
        return tx.webhooks.due(
            now=now, lock_until=now + LOCK, limit=limit, per_endpoint=per_endpoint
        )


def test_an_endpoint_comes_back_as_it_was_stored(store, endpoint):
    made = endpoint(types=("batch.ready", "items.added"), failing_since=NOW, session_id="ses_1")
    with store.read() as tx:
        assert tx.webhooks.get("ten_a", "whe_1") == made
        assert tx.webhooks.find("whe_1") == made
        assert tx.webhooks.list("ten_a", ALL) == [made]
        assert tx.webhooks.count("ten_a") == 1
        assert tx.webhooks.find("whe_2") is None


def test_another_tenants_endpoint_does_not_exist(store, endpoint):
    endpoint()
    with store.read() as tx, pytest.raises(NotFound) as refused:
        tx.webhooks.get("ten_b", "whe_1")
    assert refused.value.code == "unknown-endpoint"


def test_endpoints_are_listed_by_page(store, endpoint):
    for n in range(3):
        endpoint(f"whe_{n}")
    with store.read() as tx:
        first = tx.webhooks.list("ten_a", Page(limit=2))
        rest = tx.webhooks.list("ten_a", Page(limit=2, after=first[-1].id))
    assert [e.id for e in (*first, *rest)] == ["whe_0", "whe_1", "whe_2"]


def test_a_change_meets_the_revision_it_saw(store, endpoint):
    made = endpoint()
    with store.write() as tx:
        tx.webhooks.save(replace(made, url="https://b.example", revision=2), expected_revision=1)
    with store.write() as tx, pytest.raises(PreconditionFailed):
        tx.webhooks.save(replace(made, revision=2), expected_revision=1)


def test_an_event_is_written_with_a_row_for_each_endpoint_that_wants_it(store, endpoint, announce):
    endpoint("whe_all")
    endpoint("whe_some", types=("batch.ready",))
    endpoint("whe_here", session_id="ses_1")
    endpoint("whe_elsewhere", session_id="ses_2")
    endpoint("whe_off", state="disabled")
    endpoint("whe_strange", tenant_id="ten_b")
    [event] = announce()
    rows = due(store)
    assert sorted(owner.id for _, owner, _ in rows) == ["whe_all", "whe_here"]
    assert all(found == event for _, _, found in rows)
    assert all(row.event_id == event.id and row.type == event.type for row, _, _ in rows)


def test_an_event_that_is_rolled_back_leaves_no_row(store, endpoint, session):
    endpoint()

    def fail() -> None:
        with store.write() as tx:
            tx.events.add(tenant_id="ten_a", session_id=session.id, type="a.b", data={}, now=NOW)
            raise RuntimeError("the verb failed")

    with pytest.raises(RuntimeError):
        fail()
    assert due(store) == []


def test_a_row_that_is_taken_is_locked_until_its_time(store, endpoint, announce):
    endpoint()
    announce()
    [(row, _, _)] = due(store)
    assert row.locked_until == NOW + LOCK
    assert due(store) == []
    assert due(store, now=NOW + LOCK - timedelta(seconds=1)) == []
    assert len(due(store, now=NOW + LOCK)) == 1


def test_rows_of_the_future_wait(store, endpoint, announce):
    endpoint()
    announce(now=NOW + timedelta(seconds=5))
    assert due(store) == []
    assert len(due(store, now=NOW + timedelta(seconds=5))) == 1


def test_an_endpoint_is_tried_so_many_times_at_once_and_leaves_room_to_others(
    store, endpoint, announce
):
    endpoint("whe_a")
    announce(5)
    endpoint("whe_b")
    announce(1, now=NOW + timedelta(seconds=1))
    later = NOW + timedelta(seconds=2)
    with store.read() as tx:
        assert tx.webhooks.waiting(now=later, per_endpoint=2)
    taken = [owner.id for _, owner, _ in due(store, now=later, per_endpoint=2)]
    assert taken == ["whe_a", "whe_a", "whe_b"]
    with store.read() as tx:
        assert not tx.webhooks.waiting(now=later, per_endpoint=2)
    assert due(store, now=later, per_endpoint=2) == []


def test_a_finished_row_gives_its_room_back(store, endpoint, announce):
    endpoint()
    announce(3)
    first, second = due(store, per_endpoint=2)
    with store.write() as tx:
        tx.webhooks.save_delivery(replace(first[0], state="delivered", locked_until=None))
    [third] = due(store, per_endpoint=2)
    assert len({first[0].id, second[0].id, third[0].id}) == 3


def test_two_senders_at_once_never_take_the_same_row(store, endpoint, announce):
    for n in range(10):
        endpoint(f"whe_{n}")
    announce(4)
    barrier, taken = threading.Barrier(4), []

    def send() -> None:
        barrier.wait()
        for _ in range(8):
            taken.extend(row.id for row, _, _ in due(store, limit=7))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 40


def test_deliveries_are_listed_by_time_and_state(store, endpoint, announce):
    endpoint()
    announce(1, now=NOW)
    announce(1, now=NOW + timedelta(seconds=1))
    [(row, _, _), _] = due(store, now=NOW + timedelta(seconds=1))
    with store.write() as tx:
        tx.webhooks.save_delivery(replace(row, state="dead", last_error="timeout"))
    with store.read() as tx:
        everything = tx.webhooks.deliveries("ten_a", "whe_1", ALL)
        dead = tx.webhooks.deliveries("ten_a", "whe_1", ALL, state="dead")
        assert [d.created_at for d in everything] == [NOW, NOW + timedelta(seconds=1)]
        assert [(d.id, d.last_error) for d in dead] == [(row.id, "timeout")]
        assert tx.webhooks.deliveries("ten_b", "whe_1", ALL) == []
        assert tx.webhooks.counts() == {"pending": 1, "dead": 1}


def test_another_tenants_delivery_does_not_exist(store, endpoint, announce):
    endpoint()
    announce()
    [(row, _, _)] = due(store)
    with store.read() as tx, pytest.raises(NotFound):
        tx.webhooks.delivery("ten_b", row.id)


def test_failures_are_counted_from_the_first_and_a_success_clears_them(store, endpoint):
    endpoint()
    later = NOW + timedelta(hours=1)
    with store.write() as tx:
        tx.webhooks.note_result("whe_1", succeeded=False, now=NOW)
        tx.webhooks.note_result("whe_1", succeeded=False, now=later)
        failing = tx.webhooks.get("ten_a", "whe_1")
        tx.webhooks.note_result("whe_1", succeeded=True, now=later)
        well = tx.webhooks.get("ten_a", "whe_1")
    assert (failing.failing_since, failing.revision) == (NOW, 1)
    assert (well.failing_since, well.revision) == (None, 1)


def test_an_endpoint_is_disabled_once(store, endpoint):
    endpoint()
    with store.write() as tx:
        assert tx.webhooks.disable("whe_1", reason="gone")
        assert not tx.webhooks.disable("whe_1", reason="failing")
        found = tx.webhooks.get("ten_a", "whe_1")
    assert (found.state, found.disabled_reason, found.revision) == ("disabled", "gone", 2)


def test_dead_and_discarded_rows_since_a_time_wait_again(store, endpoint, announce):
    endpoint()
    announce(1, now=NOW - timedelta(days=1))
    announce(3)
    rows = [row for row, _, _ in due(store)]
    states = ["dead", "dead", "discarded", "delivered"]
    with store.write() as tx:
        for row, state in zip(rows, states, strict=True):
            tx.webhooks.save_delivery(replace(row, state=state, attempts=10, locked_until=None))
        assert tx.webhooks.requeue("whe_1", since=NOW, now=NOW + LOCK) == 2
        again = tx.webhooks.deliveries("ten_a", "whe_1", ALL, state="pending")
    assert [(row.attempts, row.next_attempt_at) for row in again] == [(0, NOW + LOCK)] * 2


def test_a_deleted_endpoint_takes_its_rows_along(store, endpoint, announce):
    endpoint()
    announce(2)
    with store.write() as tx:
        tx.webhooks.delete("ten_a", "whe_1")
    assert due(store) == []
    announce()
    with store.read() as tx:
        assert tx.webhooks.counts() == {}
        assert tx.webhooks.count("ten_a") == 0


def test_deleting_an_endpoint_while_events_come_breaks_neither(store, endpoint, session):
    failures: list[Exception] = []
    done = threading.Event()

    def announce() -> None:
        while not done.is_set():
            try:
                with store.write() as tx:
                    tx.events.add(
                        tenant_id="ten_a", session_id=session.id, type="x.y", data={}, now=NOW
                    )
            except Exception as error:  # noqa: BLE001 -- the test's own verdict
                failures.append(error)
                return

    thread = threading.Thread(target=announce)
    thread.start()
    for n in range(20):
        endpoint(f"whe_{n}")
        with store.write() as tx:
            tx.webhooks.delete("ten_a", f"whe_{n}")
    done.set()
    thread.join()
    assert failures == []


def test_a_purged_session_takes_its_rows_along(store, endpoint, announce, session, count_rows):
    endpoint()
    announce(2)
    with store.write() as tx:
        tx.sessions.purge(session.id)
    assert count_rows("deliveries", session.id) == 0
    assert due(store) == []


def test_old_successes_are_pruned_and_nothing_else(store, rows):
    long_ago = rows.now - timedelta(days=31)
    with store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=rows.now)
        tx.webhooks.add(rows.endpoint())
        for id, state, when in (
            ("dlv_old", "delivered", long_ago),
            ("dlv_new", "delivered", rows.now),
            ("dlv_dead", "dead", None),
        ):
            tx.webhooks.add_delivery(
                rows.test_message(id, state=state, delivered_at=when, event_id=f"evt_{id}")
            )
        assert tx.webhooks.prune(before=rows.now - timedelta(days=30)) == 1
        left = tx.webhooks.deliveries("ten_a", "whe_1", Page(limit=9))
    assert {row.id for row in left} == {"dlv_new", "dlv_dead"}
