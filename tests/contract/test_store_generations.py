"""Generated texts and their review, on both databases."""

from dataclasses import replace

import pytest

from core.errors import NotFound, PreconditionFailed
from core.records import Page


@pytest.fixture
def written(store, session, rows, later):
    made = [
        rows.generation("gen_1"),
        rows.generation("gen_2", state="accepted", labels=("harm", "none"), reviewed_at=later(1)),
        rows.generation("gen_3", state="edited", operation_id="opr_2", original_text="before"),
        rows.generation("gen_4", state="rejected", template_id="strict", original_labels=("none",)),
    ]
    with store.write() as tx:
        tx.generations.add_many(made)
    return made


def test_generations_come_back_as_they_were_stored(store, written):
    with store.read() as tx:
        assert [tx.generations.get("ses_1", row.id) for row in written] == written
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.generations.get("ses_2", "gen_1")
    assert refused.value.code == "unknown-generation"


def test_adding_a_generation_again_changes_nothing(store, written):
    again = [replace(written[0], text="other"), replace(written[0], id="gen_5")]
    with store.write() as tx:
        tx.generations.add_many(again)
    with store.read() as tx:
        assert tx.generations.by_ids("ses_1", ["gen_1", "gen_5"]) == {
            "gen_1": written[0],
            "gen_5": again[1],
        }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["gen_1", "gen_2", "gen_3", "gen_4"]),
        ({"state": "accepted"}, ["gen_2"]),
        ({"operation_id": "opr_2"}, ["gen_3"]),
        ({"label": "none"}, ["gen_2"]),
    ],
)
def test_generations_are_filtered(store, written, wanted, found):
    with store.read() as tx:
        assert [g.id for g in tx.generations.list("ses_1", Page(), **wanted)] == found


def test_generations_are_listed_after_an_id(store, written):
    with store.read() as tx:
        assert tx.generations.list("ses_1", Page(limit=1, after="gen_2")) == [written[2]]
        assert tx.generations.of_operation("ses_1", "opr_2") == [written[2]]


def test_what_was_accepted_or_edited_is_usable(store, written):
    with store.read() as tx:
        assert tx.generations.usable("ses_1") == written[1:3]
        assert tx.generations.count_reviewed("ses_1") == 1


def test_generations_are_counted_per_class(store, written):
    with store.read() as tx:
        assert tx.generations.counts("ses_1") == {
            ("harm", "attributes", "proposed"): 1,
            ("harm", "attributes", "accepted"): 1,
            ("none", "attributes", "accepted"): 1,
            ("harm", "attributes", "edited"): 1,
            ("harm", "strict", "rejected"): 1,
        }


def test_a_review_is_saved_over_the_seen_revision_only(store, written):
    changed = replace(written[0], state="accepted", reviewer="ann", revision=2)
    with store.write() as tx:
        tx.generations.save(changed, expected_revision=1)
    with pytest.raises(PreconditionFailed), store.write() as tx:
        tx.generations.save(changed, expected_revision=1)
    with store.read() as tx:
        assert tx.generations.get("ses_1", "gen_1") == changed
