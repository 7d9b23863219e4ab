"""Several people answer one item: votes, consensus, conflicts, extras, late answers, undo."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.closing import close_batch
from core.errors import Conflict
from core.labelling import decline
from core.records import Page, PeopleSettings
from core.requests import NewLabel
from core.rounds.adjudicate import adjudicate, conflicts
from core.rounds.cancel import cancel_batch
from core.rounds.expire import expire_batches
from core.rounds.label import latest_labels
from tests.unit.core.answering_world import World, new_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = new_store(tmp_path_factory.mktemp("several"))
    yield opened
    opened.close()


@pytest.fixture
def world(store):
    """Two people answer each item."""
    return World(store=store)


@pytest.fixture
def make(store):
    return lambda **options: World(store=store, **options)


def code_of(act, *args, **options):
    with pytest.raises(Conflict) as refused:
        act(*args, **options)
    return refused.value.code


def close(world, state):
    with world.store.write() as tx:
        close_batch(tx, world.session, world.batch, state, clock=world.clock)


# --- votes and what they come to --------------------------------------------------


def test_one_of_two_answers_decides_nothing(world):
    row = world.give("ann", 0, "garden")
    assert (row.status, row.item_state) == ("created", "selected")
    assert world.labelled() == {}
    assert world.kinds(0) == ["vote"]


def test_two_equal_answers_resolve_their_item(world):
    world.give("ann", 0, "garden")
    row = world.give("bob", 0, "garden")
    assert row.item_state == "resolved"
    assert world.labelled() == {0: ("garden",)}
    assert world.kinds(0) == ["vote", "vote", "created"]
    [event] = world.happened("item.resolved")
    assert event.data == {
        "item_id": world.items[0].id,
        "batch_id": world.batch.id,
        "labels": ["garden"],
    }


def test_the_deciding_event_names_its_rule_and_nobody(world):
    world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    with world.store.read() as tx:
        [word] = tx.labels.current(world.session.id, [world.items[0].id]).values()
    assert (word.oracle, word.annotator_id, word.batch_id) == (
        "majority",
        "consensus",
        world.batch.id,
    )


def test_two_different_answers_are_a_conflict(world):
    world.give("ann", 0, "garden")
    assert world.give("bob", 0, "kitchen").item_state == "conflict"
    assert world.labelled() == {}
    [event] = world.happened("item.conflict")
    assert event.data == {"item_id": world.items[0].id, "batch_id": world.batch.id}


def test_the_watermark_covers_the_deciding_event(world):
    world.give("ann", 0, "garden")
    result = world.send("bob", NewLabel(item_id=world.items[0].id, labels=("garden",)))
    assert result.label_watermark == 3


def test_a_batch_waits_for_its_conflicts(make):
    world = make(size=2)
    for who in ("ann", "bob"):
        world.give(who, 0, "garden")
    world.give("ann", 1, "garden")
    world.give("bob", 1, "kitchen")
    assert world.batch_state() == "open"
    decide(world, 1, "harbour")
    assert world.batch_state() == "completed"


def test_one_upload_with_several_votes_settles_them_all(world):
    answers = [NewLabel(item_id=item.id, labels=("garden",)) for item in world.items[:4]]
    world.send("ann", *answers)
    result = world.send("bob", *answers)
    assert [row.item_state for row in result.results] == ["resolved"] * 4
    assert world.batch_state() == "completed"


def test_the_answer_of_a_program_counts_alone(world):
    answer = NewLabel(item_id=world.items[0].id, labels=("garden",))
    result = world.send("oracle:gold", answer, oracle="gold")
    assert result.results[0].item_state == "resolved"
    assert world.kinds(0) == ["created"]


def test_a_second_answer_of_a_person_is_replayed_or_refused(world):
    first = world.give("ann", 0, "garden")
    again = world.give("ann", 0, "garden")
    assert (again.status, again.label_id) == ("replayed", first.label_id)
    assert code_of(world.give, "ann", 0, "kitchen") == "already-labelled"


def test_the_same_client_id_is_replayed_when_the_item_is_decided(world):
    first = world.give("ann", 0, "garden", client_label_id="c")
    world.give("bob", 0, "garden")
    again = world.give("ann", 0, "garden", client_label_id="c")
    assert (again.status, again.label_id) == ("replayed", first.label_id)
    assert again.item_state == "resolved"


def test_a_third_answer_is_refused(world):
    world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    assert code_of(world.give, "cem", 0, "garden") == "overlap-reached"
    world.give("ann", 1, "garden")
    world.give("bob", 1, "kitchen")
    assert code_of(world.give, "cem", 1, "garden") == "overlap-reached"


def test_a_third_answer_is_kept_on_request_and_decides_nothing(world):
    world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    row = world.give("cem", 0, "kitchen", allow_extra=True)
    assert (row.status, row.item_state) == ("created", "resolved")
    assert world.labelled() == {0: ("garden",)}
    assert world.give("cem", 0, "kitchen").status == "replayed"


def test_an_extra_answer_to_an_item_that_needs_one_is_a_vote(make):
    world = make(needed=1)
    world.give("ann", 0, "garden")
    assert code_of(world.give, "bob", 0, "garden") == "overlap-reached"
    world.give("bob", 0, "kitchen", allow_extra=True)
    assert world.kinds(0) == ["created", "vote"]
    assert world.labelled() == {0: ("garden",)}


# --- changing one's mind ----------------------------------------------------------


def test_replacing_ones_vote_decides_anew(world):
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    row = world.give("ann", 0, "kitchen", supersedes=first.label_id)
    assert (row.status, row.item_state) == ("superseded", "conflict")
    assert world.labelled() == {}


def test_replacing_ones_vote_can_end_a_conflict(world):
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "kitchen")
    row = world.give("ann", 0, "kitchen", supersedes=first.label_id)
    assert row.item_state == "resolved"
    assert world.labelled() == {0: ("kitchen",)}


def test_only_ones_own_vote_is_replaced(world):
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    assert code_of(world.give, "bob", 0, "kitchen", supersedes=first.label_id) == (
        "label-not-current"
    )
    with world.store.read() as tx:
        [word] = tx.labels.current(world.session.id, [world.items[0].id]).values()
    assert code_of(world.give, "bob", 0, "kitchen", supersedes=word.id) == "label-not-current"


def test_a_person_does_not_replace_somebody_elses_answer(make):
    world = make(needed=1)
    first = world.give("per_a", 0, "garden")
    assert code_of(world.give, "per_b", 0, "kitchen", supersedes=first.label_id) == (
        "not-your-label"
    )


def test_undoing_a_vote_takes_the_decision_back(world):
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    world.undo("ann", first.label_id)
    assert world.item(0).state == "selected"
    assert world.labelled() == {}
    assert world.give("cem", 0, "garden").item_state == "resolved"


def test_undoing_a_vote_opens_a_completed_batch(make):
    world = make(size=1)
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    assert world.batch_state() == "completed"
    world.undo("ann", first.label_id)
    assert world.batch_state() == "open"


def test_undoing_a_vote_ends_a_conflict(world):
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "kitchen")
    world.undo("ann", first.label_id)
    assert world.item(0).state == "selected"


def test_an_extra_answer_does_not_take_a_freed_place(world):
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "garden")
    world.give("cem", 0, "garden", allow_extra=True)
    world.undo("ann", first.label_id)
    assert world.item(0).state == "selected"


def test_a_person_takes_back_the_last_ten_only(make):
    world = make(needed=1, size=11)
    given = [world.give("per_a", place, "garden") for place in range(11)]
    assert code_of(world.undo, "per_a", given[0].label_id) == "undo-window-closed"
    world.undo("per_a", given[1].label_id)
    world.undo("per_a", given[0].label_id)


def test_a_key_is_not_bound_to_the_last_ten(make):
    world = make(needed=1, size=11)
    given = [world.give("key_1", place, "garden") for place in range(11)]
    assert world.undo("key_1", given[0].label_id).kind == "undone"


def test_ones_latest_answers_say_what_can_be_taken_back(make):
    world = make(needed=1, size=4)
    world.give("per_a", 0, "garden")
    world.give("per_b", 1, "garden")
    world.give("per_a", 2, skip=True)
    found = latest_labels(world.session, annotator_id="per_a", limit=10, store=world.store)
    assert [(event.kind, undoable) for event, undoable in found] == [
        ("skipped", True),
        ("created", True),
    ]


# --- declining --------------------------------------------------------------------


def turn_down(world, who, place):
    with world.store.write() as tx:
        return decline(
            tx,
            world.session,
            tx.items.get(world.session.id, world.items[place].id),
            annotator_id=who,
            assignment_id=None,
            note="unreadable",
            clock=world.clock,
            ids=world.ids,
        )


def test_as_many_people_as_the_limit_take_an_item_out(make):
    world = make(people=PeopleSettings(skip_limit=2), size=1)
    assert turn_down(world, "ann", 0) == "selected"
    assert turn_down(world, "bob", 0) == "excluded"
    assert world.kinds(0) == ["declined", "declined", "skipped"]
    assert world.batch_state() == "completed"


def test_undoing_a_declination_puts_the_item_back(make):
    world = make(people=PeopleSettings(skip_limit=2))
    turn_down(world, "ann", 0)
    turn_down(world, "bob", 0)
    with world.store.read() as tx:
        [event] = tx.labels.by_annotator(world.session.id, "bob", limit=1)
    world.undo("bob", event.id)
    assert world.item(0).state == "selected"


def test_a_skip_by_request_counts_as_one_declination(make):
    world = make(needed=1, people=PeopleSettings(skip_limit=2))
    assert world.give("ann", 0, skip=True).item_state == "selected"
    row = world.give("bob", 0, skip=True)
    assert (row.status, row.item_state) == ("skipped", "excluded")


def test_undoing_a_skip_puts_the_item_back(make):
    world = make(needed=1)
    row = world.give("ann", 0, skip=True)
    assert world.kinds(0) == ["skipped"]
    world.undo("ann", row.label_id)
    assert world.item(0).state == "selected"


def test_a_skipped_item_takes_no_answers(make):
    world = make(needed=2)
    world.give("ann", 0, skip=True)
    assert code_of(world.give, "bob", 0, "garden") == "item-excluded"


def test_an_item_put_back_by_hand_starts_without_its_skips(make):
    world = make(needed=2)
    world.give("ann", 0, skip=True)
    with world.store.write() as tx:
        tx.items.set_state(world.session.id, [world.items[0].id], "pooled")
    world.select([0])
    world.give("bob", 0, "garden")
    assert world.give("cem", 0, "garden").item_state == "resolved"


def test_an_item_taken_out_by_hand_stays_out(world):
    row = world.give("ann", 0, "garden")
    with world.store.write() as tx:
        tx.items.set_state(world.session.id, [world.items[0].id], "excluded")
    world.undo("ann", row.label_id)
    assert world.item(0).state == "excluded"


# --- late answers -----------------------------------------------------------------


@pytest.mark.parametrize("state", ["expired", "superseded"])
def test_an_answer_after_its_batch_closed_counts_as_late(make, state):
    world = make(needed=1)
    close(world, state)
    assert world.item(0).state == "pooled"
    row = world.give("ann", 0, "garden", batch_id=world.batch.id)
    assert row.item_state == "resolved"
    with world.store.read() as tx:
        assert tx.labels.get(world.session.id, str(row.label_id)).status == "late"
    assert world.labelled() == {0: ("garden",)}


def test_late_votes_decide_together_with_earlier_ones(world):
    world.give("ann", 0, "garden")
    close(world, "expired")
    assert world.item(0).state == "pooled"
    assert world.give("bob", 0, "garden").item_state == "resolved"


def test_undoing_a_late_answer_returns_the_item_to_the_pool(make):
    world = make(needed=1)
    close(world, "expired")
    row = world.give("ann", 0, "garden")
    world.undo("ann", row.label_id)
    assert world.item(0).state == "pooled"
    assert world.batch_state() == "expired"


def test_a_late_answer_to_a_resolved_item_is_refused(make):
    world = make(needed=1)
    world.give("ann", 0, "garden")
    close(world, "expired")
    late = {"batch_id": world.batch.id}
    assert code_of(world.give, "bob", 0, "garden", **late) == "batch-closed"
    row = world.give("bob", 0, "kitchen", **late, allow_unsolicited=True)
    assert row.item_state == "resolved"
    assert world.labelled() == {0: ("garden",)}


def test_an_answer_to_a_cancelled_batch_is_refused_unless_asked_for(world):
    cancel_batch(world.session, world.batch.id, store=world.store, clock=world.clock)
    assert code_of(world.give, "ann", 0, "garden") == "batch-closed"
    row = world.give("ann", 0, "garden", allow_unsolicited=True)
    assert row.item_state == "resolved"


def test_a_late_answer_counts_against_the_budget(make):
    world = make(needed=1, budget=1)
    close(world, "expired")
    world.give("ann", 0, "garden")
    assert code_of(world.give, "ann", 1, "garden") == "budget-exceeded"


def test_a_second_late_vote_costs_nothing_more(make):
    world = make(budget=1)
    world.give("ann", 0, "garden")
    close(world, "expired")
    assert world.give("bob", 0, "garden").item_state == "resolved"


def test_overdue_batches_expire_and_say_so(world):
    with world.store.write() as tx:
        late = replace(
            world.batch, id="bat_late" + world.session.id, round=9, expires_at=world.clock.now()
        )
        tx.batches.add(late)
    assert expire_batches(store=world.store, clock=world.clock) == 1
    assert expire_batches(store=world.store, clock=world.clock) == 0
    [event] = world.happened("batch.expired")
    assert event.data == {"batch_id": late.id, "round": 9, "returned": 4}


def test_items_in_conflict_stay_so_when_their_batch_is_cancelled(world):
    world.give("ann", 0, "garden")
    world.give("bob", 0, "kitchen")
    cancel_batch(world.session, world.batch.id, store=world.store, clock=world.clock)
    assert world.states() == ["conflict", "pooled", "pooled", "pooled"]
    assert decide(world, 0, "garden").item_state == "resolved"


# --- adjudication -----------------------------------------------------------------


def decide(world, place, *labels, by="key_lead", note=None):
    return adjudicate(
        world.session,
        world.items[place].id,
        labels,
        note=note,
        adjudicator=by,
        store=world.store,
        clock=world.clock,
        ids=world.ids,
    )


def test_conflicts_show_the_answers_without_names(world):
    world.give("ann", 0, "garden", note="roses")
    world.give("bob", 0, "kitchen")
    [found] = conflicts(world.session, Page(), store=world.store)
    assert found.item.id == world.items[0].id
    assert [(a.who, a.labels, a.note, a.annotator_id) for a in found.answers] == [
        ("A", ("garden",), "roses", None),
        ("B", ("kitchen",), None, None),
    ]


def test_a_decision_resolves_the_item_and_names_who_answered(world):
    world.give("ann", 0, "garden")
    world.give("bob", 0, "kitchen")
    decided = decide(world, 0, "harbour", note="neither")
    assert decided.item_state == "resolved"
    assert [answer.annotator_id for answer in decided.answers] == ["ann", "bob"]
    assert world.labelled() == {0: ("harbour",)}
    with world.store.read() as tx:
        word = tx.labels.get(world.session.id, decided.label_id)
    assert (word.oracle, word.annotator_id, word.note) == ("adjudicated", "key_lead", "neither")
    [event] = world.happened("item.resolved")
    assert event.data["labels"] == ["harbour"]


def test_only_a_conflict_is_decided(world):
    assert code_of(decide, world, 0, "garden") == "no-conflict"


def test_a_decision_stands_when_a_vote_is_taken_back(world):
    first = world.give("ann", 0, "garden")
    world.give("bob", 0, "kitchen")
    decide(world, 0, "harbour")
    world.undo("ann", first.label_id)
    assert world.labelled() == {0: ("harbour",)}


def test_taking_a_decision_back_restores_the_conflict(world):
    world.give("ann", 0, "garden")
    world.give("bob", 0, "kitchen")
    decided = decide(world, 0, "harbour")
    world.undo("key_lead", decided.label_id)
    assert world.item(0).state == "conflict"


def test_votes_of_an_earlier_batch_stand(world):
    world.give("ann", 0, "garden")
    close(world, "superseded")
    world.select([0])
    assert world.give("bob", 0, "garden").item_state == "resolved"
