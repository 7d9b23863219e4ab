"""The queue on both databases: what may be claimed, and how leases end."""

from dataclasses import replace

import pytest

from core.errors import NotFound
from core.people import Exposure
from core.records import NewItem


@pytest.fixture
def open_batch(store, rows, pool):
    """Makes a batch of selected items, each of which needs so many answers."""

    def add(*numbers, round=1, needed=1, **changes):
        made = rows.batch(round, tuple(f"itm_{n}" for n in numbers), **changes)
        items = tuple(replace(item, answers_needed=needed) for item in made.items)
        with store.write() as tx:
            tx.batches.add(replace(made, items=items))
            tx.items.set_state("ses_1", [item.item_id for item in items], "selected")

    return add


@pytest.fixture
def hold(store, rows):
    def add(number, annotator_id="ann", **changes):
        name = f"asg_{annotator_id}_{number}"
        changes = {"item_id": f"itm_{number}", "annotator_id": annotator_id, **changes}
        made = rows.assignment(name, **changes)
        with store.write() as tx:
            tx.assignments.hold(made)
        return made

    return add


@pytest.fixture
def claimable(store, rows):
    def ask(annotator_id="ann", *, now=rows.now, limit=10, **filters):
        with store.read() as tx:
            found = tx.assignments.claimable("ses_1", annotator_id, limit=limit, now=now, **filters)
        return [item.item_id for item in found]

    return ask


def test_items_come_by_round_and_rank(open_batch, claimable):
    open_batch(3, 0, round=2)
    open_batch(2, 1, round=1)
    assert claimable() == ["itm_2", "itm_1", "itm_3", "itm_0"]
    assert claimable(limit=3) == ["itm_2", "itm_1", "itm_3"]
    assert claimable(batch_id="bat_2") == ["itm_3", "itm_0"]


def test_only_open_batches_give_items(open_batch, claimable):
    open_batch(0, 1, state="cancelled")
    assert claimable() == []


def test_an_item_that_somebody_holds_is_nobody_elses_until_the_lease_ends(
    open_batch, hold, claimable, later
):
    open_batch(0, 1)
    hold(0, "bob")
    assert claimable() == ["itm_1"]
    assert claimable(now=later(600)) == ["itm_0", "itm_1"]


def test_leases_and_answers_together_fill_what_an_item_needs(
    store, rows, open_batch, hold, claimable
):
    open_batch(0, needed=3)
    hold(0, "bob")
    with store.write() as tx:
        tx.labels.add_many([rows.label(1, "itm_0", kind="vote", annotator_id="cal")])
    assert claimable("ann") == ["itm_0"]
    with store.write() as tx:
        tx.labels.add_many([rows.label(2, "itm_0", kind="vote", annotator_id="dee")])
    assert claimable("ann") == []
    with store.write() as tx:
        tx.labels.add_many([rows.label(3, "itm_0", kind="undone", target_id="lab_2")])
    assert claimable("ann") == ["itm_0"]


def test_a_changed_vote_counts_once_and_an_extra_one_not_at_all(store, rows, open_batch, claimable):
    open_batch(0, needed=2)
    votes = [
        rows.label(1, "itm_0", kind="vote", annotator_id="bob"),
        rows.label(2, "itm_0", kind="vote", annotator_id="bob", target_id="lab_1"),
        rows.label(3, "itm_0", kind="vote", annotator_id="cal", status="unsolicited"),
    ]
    with store.write() as tx:
        tx.labels.add_many(votes)
    assert claimable("ann") == ["itm_0"]
    assert claimable("bob") == []


@pytest.mark.parametrize("state", ["submitted", "skipped", "flagged"])
def test_nobody_is_given_an_item_twice(open_batch, hold, claimable, later, state):
    open_batch(0, 1)
    hold(0, state=state, ended_at=later(1))
    assert claimable(now=later(5000)) == ["itm_1"]


def test_a_word_given_without_a_lease_keeps_the_item_away(store, rows, open_batch, claimable):
    open_batch(0, 1, needed=2)
    with store.write() as tx:
        tx.labels.add_many([rows.label(1, "itm_0", kind="declined", annotator_id="ann")])
    assert claimable() == ["itm_1"]


def test_what_one_let_go_comes_after_all_others(open_batch, hold, claimable, later):
    open_batch(0, 1, 2)
    hold(0, state="released", ended_at=later(1))
    hold(1, expires_at=later(10))
    assert claimable(now=later(20)) == ["itm_2", "itm_0", "itm_1"]
    assert claimable(now=later(5)) == ["itm_2", "itm_0"]


def test_what_one_took_back_comes_first(open_batch, hold, claimable, later):
    open_batch(0, 1, 2)
    hold(2, state="released", ended_at=later(1), reason="undone")
    hold(0, state="released", ended_at=later(1))
    assert claimable(now=later(2)) == ["itm_2", "itm_1", "itm_0"]


def test_a_lost_lease_can_be_taken_up_while_the_place_is_free(store, open_batch, hold, later):
    open_batch(0)
    lost = hold(0, expires_at=later(10))
    with store.read() as tx:
        assert tx.assignments.can_take(lost, now=later(20))
    hold(0, "bob", expires_at=later(600))
    with store.read() as tx:
        assert not tx.assignments.can_take(lost, now=later(20))
        assert tx.assignments.can_take(lost, now=later(700))


def test_languages_and_topics_are_filters(store, session, fill, rows, claimable):
    fill(
        session,
        NewItem(external_id="a", text="a", lang="de", metadata={"topics": ["Violence", "x"]}),
        NewItem(external_id="b", text="b", lang="EN", metadata={"topics": "self-harm"}),
        NewItem(external_id="c", text="c", metadata={"topics": 5}),
        prefix="itm",
    )
    with store.write() as tx:
        tx.batches.add(rows.batch(1, ("itm_0", "itm_1", "itm_2")))
        tx.items.set_state("ses_1", ["itm_0", "itm_1", "itm_2"], "selected")
    assert claimable(languages=["DE", "en"]) == ["itm_0", "itm_1"]
    assert claimable(avoid_topics=["violence"]) == ["itm_1", "itm_2"]
    assert claimable(avoid_topics=["violence"], limit=1) == ["itm_1"]
    assert claimable(languages=["en"], avoid_topics=["SELF-HARM"]) == []


def test_checks_come_until_they_are_answered(store, session, fill, hold, later):
    fill(session, *(NewItem(external_id=n, text=n, split="check") for n in "abc"), prefix="itm")
    hold(0, state="submitted", ended_at=later(1))
    hold(1, state="released", ended_at=later(1))
    with store.read() as tx:
        found = tx.assignments.claimable_checks("ses_1", "ann", limit=5)
        assert [(item.item_id, item.check) for item in found] == [("itm_1", True), ("itm_2", True)]
        assert len(tx.assignments.claimable_checks("ses_1", "bob", limit=2)) == 2


def test_a_row_is_renewed_under_its_own_id(store, hold, pool, later):
    first = hold(0)
    with store.write() as tx:
        again = replace(first, id="asg_other", token_sha256="d" * 64, expires_at=later(900))
        tx.assignments.hold(again)
    with store.read() as tx:
        assert tx.assignments.get("ses_1", first.id) == replace(again, id=first.id)
        assert tx.assignments.of_item("ses_1", "itm_0") == [replace(again, id=first.id)]
        assert tx.assignments.given("ses_1", "ann") == 1


def test_leases_are_extended_and_end(store, hold, pool, later):
    first, second = hold(0), hold(1)
    with store.write() as tx:
        tx.assignments.extend(first.id, expires_at=later(1000))
        tx.assignments.end([second.id], "skipped", now=later(3), reason="why")
    with store.read() as tx:
        assert [a.id for a in tx.assignments.held("ses_1", "ann", now=later(700))] == [first.id]
        ended = tx.assignments.of_person("ses_1", "ann", ["itm_1", "itm_9"])["itm_1"]
        assert (ended.state, ended.ended_at, ended.reason) == ("skipped", later(3), "why")
        assert tx.assignments.skips("ses_1", ["itm_0", "itm_1"]) == {"itm_1": 1}
        assert tx.assignments.leased_count(now=later(700)) == 1
        assert tx.assignments.leased_count(now=later(1000)) == 0
        assert tx.assignments.counts("ses_1") == {"leased": 1, "skipped": 1}


def test_an_unknown_assignment_is_refused(store, session):
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.assignments.get("ses_1", "asg_1")
    assert refused.value.code == "unknown-assignment"


@pytest.fixture
def all_leased(store, rows):
    def ask(annotator_id="ann", *, now=rows.now, **filters):
        with store.read() as tx:
            return tx.assignments.all_leased("ses_1", annotator_id, now=now, **filters)

    return ask


def test_all_is_leased_while_others_hold_what_is_left(store, open_batch, hold, all_leased, later):
    open_batch(0, 1, 2)
    assert not all_leased()
    hold(0, state="submitted", ended_at=later(1))
    hold(1, "bob", expires_at=later(40))
    hold(2, "cal", expires_at=later(30))
    assert all_leased(now=later(5))
    assert all_leased(now=later(35))
    assert not all_leased(now=later(45))
    with store.read() as tx:
        assert tx.assignments.first_end("ses_1", "ann", now=later(5)) == later(30)
        assert tx.assignments.first_end("ses_1", "ann", now=later(50)) is None


def test_what_a_person_cannot_be_given_is_not_waited_for(store, rows, open_batch, hold, all_leased):
    open_batch(0, 1, 2)
    hold(0, "bob")
    hold(0, state="submitted", ended_at=rows.now)
    assert not all_leased()
    hold(1, "bob")
    with store.write() as tx:
        tx.labels.add_many([rows.label(1, "itm_1", kind="vote", annotator_id="cal")])
    assert not all_leased()
    hold(2, "bob")
    assert all_leased()
    with store.write() as tx:
        tx.items.set_state("ses_1", ["itm_2"], "resolved")
    assert not all_leased()


def test_what_a_person_let_go_is_waited_for_again(open_batch, hold, all_leased, later):
    open_batch(0)
    hold(0, "bob", expires_at=later(1000))
    hold(0, state="released", ended_at=later(1))
    assert all_leased(now=later(5))
    hold(0, expires_at=later(3))
    assert all_leased(now=later(5))


def test_only_what_a_person_asks_for_is_waited_for(store, session, rows, hold, all_leased):
    news = [
        NewItem(external_id="a", text="a", lang="de", metadata={"topics": "Violence"}),
        NewItem(external_id="b", text="b", lang="en"),
    ]
    with store.write() as tx:
        added = tx.items.add_many(
            session,
            [(f"itm_{n}", new) for n, new in enumerate(news)],
            text_hashes="ab",
            now=rows.now,
        )
        tx.batches.add(rows.batch(1, ("itm_0",)))
        tx.items.set_state("ses_1", [item.id for item in added], "selected")
    hold(0, "bob")
    assert all_leased(languages=["DE"])
    assert not all_leased(languages=["en"])
    assert not all_leased(avoid_topics=["violence"])
    assert all_leased(avoid_topics=["other"], batch_id="bat_1")
    assert not all_leased(batch_id="bat_2")


def test_a_sitting_begins_after_the_last_pause(store, hold, pool, later):
    hold(0, state="submitted", claimed_at=later(0), ended_at=later(10))
    hold(1, state="skipped", claimed_at=later(0), ended_at=later(1010))
    hold(2, state="submitted", claimed_at=later(1010), ended_at=later(1050))
    hold(3, claimed_at=later(1050))
    with store.read() as tx:
        seen = tx.assignments.exposure("ses_1", "ann", since=later(500), break_seconds=600)
    assert seen == Exposure(
        answered=2,
        streak_items=2,
        streak_started=later(610),
        last_ended=later(1050),
        first_ended=later(1010),
    )


def test_who_did_nothing_is_exposed_to_nothing(store, session, rows):
    with store.read() as tx:
        seen = tx.assignments.exposure("ses_1", "ann", since=rows.now, break_seconds=600)
    assert seen == Exposure(answered=0, streak_items=0, streak_started=None, last_ended=None)
