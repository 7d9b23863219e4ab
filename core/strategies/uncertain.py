"""What the learner is least sure of, wherever it lies: entropy, margin, least confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.pool import PoolView, Selection
from core.strategies.batch import BatchBuilder
from core.strategies.ranking import Ranking
from core.strategies.typical import select_typical
from core.uncertainty import Measure, entropy, least_confidence, margin_uncertainty


@dataclass(frozen=True, slots=True, kw_only=True)
class Entropy:
    """Highest Shannon entropy of the class probabilities first."""

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        return _select("entropy", entropy, view, count, min_distance=min_distance, rng=rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Smallest distance between the two likeliest classes first."""

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        return _select(
            "margin", margin_uncertainty, view, count, min_distance=min_distance, rng=rng
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastConfidence:
    """Lowest probability of the likeliest class first."""

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        return _select(
            "least_confidence", least_confidence, view, count, min_distance=min_distance, rng=rng
        )


def _select(
    name: str,
    measure: Measure,
    view: PoolView,
    count: int,
    *,
    min_distance: float,
    rng: np.random.Generator,
) -> Selection:
    if view.probabilities is None:
        return select_typical(view, count, min_distance=min_distance, rng=rng)
    builder = BatchBuilder(view, count=count, min_distance=min_distance)
    rows = builder.free()
    scores = measure(view.probabilities, multi_label=view.multi_label)
    builder.draw(Ranking(rows, scores=scores[rows]), limit=count, strategy=name)
    return builder.finish(name)
