"""A query strategy for Tailwise: what lies far from the middle of its cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.pool import PoolView, Selection
from core.registry import check_option
from core.strategies.batch import BatchBuilder
from core.strategies.ranking import Ranking
from core.uncertainty import entropy

CHUNK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Outskirts:
    """Texts far from the middle of their cluster, unsure ones first."""

    entropy_weight: float = 0.5

    def __post_init__(self) -> None:
        check_option("entropy_weight", self.entropy_weight, of=(int, float), least=0, most=1)

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        del rng  # nothing here is left to chance
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        rows = builder.free()
        scores = self._scores(view, rows)
        builder.draw(Ranking(rows, scores=scores), limit=count, strategy="outskirts")
        return builder.finish("outskirts")

    def _scores(self, view: PoolView, rows: np.ndarray) -> np.ndarray:
        """Float32 (m,): squared distance to the own centroid, plus the weighted entropy."""
        far = np.empty(rows.size, dtype=np.float32)
        for start in range(0, rows.size, CHUNK):
            part = rows[start : start + CHUNK]
            offset = view.vectors(part) - view.centroids[view.clusters[part]]
            far[start : start + CHUNK] = np.einsum("md,md->m", offset, offset)
        if view.probabilities is None:
            return far
        unsure = entropy(view.probabilities[rows], multi_label=view.multi_label)
        return (far + self.entropy_weight * unsure).astype(np.float32)
