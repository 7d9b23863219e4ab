"""Two people answering at once, and batches that expire, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from store_rows import NOW

from core.errors import Conflict
from core.labelling import record_answers
from core.requests import NewLabel
from core.rounds.expire import expire_batches
from runtime.clock import UlidIds


class Standing:
    def now(self):
        return NOW


@pytest.fixture
def batch(store, session, pool, rows):
    """An open batch of two items that two people answer."""
    made = rows.batch(1, ("itm_0", "itm_1"))
    items = tuple(replace(item, answers_needed=2) for item in made.items)
    made = replace(made, items=items, expires_at=NOW + timedelta(hours=1))
    with store.write() as tx:
        tx.batches.add(made)
        tx.items.set_state("ses_1", ["itm_0", "itm_1"], "selected")
    return made


def give(store, session, who, label="harm"):
    """The code of the refusal, None where the answer was stored."""
    try:
        with store.write() as tx:
            record_answers(
                tx,
                session,
                [NewLabel(item_id="itm_0", labels=(label,))],
                annotator_id=who,
                oracle="human",
                mode="atomic",
                allow_unsolicited=False,
                clock=Standing(),
                ids=UlidIds(),
            )
    except Conflict as refused:
        return refused.code
    return None


def test_of_two_people_who_fill_the_last_place_at_once_one_is_refused(store, session, batch):
    assert give(store, session, "ann") is None
    start = Barrier(2)

    def answer(who):
        start.wait(30)
        return give(store, session, who)

    with ThreadPoolExecutor(2) as threads:
        codes = list(threads.map(answer, ["bob", "cem"]))
    assert sorted(codes, key=str) == [None, "overlap-reached"]
    with store.read() as tx:
        assert len(tx.labels.votes("ses_1", ["itm_0"])) == 2
        [word] = tx.labels.labelled("ses_1")
    assert (word.item_id, word.labels, word.seq) == ("itm_0", ("harm",), 3)


def test_votes_become_a_conflict_or_a_label(store, session, batch):
    give(store, session, "ann")
    give(store, session, "bob", "none")
    with store.read() as tx:
        assert tx.items.get("ses_1", "itm_0").state == "conflict"
        assert 0 in tx.items.busy_positions("ses_1")
        assert tx.items.counts("ses_1")["pool/conflict"] == 1


def test_a_batch_keeps_how_long_it_waits_and_how_many_answer(store, batch):
    with store.read() as tx:
        assert tx.batches.get("ses_1", batch.id) == batch
        assert tx.batches.overdue(now=NOW, limit=9) == []
        assert tx.batches.overdue(now=NOW + timedelta(hours=1), limit=9) == [batch]


def test_overdue_batches_give_back_what_has_no_answer(store, session, batch):
    class Later:
        def now(self):
            return NOW + timedelta(hours=2)

    assert expire_batches(store=store, clock=Later()) == 1
    with store.read() as tx:
        assert tx.batches.get("ses_1", batch.id).state == "expired"
        assert tx.items.get("ses_1", "itm_0").state == "pooled"
