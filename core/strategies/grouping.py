"""Eligible rows by cluster, and filling a batch cluster by cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.allocation import allocate, allocate_by_weight
from core.pool import PoolView
from core.strategies.batch import BatchBuilder
from core.strategies.ranking import Ranking

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """``order`` holds the eligible positions cluster after cluster, ascending in each;
    cluster c has ``order[starts[c]:starts[c + 1]]``."""

    order: Ints
    starts: Ints

    def rows(self, cluster: int) -> Ints:
        return self.order[self.starts[cluster] : self.starts[cluster + 1]]

    @property
    def sizes(self) -> Ints:
        """Int (k,): eligible rows per cluster."""
        return np.diff(self.starts)


def group_eligible(view: PoolView) -> Groups:
    """One stable sort; cluster ids of 16 bits take NumPy's radix sort, linear in rows."""
    count = view.cluster_count
    narrow = np.uint16 if count < np.iinfo(np.uint16).max else np.int32
    keys = np.where(view.eligible, view.clusters, count).astype(narrow)
    sizes = np.bincount(keys, minlength=count + 1)[:count]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    order = np.argsort(keys, kind="stable")
    return Groups(order=order[: starts[-1]], starts=starts)


def labelled_by_cluster(view: PoolView) -> Ints:
    """How many labelled rows each cluster has, int64 (cluster_count,)."""
    clusters = view.clusters[view.labelled_positions]
    return np.bincount(clusters[clusters >= 0], minlength=view.cluster_count).astype(np.int64)


def fill_by_cluster(
    builder: BatchBuilder,
    *,
    limit: int,
    sizes: Ints,
    ranking: Callable[[int, int], Ranking],
    priority: Ints,
    filled: Ints,
    strategy: str,
    weights: Doubles | None = None,
) -> None:
    """Give every cluster its quota; what one cannot give goes to the others.

    ``ranking(cluster, quota)`` makes a cluster's ranking when it is first needed.
    ``sizes`` (k,) rows to draw from; ``filled`` (k,) the level each starts from.
    With ``weights`` (k,) quotas are in proportion to these, whatever ``filled`` says.
    Each pass either fills the batch or runs a cluster dry, so it ends.
    """
    rankings: dict[int, Ranking] = {}
    capacity, level = sizes.copy(), filled.copy()
    left = min(limit, builder.missing)
    while left > 0 and capacity.any():
        quotas = (
            allocate(left, capacity=capacity, priority=priority, filled=level)
            if weights is None
            else allocate_by_weight(left, weights=weights, capacity=capacity, priority=priority)
        )
        for cluster in priority[quotas[priority] > 0].tolist():
            quota = int(quotas[cluster])
            if cluster not in rankings:
                rankings[cluster] = ranking(cluster, quota)
            taken = builder.draw(rankings[cluster], limit=quota, strategy=strategy)
            capacity[cluster] = rankings[cluster].left
            level[cluster] += taken
            left -= taken
