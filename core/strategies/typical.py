"""The cold start every guided strategy shares: typical rows, spread over clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.allocation import least_labelled_first
from core.coldstart import SAMPLE, representativeness
from core.pool import PoolView, Selection
from core.strategies.batch import BatchBuilder
from core.strategies.grouping import (
    Groups,
    fill_by_cluster,
    group_eligible,
    labelled_by_cluster,
)
from core.strategies.ranking import Ranking

NAME = "typical"


def select_typical(
    view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
) -> Selection:
    """Typical rows, clusters with the fewest labels first; says strategy ``typical``."""
    builder = BatchBuilder(view, count=count, min_distance=min_distance)
    labelled = labelled_by_cluster(view)
    groups = group_eligible(view)
    fill_by_cluster(
        builder,
        limit=count,
        sizes=groups.sizes,
        ranking=TypicalRanking(view=view, groups=groups, rng=rng),
        priority=least_labelled_first(labelled, rng=rng),
        filled=labelled,
        strategy=NAME,
    )
    return builder.finish(NAME, spread=True)


def explore_unlabelled(
    builder: BatchBuilder, view: PoolView, *, limit: int, rng: np.random.Generator
) -> None:
    """Add one typical row of each cluster without labels, at most ``limit`` in all.

    A class the model has never seen has no probability to ask for; its texts can only
    be met where nobody has looked yet.
    """
    labelled = labelled_by_cluster(view)
    if limit <= 0 or labelled.all():
        return
    groups = group_eligible(view)
    fill_by_cluster(
        builder,
        limit=min(limit, int(((labelled == 0) & (groups.sizes > 0)).sum())),
        sizes=np.where(labelled == 0, groups.sizes, 0),
        ranking=TypicalRanking(view=view, groups=groups, rng=rng),
        priority=least_labelled_first(labelled, rng=rng),
        filled=labelled,
        strategy=NAME,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypicalRanking:
    """Ranks a cluster's rows: a random sample by how well it represents the cluster,
    then the others by position."""

    view: PoolView
    groups: Groups
    rng: np.random.Generator

    def __call__(self, cluster: int, quota: int) -> Ranking:
        rows = self.groups.rows(cluster)
        sample = self._sample(rows.size)
        scores = np.full(rows.size, -1, dtype=np.float32)
        vectors = self.view.vectors(rows[sample])
        scores[sample] = representativeness(vectors, picks=2 * quota + 8)
        return Ranking(rows, scores=scores)

    def _sample(self, size: int) -> NDArray[np.int64]:
        if size <= SAMPLE:
            return np.arange(size)
        return np.sort(self.rng.choice(size, SAMPLE, replace=False))
