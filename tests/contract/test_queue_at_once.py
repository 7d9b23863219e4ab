"""Sixteen people at one queue, on both databases: nothing is held or answered too often."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from core.labelling import record_answers
from core.records import NewItem, Page, PeopleSettings, SessionSettings
from core.requests import NewLabel
from core.rounds.holding import Holder, skip
from core.rounds.lease import ClaimRequest, claim
from runtime.clock import UlidIds

PEOPLE, ITEMS, OVERLAP = 16, 200, 2
FIRST = [f"itm_{n}" for n in range(20)]


class SharedClock:
    """Moves for everybody when somebody moves it."""

    def __init__(self, start):
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()

    def now(self):
        with self._lock:
            return self._start + timedelta(seconds=self._seconds)

    def move(self, seconds):
        with self._lock:
            self._seconds += seconds


@pytest.fixture
def world(store, rows, fill):
    """A session of many items that two people answer each, all in one open batch."""
    people = PeopleSettings(overlap=OVERLAP, lease_s=60)
    session = rows.session(settings=SessionSettings(people=people))
    with store.write() as tx:
        tx.sessions.add(session)
    fill(session, *(NewItem(external_id=f"e{n}", text=f"t{n}") for n in range(ITEMS)))
    ids = tuple(f"itm_{n}" for n in range(ITEMS))
    batch = rows.batch(1, ids)
    items = tuple(replace(item, answers_needed=OVERLAP) for item in batch.items)
    with store.write() as tx:
        tx.batches.add(replace(batch, items=items))
        tx.items.set_state("ses_1", ids, "selected")
    return session


def held_too_often(store, clock):
    """Items with more live leases and standing votes than they need, in one moment."""
    with store.read() as tx:
        votes = Counter(vote.item_id for vote in tx.labels.votes("ses_1"))
        for n in range(PEOPLE):
            for row in tx.assignments.held("ses_1", f"per_{n}", now=clock.now()):
                votes[row.item_id] += 1
    return [item for item, number in votes.items() if number > OVERLAP]


def test_people_at_once_never_hold_more_than_is_needed(store, world, rows):
    clock, ids = SharedClock(rows.now), UlidIds()
    gate = threading.Barrier(PEOPLE)
    spoilt = []

    def answer(who, leases):
        labels = [
            NewLabel(
                item_id=lease.item.id,
                labels=("harm",),
                assignment_id=lease.assignment.id,
                lease_token=lease.token,
            )
            for lease in leases
        ]
        with store.write() as tx:
            done = record_answers(
                tx,
                world,
                labels,
                annotator_id=who,
                oracle="human",
                mode="partial",
                allow_unsolicited=False,
                clock=clock,
                ids=ids,
            )
        spoilt.extend(row.error.code for row in done.results if row.error)

    def work(number):
        who, chance = f"per_{number}", random.Random(number)
        gate.wait()
        while True:
            found = claim(
                world,
                ClaimRequest(count=chance.randint(1, 8)),
                annotator_id=who,
                store=store,
                clock=clock,
                ids=ids,
            )
            if found.reason == "none_left":
                return
            if not found.leases:
                clock.move(10)
            if chance.random() < 0.1:
                clock.move(61)  # everybody's leases run out
            if found.leases:
                answer(who, found.leases)
            if chance.random() < 0.1:
                spoilt.extend(f"held {item}" for item in held_too_often(store, clock))

    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(work, range(PEOPLE)))

    assert set(spoilt) <= {"lease-expired"}
    with store.read() as tx:
        votes = tx.labels.votes("ses_1")
        assert Counter(Counter(vote.item_id for vote in votes).values()) == {OVERLAP: ITEMS}
        assert tx.items.counts("ses_1") == {"pool/resolved": ITEMS}
        assert tx.batches.get("ses_1", "bat_1").state == "completed"
        events = tx.labels.list("ses_1", Page(limit=10_000))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert tx.assignments.leased_count(now=clock.now() + timedelta(hours=2)) == 0


def test_a_lease_that_ran_out_comes_back_to_somebody(store, world, rows):
    clock, ids = SharedClock(rows.now), UlidIds()

    def ask(who, count=20):
        request = ClaimRequest(count=count)
        return claim(world, request, annotator_id=who, store=store, clock=clock, ids=ids)

    first = [ask(who) for who in ("per_a", "per_b")]
    assert all([one.item.id for one in f.leases] == FIRST for f in first)
    third = ask("per_c")
    assert {one.item.id for one in third.leases}.isdisjoint(FIRST)
    clock.move(61)
    assert [one.item.id for one in ask("per_d").leases] == FIRST


def test_a_queue_with_items_left_never_says_there_are_none(store, world, rows):
    clock, ids = SharedClock(rows.now), UlidIds()

    def ask(who, count=20):
        request = ClaimRequest(count=count)
        return claim(world, request, annotator_id=who, store=store, clock=clock, ids=ids)

    for n in range(ITEMS // 20 + 1):
        with store.read() as tx:
            left = tx.items.counts("ses_1").get("pool/selected", 0)
        found = ask("per_new", count=1)
        assert (found.reason == "none_left") == (left == 0)
        clock.move(61)
        for lease in ask(f"per_{n}").leases:
            holder = Holder(
                assignment_id=lease.assignment.id, token=lease.token, annotator_id=f"per_{n}"
            )
            skip(world, holder, reason=None, store=store, clock=clock, ids=ids)
    assert left == 0
