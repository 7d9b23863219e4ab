"""One data set and one arm in a summary: every measure by round, over the seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.evidence.records import Json, Run
from benchmarks.statistics.intervals import Array, Spread, spreads, stream
from benchmarks.statistics.stopping import stopping_facts

FINAL = ("macro_f1", "std", "normalised_entropy", "weighted_f1", "area_under_curve")
"""The measures kept seed by seed, so that any two arms of a summary can be paired later."""
AREA = "area_under_curve"


def cell(runs: Sequence[Run], *, seed: int) -> dict[str, Any]:
    """What the runs of one data set and one arm say; ``seed`` starts the bootstrap.

    ``rounds`` has a Spread for every scalar measure, ``counts`` the mean class counts by
    round, ``recall`` the last round's by class, ``final`` one value a seed in the order of
    its ``seeds`` (last round; None where a seed has none), ``facts`` the means of the numeric
    facts under dotted names, and per seed under ``final``.
    """
    ordered = sorted(runs, key=lambda run: run.seed)
    first = ordered[0]
    rng = stream(seed, first.dataset, first.arm)
    length = max(len(run.rounds) for run in ordered)
    facts = [_numbers({**run.facts, **stopping_facts(run.rounds)}) for run in ordered]
    names = sorted(set().union(*facts))
    return {
        "rounds": [
            _round([run.rounds[i] for run in ordered if len(run.rounds) > i], rng=rng)
            for i in range(length)
        ],
        "counts": [
            _class_means([run.rounds[i]["counts"] for run in ordered if len(run.rounds) > i])
            for i in range(length)
        ],
        "recall": _measures([run.rounds[-1].get("recall", {}) for run in ordered], rng=rng),
        AREA: _measures([{AREA: area_under_curve(run.rounds)} for run in ordered], rng=rng)[AREA],
        "final": {
            "seeds": [run.seed for run in ordered],
            **{name: [final(run, name) for run in ordered] for name in FINAL},
            "facts": {name: [row.get(name) for row in facts] for name in names},
        },
        "facts": {name: _mean([row[name] for row in facts if name in row]) for name in names},
    }


def final(run: Run, measure: str) -> float | None:
    """The run's last value of a measure, or its area under the curve."""
    if measure == AREA:
        return area_under_curve(run.rounds)
    value = run.rounds[-1].get(measure)
    return float(value) if value is not None and _is_number(value) else None


def area_under_curve(rounds: Sequence[Json]) -> float:
    """Mean macro-F1 over the labels from the start to the end (trapezoids); one round: its own."""
    x = np.asarray([row["labels"] for row in rounds], dtype=np.float64)
    y = np.asarray([row["macro_f1"] for row in rounds], dtype=np.float64)
    span = x[-1] - x[0]
    return float(np.trapezoid(y, x) / span) if span > 0 else float(y[-1])


def as_json(found: Spread) -> dict[str, Any]:
    """The record as a summary holds it."""
    return {
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "sd": found.sd,
        "n": found.n,
    }


def _round(rows: Sequence[Json], *, rng: np.random.Generator) -> dict[str, Any]:
    """Labels bought so far and a Spread of every other scalar measure."""
    labels = _mean([row["labels"] for row in rows])
    scalars = [
        {name: value for name, value in row.items() if name != "labels" and _is_number(value)}
        for row in rows
    ]
    return {"labels": int(labels) if labels.is_integer() else labels, **_measures(scalars, rng=rng)}


def _measures(rows: Sequence[Mapping[str, Any]], *, rng: np.random.Generator) -> dict[str, Any]:
    """Name -> Spread over the rows that have it; names of equal rows share their resamples."""
    by_rows: dict[tuple[int, ...], list[str]] = {}
    for name in sorted({name for row in rows for name in row}):
        present = tuple(i for i, row in enumerate(rows) if _is_number(row.get(name)))
        by_rows.setdefault(present, []).append(name)
    found: dict[str, Any] = {}
    for present, names in by_rows.items():
        if present:
            values = np.asarray([[float(rows[i][name]) for name in names] for i in present])
            spread_of = spreads(values, rng=rng)
            found |= {name: as_json(s) for name, s in zip(names, spread_of, strict=True)}
    return found


def _class_means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean count by class; a class that a run does not name counts 0."""
    names = sorted({name for row in rows for name in row})
    return {name: _mean([float(row.get(name, 0)) for row in rows]) for name in names}


def _numbers(facts: Json, *, prefix: str = "") -> dict[str, float]:
    """Numeric facts under dotted names; words and lists are left out."""
    flat: dict[str, float] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            flat |= _numbers(value, prefix=f"{prefix}{name}.")
        elif _is_number(value):
            flat[f"{prefix}{name}"] = float(value)
    return flat


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return False
    return math.isfinite(float(value))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def common(
    arm: Mapping[str, Any], baseline: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Any]
) -> tuple[Array, Array]:
    """Both cells' per-seed values, paired by seed; seeds that only one has are dropped.

    ``read`` takes the list out of a cell's ``final``.
    """
    left = dict(zip(arm["final"]["seeds"], read(arm["final"]), strict=True))
    right = dict(zip(baseline["final"]["seeds"], read(baseline["final"]), strict=True))
    seeds = sorted(s for s in left if left[s] is not None and right.get(s) is not None)
    return (
        np.asarray([left[s] for s in seeds], dtype=np.float64),
        np.asarray([right[s] for s in seeds], dtype=np.float64),
    )
