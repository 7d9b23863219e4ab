"""small-text's AnchorAL with a seed: the library's own anchors come from fresh entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus
from small_text.query_strategies.subsampling import AnchorSubsampling
from small_text.vector_indexes.base import VectorIndexFactory
from small_text.vector_indexes.knn import KNNIndex

SEARCH = {"algorithm": "brute", "metric": "sqeuclidean"}
"""Exact, and the distance of the library's default index, which needs a compiler to install."""


class SeededAnchors(AnchorSubsampling):  # type: ignore[misc]
    """Draws the anchors of each class by k-means++ from one seeded source."""

    chance: np.random.RandomState

    def _get_anchors(
        self,
        clf: Any,
        embeddings: NDArray[np.float32],
        indices_labeled: NDArray[np.int64],
        y: NDArray[np.int64],
    ) -> list[int]:
        anchors: list[int] = []
        for column in range(clf.num_classes):
            rows = indices_labeled[y == column]
            if rows.size:
                count = min(self.num_anchors, rows.size)
                _, drawn = kmeans_plusplus(embeddings[rows], count, random_state=self.chance)
                anchors.extend(rows[np.unique(drawn)].tolist())
        return anchors


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """Asks the base strategy for no more rows than the subsample has; it would raise."""

    base: Any

    def query(
        self, clf: Any, dataset: Any, indices_unlabeled: NDArray[np.int64], *labelled: Any, n: int
    ) -> NDArray[np.int64]:
        """Indices of at most ``n`` rows of ``indices_unlabeled``."""
        asked = min(n, indices_unlabeled.size)
        picked: NDArray[np.int64] = self.base.query(
            clf, dataset, indices_unlabeled, *labelled, n=asked
        )
        return picked


def seeded_anchors(
    base: Any, *, seed: int, subsample: int, anchors: int, neighbours: int
) -> SeededAnchors:
    """AnchorAL around one of the library's strategies; same seed, same anchors."""
    strategy = SeededAnchors(
        AtMost(base=base),
        subsample_size=subsample,
        vector_index_factory=VectorIndexFactory(KNNIndex, SEARCH),
        num_anchors=anchors,
        k=neighbours,
    )
    strategy.chance = np.random.RandomState(seed)
    return strategy
