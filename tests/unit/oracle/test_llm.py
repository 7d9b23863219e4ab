"""The llm oracle against a scripted judge: what it answers, doubts, and leaves for later."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from core.errors import Conflict, InvalidOption, Unavailable
from core.opinions import Judgement, Opinion, Question
from core.records import LabelClass
from oracle import Bench, LlmOracle

CLASSES = tuple(LabelClass(id=c, name=c) for c in ("harm", "none"))
IDS = [f"itm_{n}" for n in range(6)]
PURSE = object()


@dataclass(kw_only=True)
class ScriptedJudge:
    """Gives its judgements in turn; a callable makes one from the question."""

    script: list
    asked: list = field(default_factory=list)
    name: str = "scripted"
    model: str | None = None

    def judge(self, question, *, purse):
        assert purse is PURSE
        self.asked.append(question)
        step = self.script[min(len(self.asked), len(self.script)) - 1]
        return step(question) if callable(step) else step


def sure(labels=("harm",), confidence=0.9):
    def step(question):
        opinion = Opinion(labels=labels, confidence=confidence)
        return Judgement(outcome="ok", opinions=(opinion,) * len(question.texts))

    return step


def llm(judge, **options):
    bench = Bench(
        texts=lambda item_ids: {item_id: f"text of {item_id}" for item_id in item_ids},
        question=Question(classes=CLASSES, multi_label=False, guidelines="Be kind."),
        purse=lambda judge, max_dollars: PURSE,
    )
    return LlmOracle(judge=lambda: judge, bench=bench, **options)


def test_sure_answers_are_labels():
    judge = ScriptedJudge(script=[sure()])
    assert llm(judge).ask(IDS) == dict.fromkeys(IDS, ("harm",))


def test_the_question_carries_schema_guidelines_and_texts_in_order():
    judge = ScriptedJudge(script=[sure()])
    llm(judge).ask(IDS[:2])
    (question,) = judge.asked
    assert (question.classes, question.guidelines) == (CLASSES, "Be kind.")
    assert question.texts == ("text of itm_0", "text of itm_1")


def test_texts_are_asked_about_in_chunks():
    judge = ScriptedJudge(script=[sure()])
    llm(judge, chunk=4).ask(IDS)
    assert [len(question.texts) for question in judge.asked] == [4, 2]


@pytest.mark.parametrize(
    ("step", "doubt"),
    [
        (sure(confidence=0.5), "abstained"),
        (sure(labels=None), "abstained"),
        (Judgement(outcome="refused", category="general_harms"), "refused"),
        (Judgement(outcome="truncated"), "unreadable"),
        (Judgement(outcome="invalid"), "unreadable"),
    ],
)
def test_what_it_cannot_say_is_a_doubt_with_its_reason(step, doubt):
    said = llm(ScriptedJudge(script=[step])).consult(IDS)
    assert (said.answers, said.doubts) == ({}, dict.fromkeys(IDS, doubt))


def test_one_refused_chunk_does_not_cost_the_others():
    refused = Judgement(outcome="refused")
    said = llm(ScriptedJudge(script=[refused, sure()]), chunk=3).consult(IDS)
    assert set(said.doubts) == set(IDS[:3])
    assert set(said.answers) == set(IDS[3:])


def test_after_trouble_no_further_call_is_made_and_the_rest_stays_open():
    judge = ScriptedJudge(script=[sure(), Judgement(outcome="unavailable")])
    said = llm(judge, chunk=2).consult(IDS)
    assert len(judge.asked) == 2
    assert set(said.answers) == set(IDS[:2])
    assert said.doubts == {}


@pytest.mark.parametrize(
    ("outcome", "kind", "code"),
    [
        ("over_budget", Conflict, "budget-exceeded"),
        ("unavailable", Unavailable, "oracle-unavailable"),
    ],
)
def test_where_nothing_could_be_judged_the_caller_is_told(outcome, kind, code):
    with pytest.raises(kind) as refusal:
        llm(ScriptedJudge(script=[Judgement(outcome=outcome)])).consult(IDS)
    assert refusal.value.code == code


def test_past_its_deadline_it_begins_no_call():
    judge = ScriptedJudge(script=[sure()])
    times = iter([0.0, 11.0])
    said = llm(judge, chunk=2, deadline_s=10.0, clock=lambda: next(times)).consult(IDS)
    assert set(said.answers) == set(IDS[:2])


def test_asked_about_nothing_it_makes_no_judge():
    def never():
        raise AssertionError

    oracle = llm(None)
    oracle.judge = never
    assert oracle.consult([]).answers == {}


@pytest.mark.parametrize(
    "options",
    [
        {"min_confidence": 1.1},
        {"min_confidence": float("nan")},
        {"chunk": 0},
        {"chunk": 26},
        {"chunk": 2.5},
        {"max_dollars": -1},
        {"max_dollars": "much"},
        {"deadline_s": 0},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidOption):
        llm(None, **options)
