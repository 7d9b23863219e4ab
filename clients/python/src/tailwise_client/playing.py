"""The loop, round by round, from wherever a session stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from tailwise_client.answering import Annotate, Patience, answer_batch
from tailwise_client.asking import Decision
from tailwise_client.binding import collected
from tailwise_client.errors import (
    BudgetExceeded,
    Conflict,
    InsufficientClasses,
    InvalidInput,
    NothingNew,
    OperationFailed,
    PoolEmpty,
    TimedOut,
)
from tailwise_client.records.rounds import Batch, Generation
from tailwise_client.records.sessions import Session
from tailwise_client.steps import Flow, invoke, pause
from tailwise_client.verbs.session import SessionVerbs

UNFINISHED = frozenset({"labelling", "ready_to_retrain"})
GOES_ON_WITHOUT = frozenset(
    {"source-unlabelled", "nothing-to-generate", "budget-exceeded", "generator-not-configured"}
)
"""Why variations are not written though the round goes on."""

Review: TypeAlias = (
    Literal["screened", "people", "leave"]
    | Callable[[Generation], Decision | str]
    | Callable[[Generation], Awaitable[Decision | str]]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round left. ``picked`` items were in the batch; ``answered``, ``skipped`` and
    ``refused`` are this run's answers; ``written`` and ``kept`` count variations; ``macro_f1``
    is None where no model was trained or nothing could be measured; dollars are the round's."""

    number: int
    batch_id: str
    picked: int
    answered: int = 0
    skipped: int = 0
    refused: int = 0
    written: int = 0
    kept: int = 0
    dollars: float = 0.0
    model_id: str | None = None
    macro_f1: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How rounds are played; see ``LoopVerbs.run_loop``."""

    annotate: Annotate | None
    rounds: int
    size: int | None
    generate: bool
    review: Review
    on_round: Callable[[Round], Any] | None
    save_every: int
    patience: Patience = field(default_factory=Patience)


def play(session: SessionVerbs, plan: Plan) -> Flow[tuple[Round, ...]]:
    """Rounds until the session has had ``plan.rounds``, or has nothing left to select."""
    records: list[Round] = []
    now = yield from _settled(session)
    unfinished = yield from _unfinished(session, now)
    number = now.round if unfinished else now.round + 1
    while number <= plan.rounds:
        record = yield from _round(session, plan, number=number)
        if record is None:
            break
        records.append(record)
        if plan.on_round is not None:
            yield from invoke(plan.on_round, record)
        number += 1
    return tuple(records)


def _unfinished(session: SessionVerbs, now: Session) -> Flow[bool]:
    """Whether the last round broke off. Variations may wait for review after it was trained."""
    if now.phase != "reviewing":
        return now.round > 0 and now.phase in UNFINISHED
    models = yield from collected(session.models())
    return all(model.round != now.round for model in models)


def _round(session: SessionVerbs, plan: Plan, *, number: int) -> Flow[Round | None]:
    now = yield from _settled(session)
    fresh = now.round < number
    batch = yield from (_select(session, plan) if fresh else _batch_of(session, number=number))
    if batch is None:
        return None
    answers = yield from answer_batch(
        session,
        batch,
        annotate=plan.annotate,
        fresh=fresh,
        save_every=plan.save_every,
        patience=plan.patience,
    )
    record = replace(
        Round(number=number, batch_id=batch.id, picked=len(batch.items)),
        answered=answers.accepted,
        skipped=answers.skipped,
        refused=answers.refused,
    )
    if plan.generate:
        record = yield from _write(session, record)
    record = yield from _review(session, plan, record)
    return (yield from _retrain(session, record))


def _settled(session: SessionVerbs) -> Flow[Session]:
    """The session once nothing runs in it that a round builds on."""
    while True:
        now = yield from session.get()
        if not now.running:
            return now
        for operation in now.running:
            try:
                yield from session.wait(operation)
            except OperationFailed:
                continue


def _select(session: SessionVerbs, plan: Plan) -> Flow[Batch | None]:
    try:
        return (yield from session.select(size=plan.size))
    except (PoolEmpty, BudgetExceeded):
        return None


def _batch_of(session: SessionVerbs, *, number: int) -> Flow[Batch | None]:
    batches = yield from collected(session.batches())
    return next((batch for batch in batches if batch.round == number), None)


def _write(session: SessionVerbs, record: Round) -> Flow[Round]:
    """Variations of this round's labels, once; trouble is noted, and the round goes on."""
    earlier = yield from collected(session.operations(kind="generate", state="succeeded"))
    if any(operation.input.get("round") == record.number for operation in earlier):
        return record
    try:
        started = yield from session.generate(batch_id=record.batch_id)
        done = yield from session.wait(started)
    except (Conflict, InvalidInput) as refusal:
        if refusal.code not in GOES_ON_WITHOUT:
            raise
        return _noted(record, f"no variations: {refusal.code}")
    except OperationFailed as failure:
        return _noted(record, f"no variations: {failure.code}")
    result = done.result or {}
    counts = {name: result.get(name, 0) for name in ("proposed", "accepted", "dropped")}
    return replace(
        record,
        written=sum(counts.values()),
        kept=counts["accepted"],
        dollars=result.get("dollars", 0.0),
    )


def _review(session: SessionVerbs, plan: Plan, record: Round) -> Flow[Round]:
    """Decide on all that is proposed, also by an earlier run that broke off."""
    if plan.review == "leave":
        return record
    if plan.review == "people":
        yield from _await_reviewers(session, plan.patience)
        return record
    proposed = yield from collected(session.generations(state="proposed"))
    decisions = []
    for generation in proposed:
        if callable(plan.review):
            decisions.append(_decision(generation, (yield from invoke(plan.review, generation))))
        else:
            decisions.append(_by_screens(generation))
    result = yield from session.review(decisions)
    return replace(record, kept=record.kept + result.accepted + result.edited)


def _await_reviewers(session: SessionVerbs, patience: Patience) -> Flow[None]:
    for _ in patience.looks():
        now = yield from session.get()
        if not now.counts.get("generations_proposed"):
            return
        yield from pause(patience.every_s)
    raise TimedOut("variations still wait for their review")


def _by_screens(generation: Generation) -> Decision:
    if generation.passed:
        return Decision(generation_id=generation.id, decision="accept")
    return Decision(generation_id=generation.id, decision="reject", reason="failed a screen")


def _decision(generation: Generation, told: Decision | str) -> Decision:
    return Decision(generation_id=generation.id, decision=told) if isinstance(told, str) else told


def _retrain(session: SessionVerbs, record: Round) -> Flow[Round]:
    try:
        started = yield from session.retrain(join=True)
    except (InsufficientClasses, NothingNew) as early:
        return _noted(record, f"no model: {early.code}")
    done = yield from session.wait(started)
    model_id = (done.result or {}).get("model_id")
    if model_id is None:
        return record
    model = yield from session.model(model_id)
    return replace(record, model_id=model_id, macro_f1=model.metrics.get("macro_f1"))


def _noted(record: Round, note: str) -> Round:
    return replace(record, notes=(*record.notes, note))
