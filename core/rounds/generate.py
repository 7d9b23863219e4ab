"""Generate: have variations of labelled texts written, screened and proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from core.errors import JobFailed
from core.events import announce
from core.ports import Generator, Job, Purse
from core.records import Operation, Options
from core.seeding import SeedPlan
from core.submission import conclude
from core.variations import Desk, call_for, remembered, totals, write_down

GIVE_UP_AFTER = 3
"""Calls in a row that found the provider unavailable before the operation fails."""


def generate(
    operation: Operation,
    *,
    desk: Desk,
    plans: Sequence[SeedPlan],
    generator: Generator,
    purse: Purse,
    job: Job,
) -> Options:
    """Write, screen and store the variations of every planned seed.

    One durable step per call: after a crash a finished call is neither made nor paid
    again. Stops early, keeping what it has, when the budget is spent; raises JobFailed
    ``upstream-unavailable`` when the provider stays away.
    """
    outcomes: list[Mapping[str, Any]] = []
    away = 0
    for number, plan in enumerate(plans):
        job.check()
        job.progress("generate", number, len(plans))
        outcome = job.step(
            f"seed-{number}",
            partial(_write, number, plan, desk=desk, generator=generator, purse=purse),
        )
        outcomes.append(outcome)
        if outcome["outcome"] == "over_budget":
            break
        away = away + 1 if outcome["outcome"] == "unavailable" else 0
        if away == GIVE_UP_AFTER:
            raise JobFailed(
                "the generator's provider stayed unavailable; what was written is kept",
                code="upstream-unavailable",
                extras=totals(outcomes, desk=desk, asked=plans),
            )
    job.progress("generate", len(plans), len(plans))
    result = totals(outcomes, desk=desk, asked=plans)
    data = {name: result[name] for name in ("proposed", "accepted", "dropped")}
    data["operation_id"] = operation.id
    with desk.store.write() as tx:
        announce(tx, desk.session, "generation.completed", data, clock=desk.clock)
        conclude(tx, operation, "succeeded", result=result, now=desk.clock.now())
    return result


def _write(
    number: int, plan: SeedPlan, *, desk: Desk, generator: Generator, purse: Purse
) -> dict[str, Any]:
    """One call, its screening and its rows; the answer holds counts only, no text."""
    if known := remembered(number, plan, desk=desk):
        return known
    call = call_for(number, plan, desk=desk)
    answer = generator.generate(call.request, purse=purse)
    return write_down(call, answer, desk=desk)
