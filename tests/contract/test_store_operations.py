"""Operations, events, replies and costs, on both databases."""

from dataclasses import replace

import pytest

from core.errors import Conflict, NotFound
from core.records import Cost, Page, Progress, SavedReply


@pytest.fixture
def add(store, session):
    def store_them(*operations):
        with store.write() as tx:
            for operation in operations:
                tx.operations.add(operation)

    return store_them


def read(store, operation_id="opr_1"):
    with store.read() as tx:
        return tx.operations.get("ten_a", operation_id)


def finish(store, state="succeeded", *, now, operation_id="opr_1", result=None, error=None):
    with store.write() as tx:
        tx.operations.finish(operation_id, state, result=result, error=error, now=now)


def test_an_operation_comes_back_as_it_was_stored(store, rows, add):
    made = rows.operation(lane="ses_1:retrain", request_key="k", progress=Progress(phase="fit"))
    add(made)
    assert read(store) == made


@pytest.mark.parametrize(("tenant", "id"), [("ten_b", "opr_1"), ("ten_a", "opr_2")])
def test_another_tenants_operation_is_unknown(store, rows, add, tenant, id):
    add(rows.operation())
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.operations.get(tenant, id)
    assert refused.value.code == "unknown-operation"


def test_a_taken_lane_is_refused_with_its_holder(store, rows, add):
    add(rows.operation(lane="lane"))
    with pytest.raises(Conflict) as refused:
        add(rows.operation("opr_2", kind="index", lane="lane"))
    assert refused.value.code == "operation-in-progress"
    assert refused.value.extras == {"operation": "opr_1", "kind": "retrain"}


def test_a_refused_lane_leaves_the_transaction_usable(store, rows, add):
    add(rows.operation(lane="lane"))
    with store.write() as tx:
        with pytest.raises(Conflict):
            tx.operations.add(rows.operation("opr_2", lane="lane"))
        tx.operations.add(rows.operation("opr_3", lane="other"))
    assert read(store, "opr_3").lane == "other"


def test_a_finished_operation_frees_its_lane(store, rows, add, later):
    add(rows.operation(lane="lane"))
    finish(store, now=later(1))
    add(rows.operation("opr_2", lane="lane"))
    assert read(store).lane is None


def test_operations_without_a_lane_run_side_by_side(store, rows, add):
    add(rows.operation("opr_1"), rows.operation("opr_2"))
    with store.read() as tx:
        assert [o.id for o in tx.operations.unfinished("ses_1")] == ["opr_1", "opr_2"]


def test_a_request_key_is_taken_once_per_tenant(store, rows, add):
    add(
        rows.operation(request_key="k"), rows.operation("opr_2", tenant_id="ten_b", request_key="k")
    )
    with pytest.raises(Conflict) as refused:
        add(rows.operation("opr_3", request_key="k"))
    assert refused.value.extras["operation"] == "opr_1"
    with store.read() as tx:
        assert tx.operations.by_request("ten_a", "k").id == "opr_1"
        assert tx.operations.by_request("ten_a", "l") is None


def test_each_start_is_an_attempt_and_the_first_keeps_its_time(store, rows, add, later):
    add(rows.operation())
    with store.write() as tx:
        first = tx.operations.start("opr_1", now=later(1))
        second = tx.operations.start("opr_1", now=later(2))
    assert (first.state, first.attempt, first.started_at) == ("running", 1, later(1))
    assert (second.attempt, second.started_at) == (2, later(1))


def test_a_finished_operation_stays_as_it_is(store, rows, add, later):
    add(rows.operation())
    finish(store, now=later(1), result={"rows": 3, "ids": ["a"]})
    ended = read(store)
    finish(store, "failed", now=later(2), error={"code": "x"})
    with store.write() as tx:
        assert tx.operations.start("opr_1", now=later(3)) == ended
        tx.operations.progress("opr_1", Progress(phase="late"))
        tx.operations.request_cancel("opr_1")
    assert read(store) == ended
    assert (ended.state, ended.result, ended.finished_at) == (
        "succeeded",
        {"rows": 3, "ids": ["a"]},
        later(1),
    )


def test_an_operation_ends_only_in_a_final_state(store, rows, add, later):
    add(rows.operation())
    with pytest.raises(ValueError, match="running"):
        finish(store, "running", now=later(1))


def test_progress_and_cancelling_are_seen(store, rows, add):
    add(rows.operation())
    with store.write() as tx:
        assert not tx.operations.cancel_requested("opr_1")
        tx.operations.progress("opr_1", Progress(phase="embed", done=3, total=9))
        tx.operations.request_cancel("opr_1")
    with store.read() as tx:
        assert tx.operations.cancel_requested("opr_1")
    assert read(store).progress == Progress(phase="embed", done=3, total=9)


def test_queued_operations_come_oldest_first_over_all_tenants(store, rows, add, later):
    add(
        rows.operation("opr_1", created_at=later(2)),
        rows.operation("opr_2", created_at=later(1), tenant_id="ten_b"),
        rows.operation("opr_3", created_at=later(3)),
        rows.operation("opr_4", created_at=later(0)),
    )
    with store.write() as tx:
        tx.operations.start("opr_4", now=later(4))
    with store.read() as tx:
        assert [o.id for o in tx.operations.queued(limit=2)] == ["opr_2", "opr_1"]


def test_operations_are_listed_counted_and_told_apart(store, rows, add, later):
    add(
        rows.operation("opr_1"),
        rows.operation("opr_2", kind="index"),
        rows.operation("opr_3", kind="index", state="running"),
        rows.operation("opr_4", tenant_id="ten_b"),
    )
    with store.read() as tx:
        listed = [
            [o.id for o in tx.operations.list("ten_a", Page(), **wanted)]
            for wanted in ({}, {"kind": "index"}, {"state": "running"}, {"session_id": "ses_2"})
        ]
        after = tx.operations.list("ten_a", Page(limit=1, after="opr_1"))
        assert tx.operations.counts() == {
            ("index", "queued"): 1,
            ("index", "running"): 1,
            ("retrain", "queued"): 2,
        }
        assert tx.operations.count("ses_1", "index") == 2
        assert [o.id for o in tx.operations.unfinished("ses_1", ["index"])] == ["opr_2", "opr_3"]
    assert listed == [["opr_1", "opr_2", "opr_3"], ["opr_2", "opr_3"], ["opr_3"], []]
    assert [o.id for o in after] == ["opr_2"]


def test_events_are_numbered_per_session_and_listed_in_order(store, session, rows):
    with store.write() as tx:
        tx.sessions.add(rows.session("ses_2"))
    made = []
    for type, session_id in (("a", "ses_1"), ("b", "ses_1"), ("a", "ses_2"), ("a", "ses_1")):
        with store.write() as tx:
            made.append(
                tx.events.add(
                    tenant_id="ten_a", session_id=session_id, type=type, data={"n": 1}, now=rows.now
                )
            )
    assert [e.sequence for e in made] == [1, 2, 1, 3]
    assert len({e.id for e in made}) == 4
    with store.read() as tx:
        assert tx.events.list("ses_1", after=0, limit=9) == [made[0], made[1], made[3]]
        assert tx.events.list("ses_1", after=1, limit=1) == [made[1]]
        assert tx.events.list("ses_1", after=0, limit=9, types=["a"]) == [made[0], made[3]]


def begin(store, later, at, *, scope="s", fingerprint="f"):
    with store.write() as tx:
        return tx.replies.begin(scope, fingerprint=fingerprint, now=later(at), stale=later(at - 60))


def test_a_key_is_held_until_its_reply_is_known(store, later):
    assert begin(store, later, 0) is None
    assert begin(store, later, 1, fingerprint="g").status == 0
    with store.write() as tx:
        tx.replies.finish("s", status=201, body=b"\x00{}", headers={"ETag": "1"})
    assert begin(store, later, 2) == SavedReply(
        fingerprint="f", status=201, body=b"\x00{}", headers={"ETag": "1"}, created_at=later(0)
    )


def test_an_abandoned_key_is_taken_over_by_one(store, later):
    begin(store, later, 0)
    assert begin(store, later, 60, fingerprint="g") is None
    assert begin(store, later, 61).fingerprint == "g"


def test_a_finished_reply_is_never_stale(store, later):
    begin(store, later, 0)
    with store.write() as tx:
        tx.replies.finish("s", status=200, body=b"", headers={})
    assert begin(store, later, 1000).status == 200


def test_a_forgotten_or_expired_key_is_free(store, later):
    begin(store, later, 0)
    with store.write() as tx:
        tx.replies.forget("s")
    assert begin(store, later, 1) is None
    begin(store, later, 5, scope="t")
    with store.write() as tx:
        assert tx.replies.expire(before=later(5)) == 1
    assert begin(store, later, 6) is None
    assert begin(store, later, 6, scope="t").status == 0


@pytest.fixture
def cost(store, session, rows):
    made = Cost(
        id="cst_1",
        tenant_id="ten_a",
        session_id="ses_1",
        operation_id="opr_1",
        generator="anthropic",
        model="m",
        state="reserved",
        dollars=0.5,
        created_at=rows.now,
    )
    with store.write() as tx:
        tx.costs.add(made)
    return made


def settle(store, dollars, tokens):
    with store.write() as tx:
        tx.costs.settle(
            "cst_1", dollars=dollars, input_tokens=tokens, output_tokens=tokens, request_id="r"
        )
    with store.read() as tx:
        return tx.costs.list("ses_1", Page())[0]


def test_a_reservation_counts_until_its_bill_replaces_it(store, cost):
    with store.read() as tx:
        assert tx.costs.total("ses_1") == 0.5
        assert tx.costs.list("ses_1", Page()) == [cost]
    assert settle(store, 0.125, 7) == replace(
        cost, state="settled", dollars=0.125, input_tokens=7, output_tokens=7, request_id="r"
    )
    assert settle(store, 9.0, 9).dollars == 0.125


def test_an_attempt_that_was_not_billed_is_released(store, cost):
    assert settle(store, 0.0, 0).state == "released"


def test_costs_are_summed_by_session_and_operation(store, cost):
    with store.write() as tx:
        tx.costs.add(replace(cost, id="cst_2", operation_id="opr_2", dollars=0.25))
    with store.read() as tx:
        assert tx.costs.total("ses_1") == 0.75
        assert tx.costs.total("ses_1", operation_id="opr_2") == 0.25
        assert tx.costs.total("ses_2") == 0.0
        assert tx.costs.by_operation("ses_1") == {"opr_1": 0.5, "opr_2": 0.25}
