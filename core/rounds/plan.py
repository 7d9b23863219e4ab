"""Start generating: price the plan, refuse what cannot be paid, and queue the calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import PoolArrays
from core.budget import Spend
from core.errors import Conflict
from core.ports import Blobs, Clock, Generator, Ids, Jobs, Repositories, Store
from core.records import Choice, Item, Operation, Options, Session, Template
from core.requests import GenerateRequest, GenerationPlan
from core.seeding import SeedContext, SeedPlan, build_request, labelled_texts, plan_seeds
from core.session_rules import require_index, require_open
from core.submission import repeated, submit
from core.templates import find_template


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What generation is made of: ``resolve`` settles "auto", ``make`` builds a generator
    for a session, ``builtin`` are the templates that ship."""

    resolve: Callable[[Choice], Choice]
    make: Callable[[Session, Choice], Generator]
    builtin: Mapping[str, Template]


def plan_generation(
    session: Session, request: GenerateRequest, *, press: Press, store: Store, blobs: Blobs
) -> GenerationPlan:
    """A dry run: the calls that would be made and the worst they could cost."""
    with store.read() as tx:
        require_open(session, verb="generate")
        choice = press.resolve(request.generator or session.settings.generator)
        context, plans = prepare(
            tx, session, _input(tx, session, request, choice, press=press), press=press
        )
    generator = press.make(session, choice)
    arrays = PoolArrays(context.version, blobs=blobs)
    estimates = [
        generator.estimate(build_request(plan, context=context, arrays=arrays, taboo=())[0])
        for plan in plans
    ]
    by_class: Counter[str] = Counter()
    for plan in plans:
        by_class[plan.class_id] += plan.count
    return GenerationPlan(
        generator=generator.name,
        model=generator.model,
        template=context.template.id,
        template_version=context.template.version,
        seeds=len(plans),
        calls=len(plans),
        variations=sum(plan.count for plan in plans),
        by_class=dict(by_class),
        input_tokens=sum(e.input_tokens for e in estimates),
        output_tokens=sum(e.output_tokens for e in estimates),
        dollars=sum(e.dollars for e in estimates),
        note=note_for(request.generator or session.settings.generator, choice),
    )


def start_generate(
    session: Session,
    request: GenerateRequest,
    *,
    request_key: str | None,
    press: Press,
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> Operation:
    """Queue the calls; a paid generator with a spent budget is refused at once.

    Raises Conflict ``session-not-open``, ``not-indexed``, ``generator-not-configured`` or
    ``budget-exceeded``; InvalidInput ``source-unlabelled``, ``unknown-template``.
    """
    choice = press.resolve(request.generator or session.settings.generator)
    generator = press.make(session, choice)
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        if known := repeated(tx, session, request_key):
            return known
        require_open(current, verb="generate")
        require_index(tx, current)
        document = _input(tx, current, request, choice, press=press)
        if generator.paid:
            _refuse_spent(tx, current)
        operation, _ = submit(
            tx,
            current,
            kind="generate",
            input=document,
            lane=None,
            request_key=request_key,
            ids=ids,
            clock=clock,
        )
    jobs.enqueue(operation)
    return operation


def prepare(
    tx: Repositories, session: Session, document: Options, *, press: Press
) -> tuple[SeedContext, list[SeedPlan]]:
    """What an operation's input stands for: the shared context and one plan per seed."""
    version = require_index(tx, session)
    classes = session.task.class_ids
    if version.model_id is not None:
        classes = tx.models.get(session.id, version.model_id).classes
    context = SeedContext(
        session=session,
        template=find_template(tx, session.tenant_id, document["template"], builtin=press.builtin),
        round=document["round"],
        ordinal=document["ordinal"],
        version=version,
        model_classes=classes,
        texts_by_class=labelled_texts(tx, session),
    )
    items = tx.items.by_ids(session.id, [seed["item_id"] for seed in document["seeds"]])
    plans = [
        _seed(tx, session, seed, items=items)
        for seed in document["seeds"]
        if seed["item_id"] in items
    ]
    return context, plans


def _seed(
    tx: Repositories, session: Session, document: Options, *, items: Mapping[str, Item]
) -> SeedPlan:
    answer = tx.labels.get(session.id, document["label_id"])
    return SeedPlan(
        item=items[document["item_id"]],
        answer=answer,
        count=document["count"],
        class_id=document.get("class_id", answer.labels[0]),
    )


def labelled_positions(tx: Repositories, session: Session) -> NDArray[np.int64]:
    """Positions of labelled pool rows, int64."""
    return np.array([row.position for row in tx.labels.labelled(session.id)], dtype=np.int64)


def note_for(asked: Choice, used: Choice) -> str | None:
    """Says when the default had to settle for less."""
    if asked.name == "auto" and used.name == "perturb":
        return (
            "no API key is set: variations come from the rule-based generator 'perturb', "
            "a floor and no substitute for a language model"
        )
    return None


def _input(
    tx: Repositories, session: Session, request: GenerateRequest, choice: Choice, *, press: Press
) -> dict[str, Any]:
    """The operation's input: ids and numbers that a worker can act on later."""
    template = find_template(
        tx, session.tenant_id, request.template or session.settings.template, builtin=press.builtin
    )
    round_number, plans = plan_seeds(tx, session, request)
    return {
        "round": round_number,
        "seeds": [
            {
                "item_id": plan.item.id,
                "label_id": plan.answer.id,
                "count": plan.count,
                "class_id": plan.class_id,
            }
            for plan in plans
        ],
        "template": template.id,
        "generator": {"name": choice.name, "options": dict(choice.options)},
        "max_dollars": request.max_dollars,
        "ordinal": _ordinal(tx, session),
        "note": note_for(request.generator or session.settings.generator, choice),
    }


def _ordinal(tx: Repositories, session: Session) -> int:
    """How many generations were asked for before: varies chance from one to the next."""
    return tx.operations.count(session.id, "generate")


def _refuse_spent(tx: Repositories, session: Session) -> None:
    spend = Spend(limit=session.settings.budget.dollars, spent=tx.costs.total(session.id))
    if spend.remaining == 0:
        raise Conflict(
            "the session's dollars are spent; raise /settings/budget/dollars to go on",
            code="budget-exceeded",
            extras={"spent": spend.spent, "limit": spend.limit},
        )
