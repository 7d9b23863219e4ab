"""Items, on both databases."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import Conflict, NotFound
from core.records import SHARD_ROWS, NewItem, Page
from core.texts import text_hash


def positions(found):
    return [item.position for item in found]


@pytest.fixture
def other(store, rows):
    made = rows.session("ses_2")
    with store.write() as tx:
        tx.sessions.add(made)
    return made


def test_items_take_the_next_positions_in_order(store, session, pool, fill):
    more = fill(session, NewItem(external_id="ext-6", text="Six"))
    assert positions([*pool, *more]) == [0, 1, 2, 3, 4, 5, 6]
    with store.read() as tx:
        assert tx.items.next_position(session.id) == 7


def test_an_item_comes_back_as_it_was_added(store, pool):
    with store.read() as tx:
        assert [tx.items.get("ses_1", item.id) for item in pool] == pool


def test_items_have_no_gold(pool):
    assert not hasattr(pool[1], "gold")


def test_another_sessions_item_is_unknown(store, pool, other):
    with pytest.raises(NotFound) as refused, store.read() as tx:
        tx.items.get("ses_2", "itm_0")
    assert refused.value.code == "unknown-item"


def test_items_are_found_by_every_kind_of_name(store, pool):
    with store.read() as tx:
        assert tx.items.by_ids("ses_1", ["itm_1", "itm_9"]) == {"itm_1": pool[1]}
        assert tx.items.by_external_ids("ses_1", ["ext-2", "x"]) == {"ext-2": pool[2]}
        assert tx.items.by_positions("ses_1", np.array([3, 77])) == {3: pool[3]}
        assert tx.items.by_ids("ses_1", []) == {}


def test_more_names_are_found_than_a_statement_has_variables(store, session, fill):
    fill(session, *(NewItem(external_id=f"ext-{n}", text=f"t{n}") for n in range(1201)))
    with store.read() as tx:
        assert len(tx.items.by_external_ids("ses_1", [f"ext-{n}" for n in range(40_000)])) == 1201


def test_an_external_id_is_taken_once_per_session(store, session, pool, other, fill):
    with pytest.raises(Conflict):
        fill(session, NewItem(external_id="ext-0", text="again"))
    fill(other, NewItem(external_id="ext-0", text="elsewhere"), prefix="oth")
    with store.read() as tx:
        assert tx.items.next_position("ses_1") == len(pool)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"split": "test"}, [4]),
        ({"state": "resolved"}, [1, 3]),
        ({"label": "harm"}, [1]),
        ({"label": "Harm"}, []),
        ({"label": "har"}, []),
        ({"label": "none"}, [1, 3]),
        ({"query": "zwölf äpfel"}, [2]),
        ({"query": "0%"}, [2]),
        ({"query": "_"}, []),
        ({"query": "o", "split": "pool"}, [0, 1]),
        ({"batch_id": "bat_1"}, [0, 2]),
    ],
)
def test_a_listing_is_filtered(store, rows, pool, wanted, found):
    with store.write() as tx:
        tx.batches.add(rows.batch(1, ("itm_2", "itm_0")))
        tx.items.set_labels(
            "ses_1",
            {"itm_1": (("harm", "none"), "resolved"), "itm_3": (("none",), "resolved")},
        )
    with store.read() as tx:
        assert positions(tx.items.list("ses_1", Page(), **wanted)) == found


def test_a_listing_goes_on_after_a_position(store, pool):
    with store.read() as tx:
        assert positions(tx.items.list("ses_1", Page(limit=2, after="1"))) == [2, 3]


def test_states_and_labels_are_set_and_counted(store, pool):
    with store.write() as tx:
        tx.items.set_state("ses_1", ["itm_0", "itm_1"], "selected")
        tx.items.set_labels("ses_1", {"itm_1": (("harm",), "resolved"), "itm_2": (None, "pooled")})
    with store.read() as tx:
        assert tx.items.get("ses_1", "itm_1").labels == ("harm",)
        assert tx.items.get("ses_1", "itm_2").labels is None
        assert tx.items.counts("ses_1") == {
            "pool/pooled": 2,
            "pool/resolved": 1,
            "pool/selected": 1,
            "reserve/pooled": 1,
            "test/pooled": 1,
        }


def test_busy_positions_are_pool_rows_that_cannot_be_selected(store, pool):
    with store.write() as tx:
        tx.items.set_state("ses_1", ["itm_3"], "excluded")
        tx.items.set_state("ses_1", ["itm_1", "itm_4"], "selected")
        tx.items.delete("ses_1", "itm_2")
    with store.read() as tx:
        busy = tx.items.busy_positions("ses_1")
    assert (busy.tolist(), busy.dtype) == ([1, 2, 3], np.int64)


def test_a_rewritten_item_has_a_new_revision_and_gold(store, pool):
    new = NewItem(external_id="ext-1", text="Uno", gold=("none",), metadata={"k": 1})
    with store.write() as tx:
        tx.items.rewrite("ses_1", "itm_1", new, text_hash=text_hash("Uno"))
    with store.read() as tx:
        expected = replace(
            pool[1],
            text="Uno",
            text_hash=text_hash("Uno"),
            lang=None,
            metadata={"k": 1},
            revision=2,
        )
        assert tx.items.get("ses_1", "itm_1") == expected
        assert tx.items.gold("ses_1", ["itm_1"]) == {"itm_1": ("none",)}


@pytest.mark.parametrize(
    ("changes", "waiting"),
    [({"text": "other"}, 1), ({"split": "test"}, 1), ({"gold": ("harm",)}, 0), ({"lang": "de"}, 0)],
)
def test_only_a_new_text_or_split_needs_indexing_again(store, session, fill, changes, waiting):
    new = NewItem(external_id="e", text="same")
    fill(session, new)
    with store.write() as tx:
        tx.items.mark_indexed("ses_1", start=0, stop=1, rows={0: (text_hash("same"), "pool")})
        changed = replace(new, **changes)
        tx.items.rewrite("ses_1", "itm_0", changed, text_hash=text_hash(changed.text))
    with store.read() as tx:
        assert tx.items.unindexed("ses_1") == waiting


def test_a_deleted_item_is_unknown_but_its_position_stays_taken(store, session, pool, fill):
    with store.write() as tx:
        tx.items.delete("ses_1", "itm_5")
    with pytest.raises(NotFound), store.read() as tx:
        tx.items.get("ses_1", "itm_5")
    added = fill(session, NewItem(external_id="ext-5", text="the name is free again"))
    assert added[0].position == 6
    with store.read() as tx:
        assert positions(tx.items.list("ses_1", Page())) == [0, 1, 2, 3, 4, 6]
        assert tx.items.gold("ses_1", ["itm_5"]) == {}
        assert tx.items.hash_matches("ses_1", [text_hash("Five")]) == {}


def test_nothing_of_a_deleted_item_is_left_in_its_row(store, pool):
    with store.write() as tx:
        tx.items.delete("ses_1", "itm_2")
    with store.engine.connect() as connection:
        row = str(connection.exec_driver_sql("SELECT * FROM items WHERE id = 'itm_2'").one())
    assert "Zw" not in row
    assert "ext-2" not in row


def test_new_items_wait_for_indexing(store, pool):
    with store.read() as tx:
        assert tx.items.unindexed("ses_1") == 6
        assert list(tx.items.unindexed_shards("ses_1")) == [0]


def test_only_rows_with_the_indexed_text_are_marked(store, pool):
    hashes = {item.position: (item.text_hash, item.split) for item in pool}
    with store.write() as tx:
        tx.items.mark_indexed(
            "ses_1", start=0, stop=5, rows={**hashes, 1: ("stale", "pool"), 5: hashes[5]}
        )
    with store.read() as tx:
        waiting = [p for p, *_ in tx.items.texts("ses_1", start=0, stop=9)]
        assert tx.items.unindexed("ses_1") == 2
        assert waiting == [0, 1, 2, 3, 4, 5]


def test_many_rows_that_changed_meanwhile_stay_unmarked(store, session, fill):
    made = fill(session, *(NewItem(external_id=f"e{n}", text=f"t{n}") for n in range(1300)))
    hashes = {i.position: (i.text_hash if i.position % 2 else "stale", i.split) for i in made}
    with store.write() as tx:
        tx.items.mark_indexed("ses_1", start=0, stop=1300, rows=hashes)
    with store.read() as tx:
        assert tx.items.unindexed("ses_1") == 650


def test_unindexed_shards_are_told_by_position(store, session, pool):
    with store.engine.connect().execution_options(tailwise_writes=True) as connection:
        connection.exec_driver_sql(
            f"UPDATE items SET position = {2 * SHARD_ROWS + 1} WHERE position = 3"
        )
        connection.commit()
    with store.read() as tx:
        assert list(tx.items.unindexed_shards("ses_1")) == [0, 2]


def test_texts_are_given_by_position_without_deleted_ones(store, pool):
    with store.write() as tx:
        tx.items.delete("ses_1", "itm_2")
    with store.read() as tx:
        found = list(tx.items.texts("ses_1", start=1, stop=5))
    assert [tuple(row) for row in found] == [
        (1, text_hash("One"), "One", "pool"),
        (3, text_hash("Three"), "Three", "pool"),
        (4, text_hash("Four"), "Four", "test"),
    ]


def test_gold_is_given_only_where_it_is_known(store, pool):
    with store.read() as tx:
        assert tx.items.gold("ses_1", ["itm_0", "itm_1"]) == {"itm_1": ("harm",)}
        assert list(tx.items.gold_classes("ses_1")) == ["harm", "none"]


def test_gold_of_a_split_covers_indexed_rows(store, session, pool, fill):
    hashes = {item.position: (item.text_hash, item.split) for item in pool}
    with store.write() as tx:
        tx.items.mark_indexed("ses_1", start=0, stop=6, rows=hashes)
    fill(session, NewItem(external_id="new", text="not indexed", split="test", gold=("harm",)))
    with store.read() as tx:
        assert list(tx.items.gold_split("ses_1", "test")) == [(4, "itm_4", ("none",))]
        assert list(tx.items.gold_split("ses_1", "reserve")) == [(5, "itm_5", ("harm", "none"))]


def test_a_test_row_wins_among_rows_of_the_same_text(store, session, fill):
    fill(
        session,
        NewItem(external_id="a", text="Same"),
        NewItem(external_id="b", text="same ", split="test"),
        NewItem(external_id="c", text="SAME"),
        NewItem(external_id="d", text="twice"),
        NewItem(external_id="e", text="Twice"),
    )
    with store.read() as tx:
        found = tx.items.hash_matches("ses_1", [text_hash("same"), text_hash("twice"), "0"])
    assert found == {text_hash("same"): ("itm_1", "test"), text_hash("twice"): ("itm_3", "pool")}
