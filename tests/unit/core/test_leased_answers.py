"""Answers under a lease, and answers to check items."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import Conflict, NotAllowed
from core.labelling import decline
from core.records import PeopleSettings
from core.requests import NewLabel
from core.rounds.cancel import cancel_batch
from core.rounds.label import latest_labels
from tests.unit.core.answering_world import World, new_store

CHECK = 4


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = new_store(tmp_path_factory.mktemp("leased"))
    yield opened
    opened.close()


@pytest.fixture
def world(store):
    """One person answers each item."""
    return World(store=store, needed=1)


def answer(world, who, lease, *labels, **allow):
    return world.send(who, replace(lease, labels=labels), mode="atomic", **allow).results[0]


def code_of(act, *args, **options):
    with pytest.raises(Conflict) as refused:
        act(*args, **options)
    return refused.value.code


def test_an_answer_under_a_lease_ends_it(world):
    lease = world.lease("per_a", 0)
    assert answer(world, "per_a", lease, "garden").status == "created"
    held = world.assignment("per_a", 0)
    assert (held.state, held.ended_at) == ("submitted", world.clock.now())
    with world.store.read() as tx:
        [event] = tx.labels.by_annotator(world.session.id, "per_a", limit=1)
    assert event.assignment_id == lease.assignment_id


def test_an_answer_that_names_no_lease_ends_it_too(world):
    world.lease("per_a", 0)
    world.give("per_a", 0, "garden")
    assert world.assignment("per_a", 0).state == "submitted"


def test_a_skip_ends_its_lease_as_skipped(world):
    world.lease("per_a", 0)
    world.give("per_a", 0, skip=True)
    assert world.assignment("per_a", 0).state == "skipped"


@pytest.mark.parametrize(
    "wrong", [{"lease_token": "other"}, {"lease_token": ""}, {"assignment_id": "asg_x"}]
)
def test_a_wrong_token_is_refused(world, wrong):
    lease = world.lease("per_a", 0)
    with pytest.raises(NotAllowed) as refused:
        answer(world, "per_a", replace(lease, **wrong), "garden")
    assert refused.value.code == "lease-not-yours"


def test_somebody_elses_lease_is_refused(world):
    lease = world.lease("per_a", 0)
    with pytest.raises(NotAllowed):
        answer(world, "per_b", lease, "garden")


def test_a_lease_of_another_item_is_refused(world):
    lease = world.lease("per_a", 0)
    with pytest.raises(NotAllowed):
        answer(world, "per_a", replace(lease, item_id=world.items[1].id), "garden")


def test_a_wrong_lease_is_one_rows_refusal_in_partial_mode(world):
    lease, good = world.lease("per_a", 0), world.lease("per_a", 1)
    wrong = replace(lease, lease_token="x", labels=("garden",))
    result = world.send("per_a", wrong, replace(good, labels=("garden",)))
    assert [row.status for row in result.results] == ["rejected", "created"]
    assert result.results[0].error.code == "lease-not-yours"


def test_an_answer_after_the_lease_ran_out_is_kept_while_nobody_else_answered(world):
    lease = world.lease("per_a", 0, seconds=30)
    world.clock.seconds += 60
    assert answer(world, "per_a", lease, "garden").item_state == "resolved"


def test_an_answer_after_the_lease_ran_out_is_refused_when_others_answered(world):
    lease = world.lease("per_a", 0, seconds=30)
    world.clock.seconds += 60
    world.give("per_b", 0, "garden")
    assert code_of(answer, world, "per_a", lease, "garden") == "lease-expired"
    assert answer(world, "per_a", lease, "garden", allow_extra=True).status == "created"


def test_a_released_lease_still_takes_the_answer_while_there_is_room(world):
    lease = world.lease("per_a", 0, state="released")
    assert answer(world, "per_a", lease, "garden").status == "created"


def test_a_lease_that_runs_does_not_make_room(world):
    lease = world.lease("per_a", 0)
    world.give("per_b", 0, "garden")
    assert code_of(answer, world, "per_a", lease, "garden") == "overlap-reached"


def test_an_answer_under_a_lease_of_a_cancelled_batch_is_refused(world):
    lease = world.lease("per_a", 0)
    cancel_batch(world.session, world.batch.id, store=world.store, clock=world.clock)
    assert code_of(answer, world, "per_a", lease, "garden") == "batch-closed"


def test_the_same_answer_under_the_same_lease_is_replayed(world):
    lease = world.lease("per_a", 0)
    first = answer(world, "per_a", lease, "garden")
    again = answer(world, "per_a", lease, "garden")
    assert (again.status, again.label_id) == ("replayed", first.label_id)


def test_undoing_gives_the_item_back(world):
    lease = world.lease("per_a", 0)
    row = answer(world, "per_a", lease, "garden")
    world.undo("per_a", row.label_id)
    assert world.assignment("per_a", 0).state == "released"
    assert answer(world, "per_a", lease, "kitchen").item_state == "resolved"


# --- check items ------------------------------------------------------------------


def test_an_answer_to_a_check_item_looks_like_any_other(world):
    seen = answer(world, "per_a", world.lease("per_a", 0), "garden")
    checked = answer(world, "per_a", world.lease("per_a", CHECK), "kitchen")
    assert (checked.status, checked.item_state) == (seen.status, seen.item_state)


def test_an_answer_to_a_check_item_measures_and_does_nothing_else(world):
    answer(world, "per_a", world.lease("per_a", CHECK), "kitchen")
    with world.store.read() as tx:
        [check] = tx.labels.checks(world.session.id)
        assert tx.labels.bought(world.session.id) == 0
        assert tx.items.get(world.session.id, check.item_id).state == "pooled"
    assert (check.annotator_id, check.labels) == ("per_a", ("kitchen",))
    assert world.labelled() == {}
    assert world.assignment("per_a", CHECK).state == "submitted"


def test_a_check_item_is_answered_once_by_each_person(world):
    lease = world.lease("per_a", CHECK)
    first = answer(world, "per_a", lease, "kitchen")
    again = answer(world, "per_a", lease, "kitchen")
    assert (again.status, again.label_id) == ("replayed", first.label_id)
    assert again.item_state == first.item_state
    assert code_of(answer, world, "per_a", lease, "garden") == "already-labelled"
    other = replace(lease, supersedes=first.label_id)
    assert answer(world, "per_a", other, "garden").status == "superseded"


def test_a_check_item_is_answered_by_several_people(world):
    for who in ("per_a", "per_b", "per_c"):
        answer(world, who, world.lease(who, CHECK), "garden")
    with world.store.read() as tx:
        assert len(tx.labels.checks(world.session.id)) == 3


def test_a_check_item_needs_a_lease(world):
    assert code_of(world.give, "key_1", CHECK, "garden") == "item-not-in-pool"


def test_a_check_answer_is_taken_back_like_any_other(world):
    lease = world.lease("per_a", CHECK)
    row = answer(world, "per_a", lease, "kitchen")
    world.undo("per_a", row.label_id)
    with world.store.read() as tx:
        assert tx.labels.checks(world.session.id) == []
    assert answer(world, "per_a", lease, "garden").status == "created"


def test_a_skipped_check_item_looks_like_any_other(world):
    skipped = world.give("per_a", 0, skip=True)
    lease = world.lease("per_a", CHECK)
    checked = world.send("per_a", replace(lease, skip=True), mode="atomic").results[0]
    assert (checked.status, checked.item_state) == (skipped.status, skipped.item_state)


@pytest.mark.parametrize(("limit", "state"), [(1, "excluded"), (2, "selected")])
def test_a_declined_check_item_shows_the_state_another_would(store, limit, state):
    world = World(store=store, people=PeopleSettings(skip_limit=limit))
    with world.store.write() as tx:
        shown = decline(
            tx,
            world.session,
            world.items[CHECK],
            annotator_id="per_a",
            assignment_id=None,
            note=None,
            clock=world.clock,
            ids=world.ids,
        )
    assert shown == state
    assert world.item(CHECK).state == "pooled"


def test_ones_latest_answers_hold_check_items_like_others(world):
    answer(world, "per_a", world.lease("per_a", 0), "garden")
    answer(world, "per_a", world.lease("per_a", CHECK), "garden")
    found = latest_labels(world.session, annotator_id="per_a", limit=10, store=world.store)
    assert [undoable for _, undoable in found] == [True, True]


def test_a_label_with_neither_lease_nor_item_is_unknown(world):
    result = world.send("per_a", NewLabel(item_id="itm_none", labels=("garden",)))
    assert result.results[0].error.code == "unknown-item"
