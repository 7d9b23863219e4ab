"""Who is given a check item when, and which items two people answer."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

from core.checks import answers_needed, mixed
from core.people import Claimable
from core.records import PeopleSettings


def session(seed=0, **people):
    settings = SimpleNamespace(seed=seed, people=PeopleSettings(**people))
    return SimpleNamespace(id="ses_1", settings=settings)


def items(count, *, check=False, taken_back=False):
    name = "chk" if check else "itm"
    return [
        Claimable(item_id=f"{name}_{n}", batch_id=None, check=check, taken_back=taken_back)
        for n in range(count)
    ]


def given(share, *, who="ann", before=0, most=20, ordinary=20, checks=20):
    found = mixed(
        session(check_share=share),
        items(ordinary),
        items(checks, check=True),
        annotator_id=who,
        given=before,
        most=most,
    )
    return [one.item_id for one in found]


def test_the_share_is_met_over_many_items():
    found = [name for start in range(0, 2000, 20) for name in given(0.1, before=start)]
    checks = sum(name.startswith("chk") for name in found)
    assert 140 <= checks <= 260


def test_the_same_person_gets_the_same_and_another_one_others():
    assert given(0.3) == given(0.3)
    assert given(0.3) != given(0.3, who="bob")


def test_a_claim_of_many_is_like_many_claims_of_one():
    kinds = [name[:3] for name in given(0.3)]
    singly = [given(0.3, before=n, most=1)[0][:3] for n in range(20)]
    assert kinds == singly


def test_checks_never_come_alone():
    assert given(0.5, ordinary=0) == []
    assert given(0.5, ordinary=1, most=20)[-1].startswith("itm")


def test_ordinary_items_come_where_no_check_is_left():
    assert given(0.5, checks=0) == [f"itm_{n}" for n in range(20)]


def test_a_check_that_was_taken_back_comes_first():
    found = mixed(
        session(check_share=0.1),
        [],
        items(1, check=True, taken_back=True),
        annotator_id="ann",
        given=3,
        most=1,
    )
    assert [one.item_id for one in found] == ["chk_0"]


def test_a_share_of_the_items_is_answered_twice():
    needed = Counter(answers_needed(session(double_share=0.2), f"e{n}") for n in range(2000))
    assert set(needed) == {1, 2}
    assert 320 <= needed[2] <= 480


def test_which_items_are_answered_twice_follows_from_seed_and_id():
    def doubles(seed):
        one = session(seed=seed, double_share=0.3)
        return {n for n in range(200) if answers_needed(one, f"e{n}") == 2}

    assert doubles(1) == doubles(1)
    assert doubles(1) != doubles(2)


def test_overlap_is_the_least():
    assert answers_needed(session(overlap=3, double_share=1.0), "e") == 3
    assert answers_needed(session(overlap=1), "e") == 1
