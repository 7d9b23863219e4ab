"""What an experiment's paid arms may cost, from the generator's own estimate and without a key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adapters.generators.templates import builtin_templates
from benchmarks.evidence.paying import PLACEHOLDER
from benchmarks.evidence.records import Arm, Dataset, Experiment
from benchmarks.evidence.writing import make_generator
from core.budget import token_ceiling
from core.errors import InvalidInput
from core.generation import Estimate, GenerationRequest
from core.prompting import draw_attributes, plan_counts
from core.records import LabelClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Calls, tokens and dollars at worst, of a cell or of several."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float = 0.0

    def plus(self, other: Cost, *, times: int = 1) -> Cost:
        return Cost(
            calls=self.calls + times * other.calls,
            input_tokens=self.input_tokens + times * other.input_tokens,
            output_tokens=self.output_tokens + times * other.output_tokens,
            dollars=self.dollars + times * other.dollars,
        )


def cell_cost(arm: Arm, dataset: Dataset, *, labels: int) -> Cost:
    """The worst case of one cell: every label gets a call, the labels are the train rows with
    the longest texts, and every answer is as long as it may be; nothing is tried twice."""
    if arm.generator is None or not arm.paid:
        return Cost()
    generator = make_generator(
        arm.generator, reserve=None, classes=dataset.classes, provider=PLACEHOLDER
    )
    rows = np.flatnonzero(~dataset.is_test).tolist()
    longest = sorted(rows, key=lambda row: -token_ceiling(dataset.texts[row]))[:labels]
    return _sum([generator.estimate(_request(arm, dataset, row)) for row in longest])


def arm_costs(experiment: Experiment, datasets: Mapping[str, Dataset]) -> dict[str, Cost]:
    """The worst case of every arm over all its data sets and seeds."""
    labels, seeds = experiment.draw(0).labels, len(experiment.seeds)
    costs = {}
    for arm in experiment.arms:
        total = Cost()
        for dataset in datasets.values():
            total = total.plus(cell_cost(arm, dataset, labels=labels), times=seeds)
        costs[arm.name] = total
    return costs


def check_spending(experiment: Experiment, datasets: Mapping[str, Dataset]) -> None:
    """Raise InvalidInput ``limit-too-low`` where a cell's share might not pay for the cell."""
    share, limit = experiment.cell_dollars, experiment.dollars
    if share is None or limit is None:
        return
    labels = experiment.draw(0).labels
    worst = max(
        cell_cost(arm, dataset, labels=labels).dollars
        for arm in experiment.arms
        for dataset in datasets.values()
    )
    if worst > share:
        needed = math.ceil(100 * limit * worst / share) / 100
        raise InvalidInput.at(
            "/budget/dollars",
            f"/budget/dollars: {limit:g} leaves ${share:.4f} for a cell, and one may cost "
            f"${worst:.4f}; at least {needed:.2f}, or fewer labels, arms or seeds",
            code="limit-too-low",
        )


def estimate_lines(experiment: Experiment, datasets: Mapping[str, Dataset]) -> list[str]:
    """A table for people: calls, tokens and worst-case dollars by arm and in total."""
    costs = arm_costs(experiment, datasets)
    total = Cost()
    for cost in costs.values():
        total = total.plus(cost)
    rows = {**costs, "total": total}
    wide = max(map(len, rows))
    head = f"{'arm':<{wide}} {'calls':>8} {'tokens in':>12} {'tokens out':>12} {'dollars':>9}"
    lines = [f"{experiment.name}: at worst, over {len(experiment.seeds)} seeds", head]
    lines += [
        f"{name:<{wide}} {cost.calls:>8,} {cost.input_tokens:>12,} {cost.output_tokens:>12,} "
        f"{cost.dollars:>9.2f}"
        for name, cost in rows.items()
    ]
    limit = "none" if experiment.dollars is None else f"{experiment.dollars:.2f}"
    return [*lines, f"limit in the file, for all its seeds: {limit}"]


def _request(arm: Arm, dataset: Dataset, row: int) -> GenerationRequest:
    """The longest call that a labelled row may lead to."""
    label = dataset.labels[row]
    others = sorted((name for name in dataset.classes if name != label), key=len)
    count = _most(arm.variations)
    return GenerationRequest(
        seed_item_id=str(row),
        text=dataset.texts[row],
        label=LabelClass(id=label, name=label),
        contrast=LabelClass(id=others[-1], name=others[-1]) if others else None,
        count=count,
        template=builtin_templates()[arm.template],
        attributes=draw_attributes(np.random.default_rng(row), count),
        examples=(),
        taboo=(),
        vector=np.zeros(1, dtype=np.float32),
        seed=row,
    )


def _most(variations: int) -> int:
    """How many texts a seed of a class without labels gets."""
    plan = plan_counts({"held": 1}, {"held": 0.5, "rare": 0.5}, variations=variations)
    return plan["rare"]


def _sum(estimates: list[Estimate]) -> Cost:
    return Cost(
        calls=len(estimates),
        input_tokens=sum(estimate.input_tokens for estimate in estimates),
        output_tokens=sum(estimate.output_tokens for estimate in estimates),
        dollars=sum(estimate.dollars for estimate in estimates),
    )
