"""The paper's rule: the same number of rows from every cluster, the least sure first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.allocation import least_labelled_first
from core.pool import PoolView, Selection
from core.strategies.batch import BatchBuilder
from core.strategies.grouping import fill_by_cluster, group_eligible, labelled_by_cluster
from core.strategies.ranking import Ranking
from core.strategies.typical import select_typical
from core.uncertainty import entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEntropy:
    """Equal quota per cluster with spill-over; inside a cluster by entropy (arXiv 2410.11114)."""

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None:
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        scores = entropy(view.probabilities)
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
