"""The loop as one call: from nothing to rounds, broken off and gone on with."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tailwise_client import (
    AsyncTailwise,
    InvalidInput,
    NotFound,
    Skip,
    Tailwise,
    TimedOut,
    run_loop,
)
from tests.sdk.conftest import CLASSES, SETTINGS, TOPICS, rows, topic_of

COLUMNS = {"text": "text", "external_id": "id", "gold": "label", "split": "split"}


class Interrupted(Exception):
    """What a person does to a program."""


@pytest.fixture
def filled(session):
    session.upload([*rows(30), *rows(6, split="test")])
    return session


@pytest.fixture
def gold(messages):
    by_text = {row["text"]: row["label"] for row in messages}
    return lambda item: by_text[item.text]


@pytest.fixture
def corpus(tailwise, corpus_file):
    settings = {**SETTINGS, "batch_size": 10, "variations": 1}
    session = tailwise.create_session("messages", labels=CLASSES, settings=settings)
    session.upload(corpus_file, columns=COLUMNS)
    return session


def answered(session):
    """How many standing answers each item has."""
    events = list(session.labels())
    undone = {event.target_id for event in events if event.kind == "undone"}
    return Counter(e.item_id for e in events if e.kind == "created" and e.id not in undone)


def test_the_corpus_is_labelled_by_its_gold_in_rounds(corpus, gold):
    heard = []
    found = corpus.run_loop(annotate=gold, rounds=2, on_round=heard.append, save_every=10)
    assert [round.number for round in found] == [1, 2]
    assert heard == list(found)
    assert [round.answered for round in found] == [10, 10]
    assert all(round.written > 0 for round in found)
    assert found[-1].model_id == corpus.get().active_model_id
    assert 0.0 < found[-1].macro_f1 <= 1.0


def test_a_loop_that_broke_off_goes_on_where_it_was(corpus, gold):
    asked = []

    def until_the_fourth(item):
        if len(asked) == 4:
            raise Interrupted
        asked.append(item.id)
        return gold(item)

    with pytest.raises(Interrupted):
        corpus.run_loop(annotate=until_the_fourth, rounds=1)
    [record] = corpus.run_loop(annotate=gold, rounds=1)
    assert record.answered == 6
    assert set(answered(corpus).values()) == {1}
    assert len(answered(corpus)) == 10
    assert corpus.get().round == 1


def test_a_session_that_had_its_rounds_is_left_alone(filled):
    filled.run_loop(annotate=topic_of, rounds=1, generate=False)
    assert filled.run_loop(annotate=topic_of, rounds=1) == ()
    assert filled.get().round == 1


def test_a_round_that_broke_off_after_labelling_is_still_trained(filled):
    def stop(generation):
        raise Interrupted

    with pytest.raises(Interrupted):
        filled.run_loop(annotate=topic_of, rounds=1, review=stop)
    [record] = filled.run_loop(annotate=topic_of, rounds=1, review=lambda g: "reject")
    assert record.answered == record.written == record.kept == 0
    assert record.model_id is not None
    assert len(list(filled.operations(kind="generate"))) == 1


def test_an_answer_that_was_undone_is_asked_again(filled):
    asked = []

    def first_only(item):
        asked.append(item.id)
        if len(asked) > 1:
            raise Interrupted
        return topic_of(item)

    with pytest.raises(Interrupted):
        filled.run_loop(annotate=first_only, rounds=1)
    [event] = filled.labels()
    filled.undo(event.id)
    [record] = filled.run_loop(annotate=topic_of, rounds=1, generate=False)
    assert record.answered == 6
    assert set(answered(filled).values()) == {1}


def test_an_item_may_be_skipped(filled):
    def picky(item):
        return Skip("not mine") if item.text.endswith("3 pool") else topic_of(item)

    [record] = filled.run_loop(annotate=picky, rounds=1, size=30, generate=False)
    assert record.skipped == 3
    assert record.answered == 27


def test_the_loop_ends_when_the_pool_is_used_up(filled):
    found = filled.run_loop(annotate=topic_of, rounds=9, size=20, generate=False)
    assert [record.picked for record in found] == [20, 10]


def test_too_few_classes_are_noted_and_no_reason_to_stop(filled):
    [record] = filled.run_loop(annotate=lambda item: "garden", rounds=1, generate=False)
    assert record.model_id is None
    assert record.notes == ("no model: insufficient-classes",)


@pytest.mark.parametrize("save_every", [1, 4])
def test_a_class_that_the_session_does_not_have_is_an_error(filled, save_every):
    with pytest.raises(InvalidInput) as caught:
        filled.run_loop(annotate=lambda item: "desert", rounds=1, save_every=save_every)
    assert caught.value.code == "label-not-in-schema"
    assert caught.value.extras["allowed"] == list(TOPICS)


def test_variations_are_left_to_reviewers_or_decided_by_the_program(filled):
    [first] = filled.run_loop(annotate=topic_of, rounds=1, review="leave")
    proposed = len(list(filled.generations(state="proposed")))
    [second] = filled.run_loop(annotate=topic_of, rounds=2, review=lambda g: "reject")
    assert proposed > 0
    assert first.model_id is not None
    assert list(filled.generations(state="proposed")) == []
    assert second.kept == 0


def test_what_others_answered_meanwhile_is_not_answered_twice(filled, observer):
    other = observer.session(filled.id)
    taken = []

    def slowly(item):
        if not taken:
            taken.append(item.id)
            other.label([{"item_id": item.id, "label": topic_of(item)}])
        return topic_of(item)

    [record] = filled.run_loop(annotate=slowly, rounds=1, generate=False)
    assert (record.answered, record.refused) == (5, 1)
    assert set(answered(filled).values()) == {1}


def test_people_who_answer_elsewhere_are_waited_for(served, connect, observer):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        batch = next(iter(helper.batches(state="open")))
        helper.label(
            {"item_id": item.id, "label": topic_of(item)}
            for item in helper.items(batch_id=batch.id)
        )

    tailwise = connect(served.url, served.key, sleep=sleep)
    session = tailwise.create_session("topics", labels=TOPICS, settings=SETTINGS)
    session.upload(rows(12))
    helper = observer.session(session.id)
    [record] = session.run_loop(rounds=1, generate=False, every_s=7.0)
    assert slept == [7.0]
    assert record.answered == 0
    assert record.model_id is not None


def test_the_sessions_own_oracle_answers_where_it_is_told_to(tailwise):
    settings = {**SETTINGS, "oracle": "gold"}
    session = tailwise.create_session("topics", labels=TOPICS, settings=settings)
    session.upload(rows(18))
    [record] = session.run_loop(annotate="oracle", rounds=1, generate=False)
    assert record.answered == 6
    assert {event.oracle for event in session.labels()} == {"gold"}


def test_nobody_is_waited_for_longer_than_told(served, connect):
    slept = []
    tailwise = connect(served.url, served.key, sleep=slept.append)
    session = tailwise.create_session("topics", labels=TOPICS, settings=SETTINGS)
    session.upload(rows(12))
    with pytest.raises(TimedOut):
        session.run_loop(rounds=1, every_s=5.0, timeout=10.0)
    assert slept == [5.0, 5.0, 5.0]


def test_the_loop_is_a_function_of_a_session_too(served):
    with Tailwise(served.url, served.key) as tailwise:
        session = tailwise.create_session("topics", labels=TOPICS, settings=SETTINGS)
        session.upload(rows(12))
        [record] = run_loop(session, annotate=topic_of, rounds=1, generate=False)
    assert record.answered == 6


def test_an_asynchronous_loop_takes_coroutines(served):
    async def play():
        async def annotate(item):
            await asyncio.sleep(0)
            return topic_of(item)

        async with AsyncTailwise(served.url, served.key) as tailwise:
            session = await tailwise.create_session("t", labels=TOPICS, settings=SETTINGS)
            await session.upload(rows(12))
            return await run_loop(session, annotate=annotate, rounds=1, generate=False)

    [record] = asyncio.run(play())
    assert record.answered == 6


def test_a_loop_over_nothing_raises_what_the_service_says(connect, served):
    with pytest.raises(NotFound):
        connect(served.url, served.key).session("ses_nothing").run_loop(annotate=topic_of)
