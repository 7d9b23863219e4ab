"""Writing down what a generator wrote: screened, stored with its lineage, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import PoolArrays
from core.embedding import embed
from core.generation import GenerationRequest, GenerationResult
from core.ports import BatchWriter, Clock, Encoder, Generator, Store
from core.records import Generation, GenerationState, Operation, Screen, Session
from core.screening import Seed, needs_review, screen, verdict
from core.seeding import SeedContext, SeedPlan, build_request, opening
from core.written import Written, candidates

Classify = Callable[[Sequence[str], NDArray[np.float32]], Sequence[Mapping[str, float]]]
"""(texts, their vectors) -> probabilities by class id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What writing one seed's variations needs besides the seed."""

    session: Session
    operation: Operation
    context: SeedContext
    arrays: PoolArrays
    labelled: NDArray[np.int64]
    written: Written
    generator: Generator | BatchWriter
    encoder: Encoder
    classify: Classify | None
    store: Store
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked for one seed; ``number`` is the seed's place in the operation."""

    number: int
    plan: SeedPlan
    request: GenerationRequest
    example_ids: tuple[str, ...]


def call_for(number: int, plan: SeedPlan, *, desk: Desk) -> Call:
    """What to ask now, in the light of what is written already."""
    taboo = [opening(row.text) for row in desk.written.of_class(plan.class_id)]
    request, example_ids = build_request(
        plan, context=desk.context, arrays=desk.arrays, taboo=taboo
    )
    return Call(number=number, plan=plan, request=request, example_ids=example_ids)


def remembered(number: int, plan: SeedPlan, *, desk: Desk) -> dict[str, Any] | None:
    """The counts of a call whose rows a run before a crash left; None where there are none."""
    left = desk.written.starting(_prefix(number, desk=desk))
    if not left:
        return None
    outcome = "ok" if len(left) >= plan.count else "shortfall"
    return counts(plan, left, outcome=outcome, category=None)


def write_down(call: Call, answer: GenerationResult, *, desk: Desk) -> dict[str, Any]:
    """Screen an answer and store its rows; the counts hold no text.

    Raises Gone ``session-deleted`` where nothing may be stored any more.
    """
    texts = [variation.text for variation in answer.variations]
    vectors = embed(texts, tenant_id=desk.session.tenant_id, encoder=desk.encoder, store=desk.store)
    screens = _screen(texts, vectors, call, desk=desk)
    prefix = _prefix(call.number, desk=desk)
    rows = [
        _row(f"{prefix}{place:02d}", place, call, answer, screens=found, desk=desk)
        for place, found in enumerate(screens)
    ]
    with desk.store.write() as tx:
        tx.sessions.get(desk.session.tenant_id, desk.session.id, lock=True)
        tx.generations.add_many(rows)
    desk.written.add(rows, vectors)
    return counts(call.plan, rows, outcome=answer.outcome, category=answer.category)


def _prefix(number: int, *, desk: Desk) -> str:
    """Row ids follow from the operation and the place in it, so that a repeat adds none."""
    return f"gen_{desk.operation.id.partition('_')[2]}{number:05d}"


def counts(
    plan: SeedPlan, rows: Sequence[Generation], *, outcome: str, category: str | None
) -> dict[str, Any]:
    """What became of one call, for its step's record."""
    failed = Counter(s.check for row in rows for s in row.screens if not s.passed)
    return {
        "class": plan.class_id,
        "outcome": outcome,
        "category": category,
        "states": dict(Counter(row.state for row in rows)),
        "flagged": sum(row.needs_review for row in rows),
        "failed_screens": dict(failed),
    }


def _screen(
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    call: Call,
    *,
    desk: Desk,
) -> list[tuple[Screen, ...]]:
    plan, request = call.plan, call.request
    drafts = candidates(
        texts,
        vectors,
        session=desk.session,
        seed_position=plan.item.position,
        labelled=desk.labelled,
        arrays=desk.arrays,
        written=desk.written,
        classify=desk.classify,
        store=desk.store,
    )
    seed = Seed(
        id=plan.item.id,
        text=plan.item.text,
        label=request.label,
        also=request.also,
        vector=request.vector,
        multi_label=desk.session.task.multi_label,
    )
    return screen(drafts, seed=seed)


def _row(
    row_id: str,
    place: int,
    call: Call,
    answer: GenerationResult,
    *,
    screens: tuple[Screen, ...],
    desk: Desk,
) -> Generation:
    """One variation with its lineage; a dropped one is kept too, as evidence."""
    plan, request = call.plan, call.request
    settings = desk.session.settings
    flagged = needs_review(screens)
    sampled = np.random.default_rng([request.seed, 5, place]).random() < settings.review_sample
    trusted = settings.review == "screened" and not flagged and not sampled
    now = desk.clock.now()
    state: GenerationState = "accepted" if trusted else "proposed"
    return Generation(
        id=row_id,
        tenant_id=desk.session.tenant_id,
        session_id=desk.session.id,
        operation_id=desk.operation.id,
        round=desk.context.round,
        seed_item_id=plan.item.id,
        seed_label_id=plan.answer.id,
        text=answer.variations[place].text,
        labels=plan.answer.labels,
        original_text=None,
        original_labels=None,
        state="dropped" if verdict(screens) == "drop" else state,
        screens=screens,
        needs_review=flagged or sampled,
        generator=desk.generator.name,
        model=answer.model,
        template_id=request.template.id,
        template_version=request.template.version,
        template_sha256=request.template.sha256,
        attributes=request.attributes[place : place + 1],
        example_ids=call.example_ids,
        contrast=request.contrast.id if request.contrast else None,
        prompt_sha256=answer.prompt_sha256,
        response_sha256=answer.response_sha256,
        request_id=answer.request_id,
        reviewer="screens" if trusted else None,
        reason=None,
        revision=1,
        created_at=now,
        reviewed_at=now if trusted else None,
    )


def totals(
    outcomes: Sequence[Mapping[str, Any]], *, desk: Desk, asked: Sequence[SeedPlan]
) -> dict[str, Any]:
    """Sums over the calls so far, for the operation's result."""
    states: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for outcome in outcomes:
        states.update(outcome["states"])
        failed.update(outcome["failed_screens"])
        if outcome["outcome"] == "refused":
            refused[str(outcome["class"])] += 1
    kinds = Counter(str(outcome["outcome"]) for outcome in outcomes)
    with desk.store.read() as tx:
        dollars = tx.costs.total(desk.session.id, operation_id=desk.operation.id)
    return {
        "round": desk.context.round,
        "generator": desk.generator.name,
        "model": desk.generator.model,
        "template": desk.context.template.id,
        "template_version": desk.context.template.version,
        "seeds": len(asked),
        "calls": len(outcomes),
        "asked": sum(plan.count for plan in asked),
        "proposed": states["proposed"],
        "accepted": states["accepted"],
        "dropped": states["dropped"],
        "flagged": sum(o["flagged"] for o in outcomes),
        "failed_screens": dict(failed),
        "outcomes": dict(kinds),
        "refused_by_class": dict(refused),
        "dollars": dollars,
        "stopped": "budget-exceeded" if kinds["over_budget"] else None,
        "note": desk.operation.input["note"],
    }
