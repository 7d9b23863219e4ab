"""A study's summary: everything that its report draws, as one JSON-shaped mapping."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.records import Experiment, Json, Run
from benchmarks.statistics.cells import cell
from benchmarks.statistics.comparing import comparisons, crossed_intervals, ranks, ratios

FORMAT = "tailwise-evidence/1"
DIGITS = 6
_INNERMOST = re.compile(r"\[[^\[\]{}]*\]|\{[^\[\]{}]*\}")
_LINE_BREAK = re.compile(r"\n *")
"""JSON has no line break inside a string, so only layout is touched."""


def summarise(
    experiment: Experiment,
    runs: Sequence[Run],
    *,
    truths: Mapping[str, NDArray[np.uint8]],
    datasets: Mapping[str, Json],
    seed: int = 0,
) -> dict[str, Any]:
    """The summary of the runs there are; the same runs in any order give the same mapping.

    ``truths`` has the class columns (n,) of each data set's scored rows, in the order of
    ``Run.predictions``; a set without truths has no crossed intervals. ``datasets`` is passed
    on (licence, source, rule, class counts, flags). ``seed`` starts the bootstraps. Keys are
    sorted, floats rounded to six decimals, and a cell without any run is left out.
    """
    cells = _cells(experiment, runs, seed=seed)
    baseline = experiment.baseline
    references = frozenset(a.name for a in experiment.arms if a.reference and a.name != baseline)
    summary = {
        "format": FORMAT,
        **_heading(experiment),
        "datasets": {name: datasets[name] for name in experiment.datasets if name in datasets},
        "cells": cells,
        "comparisons": comparisons(cells, baseline=baseline, seed=seed),
        "crossed": crossed_intervals(runs, truths, baseline=baseline, seed=seed),
        "ratios": ratios(cells, baseline=baseline, seed=seed),
        "ranks": ranks(cells, references=references),
    }
    return {key: _plain(summary[key]) for key in sorted(summary)}


def to_json(summary: Mapping[str, Any]) -> str:
    """The summary as the file has it: sorted, indented by one, ending in a newline.

    What holds no list or mapping of its own stands on one line, so that a measure or the
    values of all seeds can be read, and compared between versions, as one.
    """
    text = json.dumps(summary, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return _INNERMOST.sub(lambda found: _LINE_BREAK.sub(" ", found[0]), text) + "\n"


def _heading(experiment: Experiment) -> dict[str, Any]:
    """What was asked and of whom."""
    return {
        "study": experiment.name,
        "title": experiment.title,
        "question": experiment.question,
        "evaluate": experiment.evaluate,
        "experiment_sha256": experiment.sha256,
        "seeds": len(experiment.seeds),
        "pool_share": experiment.pool_share,
        "reserve_share": experiment.reserve_share,
        "budget": {
            "start": experiment.start,
            "batch": experiment.batch,
            "rounds": experiment.rounds,
        },
        "baseline": experiment.baseline,
        "default": experiment.default,
        "parts": dict(experiment.parts),
        "arms": [asdict(arm) for arm in experiment.arms],
    }


def _cells(experiment: Experiment, runs: Sequence[Run], *, seed: int) -> dict[str, dict[str, Any]]:
    """In the experiment's order; runs of arms or sets that it does not name are not its own."""
    grouped: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        grouped[run.dataset, run.arm].append(run)
    with_runs = {dataset for dataset, _ in grouped}
    return {
        dataset: {
            arm.name: cell(grouped[dataset, arm.name], seed=seed)
            for arm in experiment.arms
            if (dataset, arm.name) in grouped
        }
        for dataset in experiment.datasets
        if dataset in with_runs
    }


def _plain(value: Any) -> Any:
    """JSON's own types, keys sorted, floats rounded; what is not finite is None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0 if np.isfinite(value) else None
    return value
