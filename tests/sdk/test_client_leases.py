"""Items held for a while: answered, declined, flagged, kept, given back."""

from __future__ import annotations

import pytest

from tailwise_client import NotAllowed
from tests.sdk.conftest import SETTINGS, TOPICS, rows


@pytest.fixture
def waiting(session):
    """A session whose batch of six waits."""
    session.upload(rows(18))
    session.select()
    return session


def topic(assignment):
    return next(name for name in TOPICS if name in assignment.item.text)


def test_a_batch_is_answered_by_leases(waiting):
    while True:
        with waiting.lease(count=4) as held:
            for assignment in held:
                assert held.label(assignment, topic(assignment)).status == "created"
        if not held.assignments:
            break
    assert held.reason == "none_left"
    assert waiting.get().counts["labelled"] == 6


def test_what_is_left_at_the_end_is_given_back(waiting, observer):
    other = observer.session(waiting.id)
    with waiting.lease(count=6) as held:
        assert len(held) == 6
        assert other.claim().reason == "all_leased"
        first, *rest = held
        held.label(first, topic(first))
    assert len(other.claim(count=6).assignments) == len(rest) == 5


def test_items_are_given_back_when_the_block_breaks_off(waiting, observer):
    with pytest.raises(ZeroDivisionError), waiting.lease(count=6):
        raise ZeroDivisionError
    assert len(observer.session(waiting.id).claim(count=6).assignments) == 6


def test_a_token_is_not_shown_and_another_opens_nothing(waiting):
    [mine] = waiting.claim().assignments
    assert mine.lease_token not in repr(mine)
    assert mine.item.text not in repr(mine)
    [again] = waiting.claim().assignments
    assert (again.id, again.lease_token != mine.lease_token) == (mine.id, True)
    with pytest.raises(NotAllowed) as caught:
        waiting.heartbeat(mine)
    assert caught.value.code == "lease-not-yours"


def test_a_lease_is_kept_alive(waiting):
    with waiting.lease(ttl_s=30) as held:
        [assignment] = held
        held.heartbeat(ttl_s=3000)
        assert waiting.heartbeat(assignment, ttl_s=3000).expires_at > assignment.expires_at


def test_an_item_is_declined_or_flagged(waiting):
    with waiting.lease(count=2) as held:
        first, second = held
        assert held.skip(first, reason="not mine").item_state == "excluded"
        flagged = held.flag(second, "unreadable", note="only dots")
    [flag] = waiting.flags()
    assert flag.id == flagged.flag_id
    assert flag.reason == "unreadable"
    waiting.resolve_flag(flag.id, "returned")
    assert list(waiting.flags()) == []


def test_a_desk_shows_what_is_needed_and_ones_own_work(waiting, tailwise):
    with waiting.lease() as held:
        [assignment] = held
        held.label(assignment, topic(assignment))
    desk = waiting.desk()
    assert [label.id for label in desk.task.labels] == list(TOPICS)
    assert desk.mine["answered_today"] == 1
    assert waiting.id in {entry.id for entry in tailwise.desks()}
    [mine] = waiting.my_labels()
    assert mine.item_id == assignment.item.id
    assert mine.undoable


def test_people_who_disagree_are_adjudicated(tailwise, observer):
    people = {"overlap": 2, "resolution": "adjudicate"}
    session = tailwise.create_session("two", labels=TOPICS, settings={**SETTINGS, "people": people})
    session.upload(rows(6))
    [pick] = session.select(size=1).items
    session.label([{"item_id": pick.id, "label": "garden"}])
    observer.session(session.id).label([{"item_id": pick.id, "label": "harbour"}])
    [conflict] = session.conflicts()
    assert {answer.labels for answer in conflict.answers} == {("garden",), ("harbour",)}
    assert {answer.annotator_id for answer in conflict.answers} == {None}
    decided = session.adjudicate(conflict.item_id, "harbour", note="it says so")
    assert decided.item_state == "resolved"
    assert all(answer.annotator_id for answer in decided.answers)
    assert session.quality()["agreement"]["items"] >= 1
