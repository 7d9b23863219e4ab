"""Batches at a provider are remembered until they are gone there too, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest


@pytest.fixture
def add(store, session):
    def store_them(*batches):
        with store.write() as tx:
            for batch in batches:
                tx.provider_batches.add(batch)

    return store_them


def read(store, batch_id="pbt_1"):
    with store.read() as tx:
        return tx.provider_batches.get(batch_id)


def test_a_batch_comes_back_as_it_was_stored(store, rows, add):
    add(rows.handed_in())
    assert read(store) == rows.handed_in()
    assert read(store, "pbt_2") is None


def test_a_saved_batch_is_changed_and_a_removed_one_is_gone(store, rows, add):
    add(rows.handed_in(state="sending", provider_id=None))
    with store.write() as tx:
        tx.provider_batches.save(rows.handed_in())
    assert read(store).provider_id == "msgbatch_1"
    with store.write() as tx:
        tx.provider_batches.remove("pbt_1")
    assert read(store) is None


def test_ids_that_are_ours_are_known_whosever_session_it_was(store, rows, add):
    add(rows.handed_in(), rows.handed_in("pbt_2", provider_id=None))
    with store.read() as tx:
        assert tx.provider_batches.taken(["msgbatch_1", "msgbatch_9"]) == {"msgbatch_1"}
        assert tx.provider_batches.taken([]) == set()


def test_a_purge_leaves_names_to_erase_and_nothing_of_what_was_asked(store, rows, add):
    add(rows.handed_in(), rows.handed_in("pbt_2", state="sending", provider_id=None))
    with store.write() as tx:
        tx.sessions.purge("ses_1")
    with store.read() as tx:
        left = tx.provider_batches.leaving("ses_1")
    assert [(row.id, row.provider_id, row.calls) for row in left] == [
        ("pbt_1", "msgbatch_1", ()),
        ("pbt_2", None, ()),
    ]
    assert all(row.size == 1 for row in left)


def test_a_second_purge_does_not_hurry_what_waits(store, rows, add):
    later = rows.now + timedelta(hours=3)
    add(replace(rows.handed_in(), state="leaving", next_at=later))
    with store.write() as tx:
        tx.sessions.purge("ses_1")
    assert read(store).next_at == later


def test_only_leaving_batches_whose_time_has_come_are_due(store, rows, add):
    at = {n: rows.now + timedelta(minutes=n) for n in (-2, -1, 1)}
    add(
        rows.handed_in(),
        rows.handed_in("pbt_late", state="leaving", next_at=at[1]),
        rows.handed_in("pbt_b", state="leaving", next_at=at[-1]),
        rows.handed_in("pbt_a", state="leaving", next_at=at[-2]),
    )
    with store.read() as tx:
        assert [row.id for row in tx.provider_batches.due(now=rows.now)] == ["pbt_a", "pbt_b"]
        assert [row.id for row in tx.provider_batches.due(now=rows.now, limit=1)] == ["pbt_a"]
