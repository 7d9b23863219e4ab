"""Label events and the answers that follow from them, on both databases."""

from dataclasses import replace

import pytest

from core.errors import Conflict, NotFound
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
