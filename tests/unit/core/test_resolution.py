"""What several answers come to."""

import pytest

from core.people import Vote
from core.records import PeopleSettings
from core.resolution import Standing, agree, outcome

A, B, C = ("a",), ("b",), ("c",)


@pytest.mark.parametrize(
    ("answers", "agreed"),
    [
        ([A], A),
        ([A, A], A),
        ([A, B], None),
        ([A, B, A], A),
        ([A, B, C], None),
        ([A, B, C, A], A),
        ([A, A, B, B], None),
    ],
)
def test_the_majority_is_the_answer_most_gave_and_a_tie_is_none(answers, agreed):
    assert agree(answers, rule="majority", multi_label=False) == agreed


@pytest.mark.parametrize(
    ("answers", "agreed"),
    [
        ([("a", "b"), ("a",), ("a", "c")], ("a",)),
        ([("a", "b"), ("a",)], None),
        ([(), (), ("a",)], ()),
        ([("a",), ("b",), ("c",)], ()),
        ([("a", "b"), ("a", "b")], ("a", "b")),
    ],
)
def test_in_a_multi_label_task_each_class_has_its_own_majority(answers, agreed):
    assert agree(answers, rule="majority", multi_label=True) == agreed


@pytest.mark.parametrize(("answers", "agreed"), [([A, A], A), ([A, B, A], None), ([A], A)])
def test_unanimous_wants_one_answer_from_all(answers, agreed):
    assert agree(answers, rule="unanimous", multi_label=False) == agreed


@pytest.mark.parametrize(("answers", "agreed"), [([A], A), ([A, A], None), ([A, B], None)])
def test_adjudicate_leaves_every_second_answer_to_somebody(answers, agreed):
    assert agree(answers, rule="adjudicate", multi_label=False) == agreed


def vote(who, labels=A, *, seq=1, extra=False):
    return Vote(
        label_id=f"lab_{seq}",
        item_id="itm",
        annotator_id=who,
        labels=labels,
        seq=seq,
        extra=extra,
    )


def state(people=None, **standing):
    return outcome(Standing(**standing), people=people or PeopleSettings(), multi_label=False).state


def test_an_item_waits_until_it_has_enough_answers():
    assert state(votes=(vote("x"),), needed=2, waiting=True) == "selected"
    assert state(votes=(vote("x"),), needed=2) == "pooled"
    assert state(votes=(vote("x"), vote("y")), needed=2) == "resolved"


def test_an_extra_answer_decides_nothing():
    extra = vote("y", extra=True)
    assert state(votes=(vote("x"), extra), needed=2, waiting=True) == "selected"


def test_enough_answers_win_over_declinations():
    declines = (vote("z", ()),)
    assert state(votes=(vote("x"), vote("y")), declines=declines, needed=2) == "resolved"
    assert state(votes=(vote("x"),), declines=declines, needed=2) == "excluded"


def test_as_many_people_as_the_limit_take_an_item_out():
    people = PeopleSettings(skip_limit=2)
    assert state(people, declines=(vote("x", ()),), waiting=True) == "selected"
    assert state(people, declines=(vote("x", ()), vote("y", ())), waiting=True) == "excluded"


def test_what_was_put_out_by_hand_stays_out():
    assert state(votes=(vote("x"), vote("y")), needed=2, put_out=True) == "excluded"
