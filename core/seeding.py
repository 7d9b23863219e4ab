"""Which labelled texts are varied, how often, and what each call is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import PoolArrays
from core.errors import InvalidInput
from core.generation import GenerationRequest
from core.ports import Repositories
from core.prompting import draw_attributes, plan_counts
from core.records import Batch, IndexVersion, Item, LabelEvent, Session, Template
from core.requests import GenerateRequest

EXAMPLES = 2
"""Other texts of the class shown with a seed; more cost tokens and help little."""

TABOO = 10
"""Openings already used that a call is asked to avoid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """One call to make: the seed with its answer, and how many variations of it.

    ``class_id`` is the class they are for: of the answer's the one that lacks most.
    """

    item: Item
    answer: LabelEvent
    count: int
    class_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedContext:
    """What the calls of one operation share. ``texts_by_class``: (item id, text) of every
    labelled item, by position."""

    session: Session
    template: Template
    round: int
    ordinal: int
    version: IndexVersion
    model_classes: tuple[str, ...]
    texts_by_class: Mapping[str, Sequence[tuple[str, str]]]


def plan_seeds(
    tx: Repositories, session: Session, request: GenerateRequest
) -> tuple[int, list[SeedPlan]]:
    """(round, one plan per seed that gets any variations), in batch order.

    Raises InvalidInput ``source-unlabelled`` where a named source has no answer yet.
    """
    batch, item_ids = _sources(tx, session, request)
    answers = tx.labels.current(session.id, item_ids)
    items = tx.items.by_ids(session.id, item_ids)
    unlabelled = [i for i in item_ids if i not in answers]
    if not answers or (request.item_ids and unlabelled):
        raise InvalidInput(
            "variations are written from labelled items only",
            code="source-unlabelled",
            extras={"items": unlabelled},
        )
    held = Counter(c for row in tx.labels.labelled(session.id) for c in row.labels)
    variations = session.settings.variations if request.variations is None else request.variations
    counts = plan_counts(held, session.task.target_shares(), variations=variations)
    plans = [
        _plan(items[i], answers[i], counts=counts)
        for i in item_ids
        if i in answers and answers[i].labels
    ]
    return (batch.round if batch else 0), [plan for plan in plans if plan.count > 0]


def _plan(item: Item, answer: LabelEvent, *, counts: Mapping[str, int]) -> SeedPlan:
    """As many variations as the class of the answer that lacks most should have."""
    class_id = max(answer.labels, key=lambda c: counts.get(c, 0))
    return SeedPlan(item=item, answer=answer, count=counts.get(class_id, 0), class_id=class_id)


def _sources(
    tx: Repositories, session: Session, request: GenerateRequest
) -> tuple[Batch | None, list[str]]:
    """The batch (if any) and the item ids to vary."""
    if request.item_ids:
        known = tx.items.by_ids(session.id, request.item_ids)
        missing = [i for i in request.item_ids if i not in known]
        if missing:
            raise InvalidInput(
                "some items do not exist", code="unknown-item", extras={"items": missing}
            )
        return None, list(dict.fromkeys(request.item_ids))
    if request.batch_id is not None:
        batch = tx.batches.get(session.id, request.batch_id)
        return batch, [item.item_id for item in batch.items]
    for batch in reversed(tx.batches.all(session.id)):
        ids = [item.item_id for item in batch.items]
        if tx.labels.current(session.id, ids):
            return batch, ids
    raise InvalidInput(
        "nothing is labelled yet; select and label a batch first", code="source-unlabelled"
    )


def labelled_texts(tx: Repositories, session: Session) -> dict[str, list[tuple[str, str]]]:
    """(item id, text) of the labelled items by class, by position."""
    rows = tx.labels.labelled(session.id)
    items = tx.items.by_ids(session.id, [row.item_id for row in rows])
    texts: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        for class_id in row.labels:
            texts.setdefault(class_id, []).append((row.item_id, items[row.item_id].text))
    return texts


def build_request(
    plan: SeedPlan, *, context: SeedContext, arrays: PoolArrays, taboo: Sequence[str]
) -> tuple[GenerationRequest, tuple[str, ...]]:
    """The call for one seed and the ids of the examples it shows.

    Chance depends on the session's seed, the operation's ordinal and the item's position
    alone, so that a resumed operation asks the same thing.
    """
    session = context.session
    seed = [session.settings.seed, 3, context.ordinal, plan.item.position]
    rng = np.random.default_rng(seed)
    others = _alike(plan, context=context)
    chosen = rng.permutation(len(others))[:EXAMPLES]
    position = np.array([plan.item.position], dtype=np.int64)
    contrast = _runner_up(plan, context=context, arrays=arrays)
    request = GenerationRequest(
        seed_item_id=plan.item.id,
        text=plan.item.text,
        label=session.task.get(plan.class_id),
        also=tuple(session.task.get(c) for c in plan.answer.labels if c != plan.class_id),
        contrast=session.task.get(contrast) if contrast else None,
        count=plan.count,
        template=context.template,
        attributes=draw_attributes(rng, plan.count),
        examples=tuple(others[i][1] for i in chosen),
        taboo=tuple(taboo[-TABOO:]),
        vector=arrays.vectors(position)[0],
        seed=int(rng.integers(2**31)),
        guidelines=session.guidelines,
    )
    return request, tuple(others[i][0] for i in chosen)


def _alike(plan: SeedPlan, *, context: SeedContext) -> list[tuple[str, str]]:
    """(item id, text) of the other labelled items that have every class of the seed."""
    texts = context.texts_by_class
    shared = set.intersection(*(set(texts.get(c, ())) for c in plan.answer.labels))
    return [
        pair for pair in texts.get(plan.class_id, ()) if pair[0] != plan.item.id and pair in shared
    ]


def _runner_up(plan: SeedPlan, *, context: SeedContext, arrays: PoolArrays) -> str | None:
    """The class the learner would most likely mistake the seed for."""
    probabilities = arrays.probabilities()
    if probabilities is None:
        return None
    order = np.argsort(-probabilities[plan.item.position], kind="stable")
    names = [context.model_classes[column] for column in order]
    known = set(context.session.task.class_ids) - set(plan.answer.labels)
    return next((name for name in names if name in known), None)


def opening(text: str) -> str:
    """The first three words."""
    return " ".join(text.split()[:3])
