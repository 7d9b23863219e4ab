"""Quotas per cluster, the least sure first: equal (the paper's rule), or by estimated error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.allocation import least_labelled_first
from core.pool import PoolView, Selection
from core.registry import check_option
from core.strategies.batch import BatchBuilder
from core.strategies.grouping import (
    Groups,
    fill_by_cluster,
    group_eligible,
    labelled_by_cluster,
)
from core.strategies.ranking import Ranking
from core.strategies.typical import select_typical
from core.uncertainty import MEASURES, entropy, least_confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEntropy:
    """Equal quota per cluster with spill-over; inside a cluster by entropy (arXiv 2410.11114)."""

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None:
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        scores = entropy(view.probabilities, multi_label=view.multi_label)
        groups = group_eligible(view)
        fill_by_cluster(
            builder,
            limit=count,
            sizes=groups.sizes,
            ranking=lambda cluster, _: Ranking(rows := groups.rows(cluster), scores=scores[rows]),
            priority=least_labelled_first(labelled_by_cluster(view), rng=rng),
            filled=np.zeros(view.cluster_count, dtype=np.int64),
            strategy="cluster_entropy",
        )
        return builder.finish("cluster_entropy", spread=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterError:
    """Most rows from the clusters where the model is expected to err most (D-CALM, 2305.17013).

    The expected error of a row is its least confidence. ``weight``: quotas follow the
    expected number of errors among a cluster's eligible rows ("mass"), or their expected
    share ("rate"). ``measure``, "entropy", "margin" or "least_confidence", orders the rows
    inside a cluster.
    """

    weight: Literal["mass", "rate"] = "mass"
    measure: Literal["entropy", "margin", "least_confidence"] = "entropy"

    def __post_init__(self) -> None:
        check_option("weight", self.weight, of=str, among=("mass", "rate"))
        check_option("measure", self.measure, of=str, among=tuple(MEASURES))

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None:
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        errors = least_confidence(view.probabilities, multi_label=view.multi_label)
        scores = MEASURES[self.measure](view.probabilities, multi_label=view.multi_label)
        groups = group_eligible(view)
        fill_by_cluster(
            builder,
            limit=count,
            sizes=groups.sizes,
            ranking=lambda cluster, _: Ranking(rows := groups.rows(cluster), scores=scores[rows]),
            priority=least_labelled_first(labelled_by_cluster(view), rng=rng),
            filled=np.zeros(view.cluster_count, dtype=np.int64),
            strategy="cluster_error",
            weights=self._weights(groups, errors=errors),
        )
        return builder.finish("cluster_error", spread=True)

    def _weights(self, groups: Groups, *, errors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Expected errors of each cluster, float64 (k,): how many, or what share."""
        bounds = np.concatenate([[0.0], np.cumsum(errors[groups.order], dtype=np.float64)])
        mass: NDArray[np.float64] = np.diff(bounds[groups.starts])
        return mass if self.weight == "mass" else mass / np.maximum(groups.sizes, 1)
