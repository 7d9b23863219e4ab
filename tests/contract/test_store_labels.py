"""Label events and the answers that follow from them, on both databases."""

from dataclasses import replace

import pytest

from core.errors import Conflict, NotFound
from core.history import History
from core.records import Labelled, Page


@pytest.fixture
def say(store, rows, pool):
    """Appends label events given as (item number, kind, changes)."""

    def add(*events):
        with store.write() as tx:
            seq = tx.labels.watermark("ses_1")
            made = [
                rows.label(seq + n, f"itm_{item}", kind=kind, **changes)
                for n, (item, kind, changes) in enumerate(events, start=1)
            ]
            tx.labels.add_many(made)
        return made

    return add


def answers(store, **options):
    with store.read() as tx:
        return {row.position: row.labels for row in tx.labels.labelled("ses_1", **options)}


def current(store):
    with store.read() as tx:
        found = tx.labels.current("ses_1", [f"itm_{n}" for n in range(6)])
    return {item_id: event.seq for item_id, event in found.items()}


NONE = {"labels": ("none",)}


def test_label_events_come_back_by_seq(store, say):
    first, second = say((0, "created", {"note": "n", "client_label_id": "c"}), (1, "skipped", {}))
    with store.read() as tx:
        assert tx.labels.list("ses_1", Page()) == [first, second]
        assert tx.labels.list("ses_1", Page(after="1")) == [second]
        assert tx.labels.list("ses_1", Page(), item_id="itm_0") == [first]
        assert tx.labels.get("ses_1", "lab_1") == first
        assert tx.labels.watermark("ses_1") == 2
        assert tx.labels.by_client_ids("ses_1", "ann", ["c", "d"]) == {"c": first}
        assert tx.labels.by_client_ids("ses_1", "bob", ["c"]) == {}


def test_there_is_no_label_at_first(store, session):
    with store.read() as tx:
        assert tx.labels.watermark("ses_1") == 0
        assert tx.labels.labelled("ses_1") == []
        assert tx.labels.bought("ses_1") == 0
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.labels.get("ses_1", "lab_1")
    assert refused.value.code == "unknown-label"


@pytest.mark.parametrize("changes", [{"seq": 1}, {"client_label_id": "c"}])
def test_a_seq_and_a_client_id_are_taken_once(store, rows, say, changes):
    say((0, "created", {"client_label_id": "c"}))
    with pytest.raises(Conflict), store.write() as tx:
        tx.labels.add_many([replace(rows.label(2), **changes)])


def test_an_answer_counts_with_its_place_in_the_pool(store, say):
    say((1, "created", {}), (0, "created", NONE))
    with store.read() as tx:
        assert tx.labels.labelled("ses_1") == [
            Labelled(item_id="itm_0", position=0, labels=("none",), seq=2, split="pool"),
            Labelled(item_id="itm_1", position=1, labels=("harm",), seq=1, split="pool"),
        ]
    assert current(store) == {"itm_0": 2, "itm_1": 1}


def test_a_superseding_answer_counts_instead(store, say):
    say((0, "created", {}), (0, "superseded", {**NONE, "target_id": "lab_1"}))
    assert answers(store) == {0: ("none",)}
    assert answers(store, watermark=1) == {0: ("harm",)}


def test_an_undone_answer_counts_no_more(store, say):
    say((0, "created", {}), (0, "undone", {"target_id": "lab_1", "labels": ()}))
    assert answers(store) == {}
    assert current(store) == {}
    assert answers(store, watermark=1) == {0: ("harm",)}


def test_undoing_a_superseding_answer_brings_the_earlier_one_back(store, say):
    say(
        (0, "created", {}),
        (0, "superseded", {**NONE, "target_id": "lab_1"}),
        (0, "undone", {"target_id": "lab_2", "labels": ()}),
    )
    assert answers(store) == {0: ("harm",)}
    assert answers(store, watermark=2) == {0: ("none",)}


def test_nothing_comes_back_when_the_earlier_answer_is_undone_too(store, say):
    say(
        (0, "created", {}),
        (0, "superseded", {**NONE, "target_id": "lab_1"}),
        (0, "undone", {"target_id": "lab_2", "labels": ()}),
        (0, "undone", {"target_id": "lab_1", "labels": ()}),
    )
    assert answers(store) == {}


def test_undoing_the_first_answer_leaves_the_one_that_replaced_it(store, say):
    say(
        (0, "created", {}),
        (0, "superseded", {**NONE, "target_id": "lab_1"}),
        (0, "undone", {"target_id": "lab_1", "labels": ()}),
    )
    assert answers(store) == {0: ("none",)}


def test_a_new_answer_after_an_undo_counts(store, say):
    say(
        (0, "created", {}),
        (0, "undone", {"target_id": "lab_1", "labels": ()}),
        (0, "created", NONE),
    )
    assert answers(store) == {0: ("none",)}


def test_a_skip_is_the_last_word_until_it_is_undone(store, say):
    say((0, "created", {}), (0, "skipped", {"labels": ()}))
    assert answers(store) == {} == current(store)
    say((0, "undone", {"target_id": "lab_2", "labels": ()}))
    assert answers(store) == {0: ("harm",)}


def test_one_event_of_an_item_counts_now(store, say):
    say(
        (0, "created", {}),
        (1, "created", {}),
        (0, "superseded", {"target_id": "lab_1"}),
        (2, "skipped", {"labels": ()}),
    )
    with store.read() as tx:
        counting = [n for n in range(1, 6) if tx.labels.counts_now("ses_1", f"lab_{n}")]
    assert counting == [2, 3, 4]


def test_answers_of_test_rows_and_deleted_rows_do_not_train(store, say):
    say((0, "created", {}), (1, "created", {}), (4, "created", {}))
    with store.write() as tx:
        tx.items.delete("ses_1", "itm_1")
    assert answers(store) == {0: ("harm",)}


def test_an_item_is_bought_once_and_stays_bought(store, say):
    say(
        (0, "created", {}),
        (0, "superseded", {"target_id": "lab_1"}),
        (0, "undone", {"target_id": "lab_2", "labels": ()}),
        (0, "undone", {"target_id": "lab_1", "labels": ()}),
        (1, "skipped", {"labels": ()}),
        (2, "created", {}),
    )
    with store.read() as tx:
        assert tx.labels.bought("ses_1") == 2


def histories(store):
    with store.read() as tx:
        found = tx.labels.of_items("ses_1", [f"itm_{n}" for n in range(6)])
    return {item_id: History(events) for item_id, events in found.items()}


def by_seq(votes):
    return sorted((vote for some in votes for vote in some), key=lambda vote: vote.seq)


def of_people(store, name="votes"):
    with store.read() as tx:
        return [(v.item_id, v.annotator_id, v.labels) for v in getattr(tx.labels, name)("ses_1")]


def test_votes_decide_nothing_by_themselves(store, say):
    say((0, "vote", {}), (0, "declined", {"labels": (), "annotator_id": "bob"}), (1, "check", {}))
    assert answers(store) == {} == current(store)
    assert [history.word() for history in histories(store).values()] == [None] * 6


def test_the_last_word_may_be_a_skip(store, say):
    say((0, "created", {}), (0, "skipped", {"labels": ()}), (1, "created", {}))
    words = {item: h.word() for item, h in histories(store).items()}
    assert {item: event.kind for item, event in words.items() if event} == {
        "itm_0": "skipped",
        "itm_1": "created",
    }


def test_a_history_has_the_item_s_events_of_this_session_by_seq(store, say):
    first, _, third = say((0, "vote", {}), (1, "vote", {}), (0, "undone", {"target_id": "lab_1"}))
    assert histories(store)["itm_0"].events == [first, third]
    with store.read() as tx:
        assert tx.labels.of_items("ses_2", ["itm_0"]) == {"itm_0": []}
        assert tx.labels.of_items("ses_1", []) == {}


def test_histories_say_what_the_database_says(store, say):
    bob = {"annotator_id": "bob"}
    say(
        (0, "vote", {}),
        (0, "declined", {**bob, "labels": ()}),
        (0, "vote", {**NONE, "target_id": "lab_1"}),
        (1, "vote", {**bob, "status": "unsolicited", "note": "why"}),
        (1, "created", {"annotator_id": "consensus"}),
        (2, "vote", {}),
        (2, "declined", {"labels": (), "target_id": "lab_6"}),
        (3, "vote", bob),
        (3, "undone", {**bob, "labels": (), "target_id": "lab_8"}),
        (4, "created", {}),
        (4, "undone", {"labels": (), "target_id": "lab_10"}),
        (5, "check", {}),
    )
    found = list(histories(store).values())
    with store.read() as tx:
        assert tx.labels.votes("ses_1") == by_seq(h.votes() for h in found)
        assert tx.labels.declines("ses_1") == by_seq(h.declines() for h in found)
    words = {f"itm_{n}": h.word().seq for n, h in enumerate(found) if h.word()}
    assert words == current(store) == {"itm_1": 5}


def test_each_person_has_one_vote_and_the_later_one_stands(store, say):
    say(
        (0, "vote", {}),
        (0, "vote", {"annotator_id": "bob"}),
        (0, "vote", {**NONE, "target_id": "lab_1"}),
    )
    assert of_people(store) == [("itm_0", "bob", ("harm",)), ("itm_0", "ann", ("none",))]
    say((0, "undone", {"target_id": "lab_3", "labels": ()}))
    assert of_people(store) == [("itm_0", "ann", ("harm",)), ("itm_0", "bob", ("harm",))]


def test_who_declines_after_a_vote_has_no_vote(store, say):
    say((0, "vote", {}), (0, "declined", {"labels": (), "target_id": "lab_1"}))
    assert of_people(store) == []
    assert of_people(store, "declines") == [("itm_0", "ann", ())]


def test_votes_are_found_by_item(store, say):
    say((0, "vote", {"note": "why"}), (1, "vote", {"status": "unsolicited"}), (2, "check", {}))
    with store.read() as tx:
        [first] = tx.labels.votes("ses_1", ["itm_0"])
        [second] = tx.labels.votes("ses_1", ["itm_1"])
        assert tx.labels.votes("ses_1", []) == []
        assert [vote.item_id for vote in tx.labels.checks("ses_1")] == ["itm_2"]
    assert (first.label_id, first.note, first.extra) == ("lab_1", "why", False)
    assert second.extra


def test_a_vote_counts_now_until_its_person_says_something_else(store, say):
    say(
        (0, "vote", {}),
        (0, "vote", {"annotator_id": "bob"}),
        (0, "created", {"annotator_id": "consensus"}),
        (0, "vote", {**NONE, "target_id": "lab_1"}),
        (1, "check", {}),
    )
    with store.read() as tx:
        counting = [n for n in range(1, 7) if tx.labels.counts_now("ses_1", f"lab_{n}")]
    assert counting == [2, 3, 4, 5]


def test_the_latest_of_a_person_come_newest_first(store, say):
    say(
        (0, "vote", {}),
        (1, "created", {"annotator_id": "bob"}),
        (2, "created", {}),
        (2, "superseded", {**NONE, "target_id": "lab_3"}),
        (3, "declined", {"labels": ()}),
        (3, "undone", {"labels": (), "target_id": "lab_5"}),
        (5, "check", {}),
    )
    with store.read() as tx:
        latest = tx.labels.by_annotator("ses_1", "ann", limit=10)
        two = tx.labels.by_annotator("ses_1", "ann", limit=2)
    assert [event.seq for event in latest] == [7, 4, 1]
    assert two == latest[:2]


def test_undoing_a_replacement_brings_the_replaced_back_to_the_latest(store, say):
    say(
        (2, "created", {}),
        (2, "superseded", {**NONE, "target_id": "lab_1"}),
        (2, "undone", {"labels": (), "target_id": "lab_2"}),
    )
    with store.read() as tx:
        assert [e.seq for e in tx.labels.by_annotator("ses_1", "ann", limit=10)] == [1]


def test_a_vote_buys_its_item_and_a_check_buys_nothing(store, say):
    say((0, "vote", {}), (0, "vote", {"annotator_id": "bob"}), (1, "check", {}))
    with store.read() as tx:
        assert tx.labels.bought("ses_1") == 1


def test_items_that_wait_unanswered_are_pledged(store, say):
    with store.write() as tx:
        tx.items.set_state("ses_1", ["itm_0", "itm_1"], "selected")
    say((0, "vote", {}))
    with store.read() as tx:
        assert tx.labels.pledged("ses_1") == 1


def test_what_a_person_said_of_an_item_is_found(store, say):
    say(
        (0, "vote", {}),
        (0, "vote", {"annotator_id": "bob"}),
        (1, "declined", {"labels": ()}),
        (2, "created", {}),
        (5, "check", {}),
    )
    said = {item: h.said("ann") for item, h in histories(store).items()}
    assert {item: event.seq for item, event in said.items() if event} == {
        "itm_0": 1,
        "itm_1": 3,
        "itm_5": 5,
    }
