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
        return _filled(builder, view, groups, scores=scores, strategy="cluster_entropy", rng=rng)


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
        weights = self._weights(groups, errors=errors)
        return _filled(
            builder,
            view,
            groups,
            scores=scores,
            weights=weights,
            strategy="cluster_error",
            rng=rng,
        )

    def _weights(self, groups: Groups, *, errors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Expected errors of each cluster, float64 (k,): how many, or what share."""
        bounds = np.concatenate([[0.0], np.cumsum(errors[groups.order], dtype=np.float64)])
        mass: NDArray[np.float64] = np.diff(bounds[groups.starts])
        return mass if self.weight == "mass" else mass / np.maximum(groups.sizes, 1)


def _filled(
    builder: BatchBuilder,
    view: PoolView,
    groups: Groups,
    *,
    scores: NDArray[np.float32],
    strategy: str,
    rng: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> Selection:
    """The batch, cluster by cluster, each cluster's best ``scores`` (N,) first.

    Quotas are equal, or in proportion to ``weights`` (k,).
    """
    fill_by_cluster(
        builder,
        limit=builder.missing,
        sizes=groups.sizes,
        ranking=lambda cluster, _: Ranking(rows := groups.rows(cluster), scores=scores[rows]),
        priority=least_labelled_first(labelled_by_cluster(view), rng=rng),
        filled=np.zeros(view.cluster_count, dtype=np.int64),
        strategy=strategy,
        weights=weights,
    )
    return builder.finish(strategy, spread=True)
