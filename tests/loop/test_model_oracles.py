"""A language model and a panel answer a batch: what is stored, left to people, paid and spared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.consulting import consult
from core.errors import Conflict, InvalidInput, Unavailable
from core.events import EVENT_TYPES
from core.ports import Consultant
from core.records import Batch, Budget, Choice, Session
from core.requests import LabelResult, NewLabel, RetrainRequest, SelectRequest
from runtime.tailwise import Tailwise
from tests.conftest import build_inline
from tests.corpus import TOPICS, items, new_session
from tests.messages_server import KEY, Handler, MessagesServer, message, messages_server

TEXTS = re.compile(r'<data name="texts">\n(.*?)\n</data>', re.DOTALL)


@dataclass(kw_only=True)
class Reader:
    """Knows every topic by its words; abstains on questions and fails where a test says so."""

    doubts_questions: bool = True
    error: tuple[int, str] | None = None
    during: list[Any] = field(default_factory=list)

    def __call__(self, handler: Handler) -> None:
        for act in self.during:
            act()
        self.during.clear()
        if self.error:
            handler.error(*self.error)
            return
        found = TEXTS.search(handler.fake.requests[-1].prompt)
        assert found is not None
        answers = [self._answer(row) for row in json.loads(found[1])]
        handler.json(200, message(json.dumps({"answers": answers})))

    def _answer(self, row: dict[str, Any]) -> dict[str, Any]:
        unsure = self.doubts_questions and row["text"].endswith("?")
        labels = [] if unsure else [topic_of(row["text"])]
        return {"n": row["n"], "labels": labels, "confidence": 0.9, "abstain": unsure}


def topic_of(text: str) -> str:
    return next(topic for topic, words in TOPICS.items() if any(word in text for word in words))


@dataclass(kw_only=True)
class World:
    tailwise: Tailwise
    reader: Reader
    messages: MessagesServer

    def session(self, oracle: Choice, **settings: object) -> Session:
        made = self.tailwise.create_session("ten_a", new_session(oracle=oracle, **settings))
        self.tailwise.add_items(made, items(), on_conflict="error", mode="atomic")
        return self.tailwise.session("ten_a", made.id)

    def batch(self, session: Session, size: int = 20) -> Batch:
        return self.tailwise.select(session, SelectRequest(size=size), request_key=None).batch

    def ask(self, session: Session, batch: Batch) -> LabelResult:
        return self.tailwise.label_by_oracle(session, batch.id, noise=None)

    def texts(self, session: Session, batch: Batch) -> dict[str, str]:
        with self.tailwise.store.read() as tx:
            found = tx.items.by_ids(session.id, [item.item_id for item in batch.items])
        return {item_id: item.text for item_id, item in found.items()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    reader = Reader()
    with messages_server(reader) as messages:
        service = build_inline(
            tmp_path / "data", anthropic_api_key=KEY, anthropic_base_url=messages.url
        )
        with service.store.write() as tx:
            tx.access.ensure_tenant("ten_a", name="A", now=service.clock.now())
        yield World(tailwise=service, reader=reader, messages=messages)
        service.store.close()  # type: ignore[attr-defined]


LLM = Choice(name="llm")
PANEL = Choice(
    name="panel",
    options={"members": [{"name": "gold", "options": {"noise": 1.0}}, {"name": "llm"}]},
)


def test_what_the_model_knows_is_stored_and_the_rest_waits_for_people(world: World) -> None:
    session = world.session(LLM)
    batch = world.batch(session)
    result = world.ask(session, batch)
    texts = world.texts(session, batch)
    questions = {item_id for item_id, text in texts.items() if text.endswith("?")}
    assert questions
    assert {e.item_id for e in result.escalated} == questions
    assert {e.reason for e in result.escalated} == {"abstained"}
    assert (result.accepted, result.remaining) == (20 - len(questions), 0)
    with world.tailwise.store.read() as tx:
        found = tx.items.by_ids(session.id, list(texts))
        current = tx.labels.current(session.id, list(texts))
    assert {i for i, item in found.items() if item.state == "selected"} == questions
    assert all(event.labels == (topic_of(texts[i]),) for i, event in current.items())
    assert {(e.oracle, e.annotator_id) for e in current.values()} == {("llm", "oracle:llm")}


def test_an_escalation_is_announced_once_and_never_asked_about_again(world: World) -> None:
    session = world.session(LLM)
    batch = world.batch(session)
    first = world.ask(session, batch)
    calls = len(world.messages.requests)
    again = world.ask(session, batch)
    assert (again.accepted, again.escalated, again.remaining) == (0, (), 0)
    assert len(world.messages.requests) == calls
    with world.tailwise.store.read() as tx:
        told = tx.events.list(session.id, after=0, limit=100, types=("item.escalated",))
    assert "item.escalated" in EVENT_TYPES
    assert [e.data["item_id"] for e in told] == [e.item_id for e in first.escalated]
    assert all("text" not in e.data for e in told)


def test_a_large_batch_is_asked_about_in_parts(world: World) -> None:
    world.reader.doubts_questions = False
    session = world.session(LLM)
    batch = world.batch(session, size=80)
    parts = [world.ask(session, batch) for _ in range(2)]
    assert [(p.accepted, p.remaining) for p in parts] == [(50, 30), (30, 0)]
    with world.tailwise.store.read() as tx:
        assert tx.batches.get(session.id, batch.id).state == "completed"


def test_people_answer_what_was_left_and_complete_the_batch(world: World) -> None:
    session = world.session(LLM)
    batch = world.batch(session)
    left = world.ask(session, batch).escalated
    answers = [NewLabel(item_id=e.item_id, labels=("garden",), batch_id=batch.id) for e in left]
    world.tailwise.label(
        session, answers, annotator_id="ann", mode="atomic", allow_unsolicited=False
    )
    with world.tailwise.store.read() as tx:
        assert tx.batches.get(session.id, batch.id).state == "completed"


def test_what_somebody_answers_meanwhile_stays_theirs(world: World) -> None:
    world.reader.doubts_questions = False
    session = world.session(LLM)
    batch = world.batch(session)
    first = batch.items[0].item_id

    def meanwhile() -> None:
        answer = NewLabel(item_id=first, labels=("harbour",), batch_id=batch.id)
        world.tailwise.label(
            session, [answer], annotator_id="ann", mode="atomic", allow_unsolicited=False
        )

    world.reader.during.append(meanwhile)
    result = world.ask(session, batch)
    assert (result.accepted, result.rejected) == (19, 1)
    with world.tailwise.store.read() as tx:
        assert tx.labels.current(session.id, [first])[first].annotator_id == "ann"


def test_an_item_for_several_people_is_left_to_them_unasked(world: World) -> None:
    session = world.session(LLM)
    batch = world.batch(session)
    several = tuple(replace(item, answers_needed=2) for item in batch.items)
    oracle = world.tailwise.oracle_for(session, None)
    assert isinstance(oracle, Consultant)
    result = consult(
        session,
        replace(batch, items=several),
        [item.item_id for item in several],
        oracle=oracle,
        store=world.tailwise.store,
        clock=world.tailwise.clock,
        ids=world.tailwise.ids,
    )
    assert [e.reason for e in result.escalated] == ["several-answers"] * 20
    assert world.messages.requests == []


def test_opinions_train_a_model_and_measure_nothing(world: World) -> None:
    world.reader.doubts_questions = False
    session = world.session(LLM, holdout=0.5)
    world.ask(session, world.batch(session, size=40))
    operation = world.tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    with world.tailwise.store.read() as tx:
        (model,) = tx.models.all(session.id)
        done = tx.operations.get("ten_a", operation.id)
    assert done.state == "succeeded"
    assert sum(model.human_counts.values()) == model.parameters["opinion_rows"] == 40
    assert model.evaluated_on == "test"
    counts = world.tailwise.metrics(session)["counts"]
    assert counts["labelled_by_models"] == counts["labelled"] == 40


def test_its_calls_are_in_the_ledger_and_within_the_session_s_budget(world: World) -> None:
    session = world.session(LLM, budget=Budget(dollars=1.0))
    world.ask(session, world.batch(session))
    with world.tailwise.store.read() as tx:
        spent = tx.costs.by_operation(session.id)
    assert set(spent) == {"oracle:llm"}
    assert spent["oracle:llm"] == pytest.approx(len(world.messages.requests) * 0.00022)


@pytest.mark.parametrize(
    ("options", "settings"), [({"max_dollars": 1e-6}, {}), ({}, {"budget": Budget(dollars=1e-6)})]
)
def test_without_money_nothing_is_sent_and_the_caller_is_told(
    world: World, options: dict[str, Any], settings: dict[str, Any]
) -> None:
    session = world.session(Choice(name="llm", options=options), **settings)
    batch = world.batch(session)
    with pytest.raises(Conflict) as refusal:
        world.ask(session, batch)
    assert refusal.value.code == "budget-exceeded"
    assert world.messages.requests == []


def test_where_the_provider_refuses_the_key_the_caller_is_told(world: World) -> None:
    session = world.session(LLM)
    batch = world.batch(session)
    world.reader.error = (401, "authentication_error")
    with pytest.raises(Unavailable) as refusal:
        world.ask(session, batch)
    assert refusal.value.code == "oracle-unavailable"
    assert refusal.value.extras == {"category": "authentication_error"}


def test_a_closed_session_costs_nothing(world: World) -> None:
    session = world.session(LLM)
    batch = world.batch(session)
    world.tailwise.transition(session, "close")
    with pytest.raises(Conflict):
        world.ask(world.tailwise.session("ten_a", session.id), batch)
    assert world.messages.requests == []


def test_a_panel_gives_what_its_members_agree_on(world: World) -> None:
    members = [{"name": "gold"}, {"name": "llm"}]
    session = world.session(Choice(name="panel", options={"members": members}))
    result = world.ask(session, world.batch(session))
    assert result.accepted > 0
    assert {e.reason for e in result.escalated} == {"abstained"}
    with world.tailwise.store.read() as tx:
        found = tx.labels.labelled(session.id)
    assert {(row.oracle, row.opinion) for row in found} == {("panel", True)}


def test_where_members_differ_people_decide(world: World) -> None:
    world.reader.doubts_questions = False
    session = world.session(PANEL)
    result = world.ask(session, world.batch(session))
    assert result.accepted == 0
    assert {e.reason for e in result.escalated} == {"disagreed"}
    assert len(result.escalated) == 20


@pytest.mark.parametrize(
    ("oracle", "pointer"),
    [
        (Choice(name="llm", options={"chunk": 0}), "/settings/oracle/options/chunk"),
        (Choice(name="llm", options={"judge": "delphi"}), "/settings/oracle/options/judge"),
        (Choice(name="llm", options={"wisdom": 1}), "/settings/oracle/options/wisdom"),
        (Choice(name="gold", options={"noise": 2}), "/settings/oracle/options/noise"),
        (Choice(name="panel"), "/settings/oracle/options/members"),
        (
            Choice(name="panel", options={"members": [{"name": "llm"}, {"name": "panel"}]}),
            "/settings/oracle/options/members/1",
        ),
    ],
)
def test_options_are_checked_when_a_session_is_made(
    world: World, oracle: Choice, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        world.tailwise.create_session("ten_a", new_session(oracle=oracle))
    assert refusal.value.errors[0].pointer == pointer


def test_a_server_without_gold_refuses_it_on_a_panel_too(tmp_path: Path) -> None:
    service = build_inline(tmp_path / "data", allow_gold_oracle="false")
    with pytest.raises(InvalidInput) as refusal:
        service.create_session("ten_a", new_session(oracle=PANEL))
    assert refusal.value.code == "gold-not-allowed"
    service.store.close()  # type: ignore[attr-defined]


def test_without_a_key_the_llm_oracle_says_what_is_missing(tailwise: Tailwise) -> None:
    made = tailwise.create_session("ten_a", new_session(oracle=LLM))
    tailwise.add_items(made, items(), on_conflict="error", mode="atomic")
    session = tailwise.session("ten_a", made.id)
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    with pytest.raises(Conflict) as refusal:
        tailwise.label_by_oracle(session, batch.id, noise=None)
    assert refusal.value.code == "generator-not-configured"
