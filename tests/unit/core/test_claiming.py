"""Claims by one person: limits, pauses, lost leases, flags and what comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import Conflict, InvalidInput
from core.records import Page, PeopleSettings
from core.requests import NewLabel
from core.rounds.flags import list_flags, resolve
from core.rounds.holding import Holder, flag, heartbeat, release
from core.rounds.lease import ClaimRequest, claim
from tests.unit.core.answering_world import World, new_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = new_store(tmp_path_factory.mktemp("claiming"))
    yield opened
    opened.close()


@pytest.fixture
def world_with(store):
    def make(needed=1, size=4, **people):
        return World(store=store, needed=needed, size=size, people=PeopleSettings(**people))

    return make


def ask(world, who="per_a", **asked):
    return claim(
        world.session,
        ClaimRequest(**asked),
        annotator_id=who,
        store=world.store,
        clock=world.clock,
        ids=world.ids,
    )


def places(world, claimed):
    order = {item.id: place for place, item in enumerate(world.items)}
    return [order[lease.item.id] for lease in claimed.leases]


def holder(lease):
    return Holder(
        assignment_id=lease.assignment.id,
        token=lease.token,
        annotator_id=lease.assignment.annotator_id,
    )


def answer(world, lease, *labels, who="per_a"):
    given = NewLabel(
        item_id=lease.item.id,
        labels=labels or ("garden",),
        assignment_id=lease.assignment.id,
        lease_token=lease.token,
    )
    return world.send(who, given, mode="atomic").results[0]


def raise_flag(world, lease, reason="other"):
    return flag(
        world.session,
        holder(lease),
        reason=reason,
        note=None,
        store=world.store,
        clock=world.clock,
        ids=world.ids,
    )


def decide(world, flag_id, resolution):
    return resolve(
        world.session,
        flag_id,
        resolution,
        note=None,
        resolver="per_lead",
        store=world.store,
        clock=world.clock,
        ids=world.ids,
    )


def test_a_day_has_so_many_items(world_with):
    world = world_with(daily_items=2)
    first = ask(world, count=3)
    assert places(world, first) == [0, 1]
    for lease in first.leases:
        answer(world, lease)
    assert ask(world).reason == "quota"
    world.clock.seconds = 24 * 3600 + 1
    assert places(world, ask(world)) == [2]


def test_a_pause_is_due_and_frees_what_was_held(world_with):
    world = world_with(break_after_minutes=30, break_minutes=10)
    first, _held = ask(world, count=2, ttl_s=3600).leases
    world.clock.seconds = 31 * 60
    answer(world, first)
    due = ask(world)
    assert (due.leases, due.reason, due.retry_after_s) == ((), "break_due", 600)
    assert places(world, ask(world, "per_b", count=4, ttl_s=3600)) == [1, 2, 3]
    world.clock.seconds = 41 * 60
    assert ask(world).reason == "all_leased"


def test_items_until_a_pause_bound_a_claim(world_with):
    world = world_with(break_after_items=2)
    found = ask(world, count=4)
    assert places(world, found) == [0, 1]
    assert places(world, ask(world, count=4)) == [0, 1]
    for lease in ask(world, count=4).leases:
        answer(world, lease)
    assert ask(world).reason == "break_due"


def test_a_lease_that_ran_out_goes_on_while_nobody_took_the_item(world_with):
    world = world_with(lease_s=60)
    [lease] = ask(world).leases
    world.clock.seconds = 61
    held = heartbeat(world.session, holder(lease), ttl_s=120, store=world.store, clock=world.clock)
    assert (held.expires_at - world.clock.now()).total_seconds() == 120


def test_an_answer_under_a_lost_lease_counts_until_somebody_holds_the_item(world_with):
    world = world_with(lease_s=60)
    one, two = ask(world, count=2).leases
    world.clock.seconds = 61
    assert answer(world, one).status == "created"
    ask(world, "per_b", count=1)
    with pytest.raises(Conflict) as refused:
        answer(world, two)
    assert refused.value.code == "lease-expired"
    with pytest.raises(Conflict) as refused:
        heartbeat(world.session, holder(two), ttl_s=60, store=world.store, clock=world.clock)
    assert refused.value.code == "lease-expired"


def test_what_was_released_comes_last(world_with):
    world = world_with()
    [lease] = ask(world).leases
    release(world.session, holder(lease), store=world.store, clock=world.clock)
    assert places(world, ask(world, count=4)) == [1, 2, 3, 0]


def test_an_answer_taken_back_is_given_again_first(world_with):
    world = world_with()
    [lease] = ask(world).leases
    label_id = answer(world, lease).label_id
    world.undo("per_a", label_id)
    assert places(world, ask(world, count=2)) == [0, 1]


def test_several_people_get_an_item_and_no_one_too_many(world_with):
    world = world_with(needed=2, size=1)
    assert places(world, ask(world, "per_a")) == [0]
    assert places(world, ask(world, "per_b")) == [0]
    assert ask(world, "per_c").reason == "all_leased"


def test_an_overdue_batch_gives_nothing_and_expires(world_with):
    world = world_with()
    ending = replace(world.batch, expires_at=world.clock.now())
    with world.store.write() as tx:
        tx.batches.set_state(world.batch.id, "cancelled")
        tx.batches.add(replace(ending, id=world.batch.id + "x", round=2, items=world.batch.items))
    world.clock.seconds = 1
    assert ask(world).reason == "none_left"
    assert world.states() == ["pooled"] * 4


def test_two_flags_keep_an_item_out_until_both_are_decided(world_with):
    world = world_with(needed=2, size=2)
    one = ask(world, "per_a").leases[0]
    two = ask(world, "per_b").leases[0]
    first = raise_flag(world, one, "illegal_content")
    second = raise_flag(world, two, "illegal_content")
    assert world.states() == ["excluded", "selected"]
    decide(world, first.id, "returned")
    assert world.states() == ["excluded", "selected"]
    decide(world, second.id, "returned")
    assert world.states() == ["selected", "selected"]


def test_a_returned_item_goes_to_the_pool_where_its_batch_is_gone(world_with):
    world = world_with()
    flagged = raise_flag(world, ask(world).leases[0])
    with world.store.write() as tx:
        tx.batches.set_state(world.batch.id, "cancelled")
    decide(world, flagged.id, "returned")
    assert world.item(0).state == "pooled"


def test_what_may_be_illegal_is_told_without_its_text(world_with):
    world = world_with()
    raise_flag(world, ask(world).leases[0], "illegal_content")
    [found] = list_flags(world.session, Page(), state=None, store=world.store)
    assert (found.text, found.item.external_id) == (None, "e0")


@pytest.mark.parametrize("asked", [{"count": 0}, {"count": 21}, {"ttl_s": 29}, {"ttl_s": 3601}])
def test_a_claim_stays_within_bounds(world_with, asked):
    with pytest.raises(InvalidInput) as refused:
        ask(world_with(), **asked)
    assert refused.value.code == "invalid-number"
