"""One cell of the study: one arm and one seed, round by round through the service's verbs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.multi_label.construction import Message
from benchmarks.multi_label.inline import TENANT, finished
from core.records import Choice, LabelClass, Labels, Page, Session, SessionSettings, Split, Task
from core.requests import (
    GenerateRequest,
    ImportRequest,
    NewSession,
    RetrainRequest,
    ReviewDecision,
    SelectRequest,
)
from runtime.tailwise import Tailwise

PAGE = 500
DIGITS = 4
START = Choice(name="random")
"""The first batch of every arm, so that arms of one seed differ in nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way through the rounds; ``generator`` None writes nothing."""

    name: str
    strategy: Choice
    generator: Choice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What all cells share: the labels, the rounds (the start is one) and their size."""

    classes: Labels
    encoder: Choice
    batch: int
    rounds: int

    @property
    def labels(self) -> int:
        return self.batch * self.rounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The messages of one seed."""

    pool: Sequence[Message]
    reserve: Sequence[Message]
    test: Sequence[Message]


def run_cell(
    arm: Arm, sides: Sides, *, seed: int, plan: Plan, service: Tailwise
) -> list[dict[str, Any]]:
    """One row of measures per round, from the service's own metrics; scores on test messages.

    Raises what the verbs raise, and JobFailed where an operation fails.
    """
    session = _opened(arm, sides, seed=seed, plan=plan, service=service)
    scores = []
    for number in range(plan.rounds):
        request = SelectRequest(strategy=START) if number == 0 else SelectRequest()
        scores.append(_round(session, request, arm=arm, service=service))
    told = service.metrics(session)
    rows = zip(told["evenness"], told["learning_curve"]["models"], scores, strict=True)
    return [_measures(even, model, score) for even, model, score in rows]


def _opened(arm: Arm, sides: Sides, *, seed: int, plan: Plan, service: Tailwise) -> Session:
    """A multi-label session whose messages are imported, encoded and clustered."""
    settings = SessionSettings(
        encoder=plan.encoder,
        strategy=arm.strategy,
        batch_size=plan.batch,
        generator=arm.generator or Choice(name="simulated"),
        oracle=Choice(name="gold"),
        seed=seed,
    )
    classes = tuple(LabelClass(id=c, name=c) for c in plan.classes)
    new = NewSession(
        name=f"{arm.name} {seed}", task=Task(classes=classes, kind="multi"), settings=settings
    )
    session = service.create_session(TENANT, new)
    started = service.start_import(
        session, _lines(sides), ImportRequest(format="jsonl"), request_key=None
    )
    imported = finished(service, started.id)
    finished(service, (imported.result or {})["index_operation"])
    return service.session(TENANT, session.id)


def _lines(sides: Sides) -> Iterator[bytes]:
    """The import file, one JSON object a line."""
    parts: tuple[tuple[Split, Sequence[Message]], ...] = (
        ("pool", sides.pool),
        ("reserve", sides.reserve),
        ("test", sides.test),
    )
    for split, messages in parts:
        for number, message in enumerate(messages):
            row = {
                "external_id": f"{split}-{number}",
                "text": message.text,
                "gold": list(message.labels),
                "split": split,
            }
            yield json.dumps(row).encode() + b"\n"


def _round(
    session: Session, request: SelectRequest, *, arm: Arm, service: Tailwise
) -> dict[str, Any]:
    """Select, label, generate and review where the arm writes, retrain; the model's metrics."""
    batch = service.select(session, request, request_key=None).batch
    service.label_by_oracle(session, batch.id, noise=None)
    if arm.generator is not None:
        written = service.start_generate(session, GenerateRequest(), request_key=None)
        finished(service, written.id)
        _accept_all(session, service=service)
    trained = service.start_retrain(session, RetrainRequest(), request_key=None)
    result = finished(service, trained.id).result or {}
    metrics: dict[str, Any] = result["metrics"]
    return metrics


def _accept_all(session: Session, *, service: Tailwise) -> None:
    """A reviewer who lets pass whatever the screens let pass, wrong labels too."""
    while True:
        with service.store.read() as tx:
            proposed = tx.generations.list(session.id, Page(limit=PAGE), state="proposed")
        if not proposed:
            return
        accepted = [ReviewDecision(generation_id=r.id, decision="accept") for r in proposed]
        service.review(session, accepted, reviewer="study", mode="atomic")


def _measures(even: dict[str, Any], model: dict[str, Any], score: dict[str, Any]) -> dict[str, Any]:
    return {
        "labels": even["labels"],
        "counts": even["counts"],
        "std": round(even["std"], DIGITS),
        "normalised_entropy": round(even["normalised_entropy"], DIGITS),
        "generated": model["generated"],
        "macro_f1": round(score["macro_f1"], DIGITS),
        "micro_f1": round(score["micro_f1"], DIGITS),
        "f1": {c: round(row["f1"], DIGITS) for c, row in score["per_class"].items()},
    }
