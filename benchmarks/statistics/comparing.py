"""Arms against baselines in a summary: paired differences, ratios of spread and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.records import Json, Run
from benchmarks.statistics.cells import FINAL, as_json, common
from benchmarks.statistics.crossed import crossed
from benchmarks.statistics.intervals import ratio, stream
from benchmarks.statistics.paired import LOWER_IS_BETTER, holm, paired
from benchmarks.statistics.ranking import rank

Cells: TypeAlias = Mapping[str, Mapping[str, Json]]
"""Data set -> arm -> cell, as a summary holds them."""


def comparisons(cells: Cells, *, baseline: str, seed: int) -> list[dict[str, Any]]:
    """One row per data set, measure and arm other than the baseline, on their common seeds.

    Holm's correction is over the arms within one data set and measure.
    """
    rows: list[dict[str, Any]] = []
    for dataset, arms in cells.items():
        others = [name for name in arms if name != baseline and baseline in arms]
        for measure in FINAL:
            family = [
                {"dataset": dataset, "arm": name, "baseline": baseline, "measure": measure} | found
                for name in others
                if (
                    found := _compare(
                        arms[name], arms[baseline], measure, names=(dataset, name), seed=seed
                    )
                )
            ]
            adjusted = holm([row["p"] for row in family])
            rows += [row | {"p_holm": p} for row, p in zip(family, adjusted, strict=True)]
    return rows


def _compare(
    arm: Json, baseline: Json, measure: str, *, names: Sequence[str], seed: int
) -> dict[str, Any]:
    """The row's figures; empty when no seed has both."""
    left, right = common(arm, baseline, itemgetter(measure))
    if not len(left):
        return {}
    found = paired(
        left,
        right,
        rng=stream(seed, *names, measure),
        lower_is_better=measure in LOWER_IS_BETTER,
    )
    return {
        **as_json(found.difference),
        "p": found.p,
        "wins": found.wins,
        "ties": found.ties,
        "losses": found.losses,
    }


def crossed_intervals(
    runs: Sequence[Run], truths: Mapping[str, NDArray[np.uint8]], *, baseline: str, seed: int
) -> list[dict[str, Any]]:
    """Macro-F1 differences with intervals over seeds and test rows, where predictions are kept.

    A data set without truth, or an arm without predictions of its length, is left out.
    """
    kept = {
        (run.dataset, run.arm, run.seed): run.predictions
        for run in runs
        if run.dataset in truths and len(run.predictions) == len(truths[run.dataset])
    }
    rows = []
    for dataset, arm in sorted({key[:2] for key in kept if key[1] != baseline}):
        seeds = sorted(
            s for d, a, s in kept if (d, a) == (dataset, arm) and (d, baseline, s) in kept
        )
        if len(seeds) > 1:
            found = crossed(
                truths[dataset],
                np.stack([kept[dataset, arm, s] for s in seeds]),
                np.stack([kept[dataset, baseline, s] for s in seeds]),
                rng=stream(seed, dataset, arm, "crossed"),
            )
            names = {"dataset": dataset, "arm": arm, "baseline": baseline, "measure": "macro_f1"}
            rows.append(names | as_json(found))
    return rows


def ratios(cells: Cells, *, baseline: str, seed: int) -> dict[str, dict[str, Any]]:
    """Data set -> arm -> spread of class counts over the baseline's, with its interval."""
    return {
        dataset: {
            name: {"std_ratio": as_json(ratio(*pair, rng=stream(seed, dataset, name, "ratio")))}
            for name, cell in arms.items()
            if name != baseline and baseline in arms
            for pair in [common(cell, arms[baseline], itemgetter("std"))]
            if pair[1].any()
        }
        for dataset, arms in cells.items()
    }


def ranks(cells: Cells, *, references: frozenset[str]) -> dict[str, dict[str, Any]]:
    """Measure -> average rank over the data sets of the candidates that every set has.

    The data sets are the blocks; needs at least two of them and two arms, or gives {}.
    """
    shared = set.intersection(*(set(arms) for arms in cells.values())) if cells else set()
    names = sorted(shared - references)
    if len(names) < 2 or len(cells) < 2:
        return {}
    found = {}
    for measure in FINAL:
        table = [[_mean(arms[name]["final"][measure]) for name in names] for arms in cells.values()]
        scores = np.asarray(table)
        if np.isfinite(scores).all():
            order = rank(scores, lower_is_better=measure in LOWER_IS_BETTER)
            found[measure] = {
                "average": dict(zip(names, order.average.tolist(), strict=True)),
                "critical_difference": order.critical_difference,
                "friedman_p": order.friedman_p,
                "blocks": order.blocks,
            }
    return found


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")
