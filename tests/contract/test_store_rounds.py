"""Index versions, batches and models, on both databases."""

from dataclasses import replace

import pytest

from core.errors import Conflict, Gone, NotFound
from core.records import Page


def test_the_newest_index_version_is_current(store, session, rows):
    first, second = rows.index(1), rows.index(2, model_id="mod_1")
    with store.write() as tx:
        tx.indexes.add(first)
        tx.indexes.add(second)
    with store.read() as tx:
        assert tx.indexes.latest("ses_1") == second
        assert tx.indexes.get("ses_1", "idx_1") == first
        assert tx.indexes.with_model("ses_1", "mod_1") == second
        assert tx.indexes.with_model("ses_1", "mod_2") is None
        assert tx.indexes.latest("ses_2") is None
    with pytest.raises(NotFound), store.read() as tx:
        tx.indexes.get("ses_2", "idx_1")


def test_an_index_sequence_is_given_once(store, session, rows):
    with store.write() as tx:
        tx.indexes.add(rows.index(1))
    with pytest.raises(Conflict), store.write() as tx:
        tx.indexes.add(rows.index(1, id="idx_x"))


def test_a_batch_comes_back_with_its_picks_in_order(store, pool, rows):
    batch = rows.batch(1, ("itm_3", "itm_0"))
    with store.write() as tx:
        tx.batches.add(batch)
    with store.read() as tx:
        assert tx.batches.get("ses_1", "bat_1") == batch
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.batches.get("ses_2", "bat_1")
    assert refused.value.code == "unknown-batch"


def test_batches_are_listed_by_state_and_round(store, pool, rows):
    made = [rows.batch(n, (f"itm_{n}",)) for n in (1, 2, 3)]
    with store.write() as tx:
        for batch in reversed(made):
            tx.batches.add(batch)
        tx.batches.set_state("bat_2", "completed")
    made[1] = replace(made[1], state="completed")
    with store.read() as tx:
        assert tx.batches.all("ses_1") == made
        assert tx.batches.open("ses_1") == [made[0], made[2]]
        assert tx.batches.list("ses_1", Page(limit=1, after="bat_1")) == [made[1]]
        assert tx.batches.list("ses_1", Page(), state="completed") == [made[1]]
        assert tx.batches.count("ses_1") == 3


def test_a_batch_without_items_is_a_batch(store, session, rows):
    with store.write() as tx:
        tx.batches.add(rows.batch(1, ()))
    with store.read() as tx:
        assert tx.batches.get("ses_1", "bat_1").items == ()


def test_a_batch_is_found_by_the_request_that_made_it(store, pool, rows):
    batch = rows.batch(1, ("itm_0",))
    with store.write() as tx:
        tx.batches.add(batch)
        tx.batches.remember_request("bat_1", "key-1")
        tx.batches.remember_request("bat_1", "key-2")
    with store.read() as tx:
        assert tx.batches.by_request("ses_1", "key-1") == batch
        assert tx.batches.by_request("ses_1", "key-2") == batch
        assert tx.batches.by_request("ses_1", "key-3") is None
        assert tx.batches.by_request("ses_2", "key-1") is None


def test_the_newest_batch_contains_an_item(store, pool, rows):
    first, second = rows.batch(1, ("itm_0", "itm_1")), rows.batch(2, ("itm_1",))
    with store.write() as tx:
        tx.batches.add(second)
        tx.batches.add(first)
    with store.read() as tx:
        found = tx.batches.containing("ses_1", ["itm_0", "itm_1", "itm_2"])
    assert found == {"itm_0": replace(first, items=first.items[:1]), "itm_1": second}


def test_a_batch_outlives_its_items_names(store, pool, rows):
    with store.write() as tx:
        tx.batches.add(rows.batch(1, ("itm_0",)))
        tx.items.delete("ses_1", "itm_0")
    with store.read() as tx:
        assert tx.batches.get("ses_1", "bat_1").items[0].external_id == ""


def test_activating_a_model_archives_the_one_before(store, session, rows):
    with store.write() as tx:
        for version in (1, 2):
            tx.models.add(rows.model(version))
        tx.models.set_state("ses_1", "mod_1", "active")
        tx.models.set_state("ses_1", "mod_2", "active")
    with store.read() as tx:
        assert tx.models.active("ses_1") == rows.model(2, state="active", revision=2)
        assert tx.models.get("ses_1", "mod_1") == rows.model(1, state="archived", revision=3)


def test_a_second_active_model_is_refused_by_the_database(store, session, rows):
    with store.write() as tx:
        tx.models.add(rows.model(1, state="active"))
    with pytest.raises(Conflict), store.write() as tx:
        tx.models.add(rows.model(2, state="active"))


def test_models_are_listed_by_version(store, session, rows):
    with store.write() as tx:
        assert tx.models.next_version("ses_1") == 1
        for version in (2, 1, 3):
            tx.models.add(rows.model(version))
    with store.read() as tx:
        assert [m.version for m in tx.models.all("ses_1")] == [1, 2, 3]
        assert [m.version for m in tx.models.list("ses_1", Page(limit=1, after="mod_1"))] == [2]
        assert tx.models.next_version("ses_1") == 4
        assert tx.models.active("ses_1") is None


@pytest.mark.parametrize("ask", ["get", "set_state"])
def test_an_unknown_model_is_refused(store, session, ask):
    more = ("active",) if ask == "set_state" else ()
    with pytest.raises(NotFound) as refused, store.write() as tx:
        getattr(tx.models, ask)("ses_1", "mod_9", *more)
    assert refused.value.code == "unknown-model"


def test_a_deleted_model_is_gone_and_its_version_stays_taken(store, session, rows):
    with store.write() as tx:
        tx.models.add(rows.model(1))
        tx.models.delete("ses_1", "mod_1")
    with store.read() as tx:
        assert tx.models.all("ses_1") == []
        assert tx.models.next_version("ses_1") == 2
    with pytest.raises(Gone), store.read() as tx:
        tx.models.get("ses_1", "mod_1")
