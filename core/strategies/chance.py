"""Random selection: the baseline every other strategy is measured against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.pool import PoolView, Selection
from core.strategies.batch import BatchBuilder
from core.strategies.ranking import Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Random:
    """Every eligible row is as likely as any other; the score is the number drawn for it."""

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        rows = builder.free()
        ranking = Ranking(rows, scores=rng.random(rows.size, dtype=np.float32))
        builder.draw(ranking, limit=count, strategy="random")
        return builder.finish("random")
