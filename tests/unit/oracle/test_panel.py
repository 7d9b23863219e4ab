"""When a panel gives a label, when it hands an item to people, and who may sit on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from core.errors import InvalidOption
from core.opinions import Consultation
from core.registry import Registry
from oracle import PanelOracle
from oracle.seating import seated

A, B = ("a",), ("b",)


@dataclass(kw_only=True)
class Member:
    """Says what it was told to say; doubts what it has a reason for."""

    answers: dict = field(default_factory=dict)
    doubts: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    name: str = "member"

    def consult(self, item_ids):
        self.asked.append(list(item_ids))
        return Consultation(
            answers={i: x for i, x in self.answers.items() if i in item_ids},
            doubts={i: x for i, x in self.doubts.items() if i in item_ids},
        )

    def ask(self, item_ids):
        return self.consult(item_ids).answers


@dataclass(kw_only=True)
class Plain:
    """An oracle without reasons."""

    answers: dict
    name: str = "plain"

    def ask(self, item_ids):
        return {i: x for i, x in self.answers.items() if i in item_ids}


def says(labels):
    return Member() if labels is None else Member(answers={"x": labels})


def abstains(reason="abstained"):
    return Member(doubts={"x": reason})


def consult(*members, quorum):
    return PanelOracle(members=members, quorum=quorum).consult(["x"])


def test_where_enough_members_agree_there_is_a_label():
    assert consult(says(A), says(A), quorum=2).answers == {"x": A}


def test_an_abstention_contradicts_nobody():
    assert consult(says(A), abstains(), says(A), quorum=2).answers == {"x": A}


def test_one_other_answer_leaves_the_item_to_people():
    said = consult(says(A), says(A), says(B), quorum=2)
    assert (said.answers, said.doubts) == ({}, {"x": "disagreed"})


def test_too_few_answers_leave_it_with_the_first_reason():
    said = consult(says(A), abstains("refused"), abstains(), quorum=2)
    assert (said.answers, said.doubts) == ({}, {"x": "refused"})


def test_a_quorum_of_one_takes_the_only_answer():
    assert consult(abstains(), says(A), quorum=1).answers == {"x": A}


def test_sets_of_classes_agree_only_when_they_are_equal():
    said = consult(says(("a", "b")), says(("a",)), quorum=1)
    assert said.doubts == {"x": "disagreed"}


def test_where_a_member_broke_off_the_item_stays_open():
    said = consult(says(A), says(None), quorum=1)
    assert (said.answers, said.doubts) == ({}, {})


def test_members_are_asked_only_about_what_can_still_be_a_label():
    first = Member(answers={"x": A}, doubts={"y": "abstained"})
    second = Member(answers={"x": A})
    PanelOracle(members=(first, second), quorum=2).consult(["x", "y"])
    assert (first.asked, second.asked) == ([["x", "y"]], [["x"]])


def test_a_member_without_reasons_abstains_where_it_knows_nothing():
    said = PanelOracle(members=(Plain(answers={}), says(A)), quorum=2).consult(["x"])
    assert said.doubts == {"x": "abstained"}


# --- who may sit ------------------------------------------------------------------------


@pytest.fixture
def registry():
    made = Registry("oracle")
    made.register("human", lambda: Plain(answers={}), summary="")
    made.register("panel", lambda: Plain(answers={}), summary="")
    made.register("llm", lambda *, chunk=10: Plain(answers={}, name=f"llm{chunk}"), summary="")
    made.register("gold", lambda: Plain(answers={}), summary="")
    return made


TWO = [{"name": "llm"}, {"name": "llm", "options": {"chunk": 1}}]


def test_members_are_made_with_their_options_and_all_of_them_are_the_quorum(registry):
    panel = seated(TWO, quorum=None, registry=registry)
    assert [member.name for member in panel.members] == ["llm10", "llm1"]
    assert panel.quorum == 2


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ((), "/options/members"),
        ("llm", "/options/members"),
        ([{"name": "llm"}], "/options/members"),
        ([{"name": "llm", "options": {"chunk": n}} for n in range(6)], "/options/members"),
        ([*TWO, "llm"], "/options/members/2"),
        ([*TWO, {"name": "panel"}], "/options/members/2"),
        ([*TWO, {"name": "human"}], "/options/members/2"),
        ([*TWO, {"name": ["llm"]}], "/options/members/2"),
        ([*TWO, {"name": "delphi"}], "/options/members/2"),
        ([*TWO, {"name": "gold", "weight": 2}], "/options/members/2"),
        ([*TWO, {"name": "gold", "options": "none"}], "/options/members/2"),
        ([*TWO, {"name": "gold", "options": {"chunk": 2}}], "/options/members/2"),
        ([*TWO, {"name": "llm"}], "/options/members/2"),
    ],
)
def test_who_may_not_sit_is_refused_by_place(registry, members, pointer):
    with pytest.raises(InvalidOption) as refusal:
        seated(members, quorum=None, registry=registry)
    assert refusal.value.errors[0].pointer == pointer


@pytest.mark.parametrize("quorum", [0, 3, 1.5, True, "two"])
def test_a_quorum_is_between_one_and_all(registry, quorum):
    with pytest.raises(InvalidOption):
        seated(TWO, quorum=quorum, registry=registry)
