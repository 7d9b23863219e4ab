"""Whether an experiment's data sets can carry it: asked before any cell runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.evidence.records import Dataset, Experiment
from benchmarks.evidence.stage import check_pool, divide
from core.errors import InvalidInput

MOST_CLASSES = 256
"""Predictions are stored as bytes."""


def check_pools(experiment: Experiment, datasets: Mapping[str, Dataset]) -> None:
    """Raise InvalidInput ``pool-too-small`` for a set that cannot feed the budget with every
    seed, ``too-many-classes`` for one with more than 256."""
    draws = {experiment.draw(seed) for seed in experiment.seeds}
    for dataset in datasets.values():
        if len(dataset.classes) > MOST_CLASSES:
            detail = f"{dataset.name}: {len(dataset.classes)} classes; at most {MOST_CLASSES}"
            raise InvalidInput.at("/datasets", detail, code="too-many-classes")
        for draw in sorted(draws, key=lambda draw: draw.quarter or 0):
            blank = np.zeros((len(dataset.texts), 1), dtype=np.float32)
            check_pool(divide(dataset, blank, draw=draw), draw=draw)
