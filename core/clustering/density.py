"""HDBSCAN of a sample: dense regions become clusters, and the rest goes to the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from core.clustering.contract import (
    SAMPLED,
    Distance,
    Floats,
    automatic_count,
    check_distance,
    check_sample_rows,
)
from core.clustering.fitting import FitTask, fitted, means, prepare
from core.clustering.pairs import distances
from core.registry import check_option

Regions: TypeAlias = Literal["eom", "leaf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdbscan:
    """HDBSCAN* (Campello, Moulavi and Sander 2013) on ``sample_rows`` rows in [100, 5000].

    The number of clusters follows from the data: a region of ``min_cluster_size`` rows or
    more, in [2, 100], that is denser than what is around it. ``regions`` "eom" keeps the
    most stable ones, "leaf" the smallest. Rows in no region are noise; they have no say in
    the centroids and are assigned to the nearest one like all others. Where all rows are
    noise there is one cluster.
    """

    min_cluster_size: int = 5
    regions: Regions = "eom"
    sample_rows: int = SAMPLED
    distance: Distance = "euclidean"

    def __post_init__(self) -> None:
        check_option("min_cluster_size", self.min_cluster_size, of=int, least=2, most=100)
        check_option("regions", self.regions, of=str, among=("eom", "leaf"))
        check_sample_rows(self.sample_rows)
        check_distance(self.distance)

    def clusters_for(self, rows: int) -> int:
        """What "auto" gives elsewhere; the fit finds its own number."""
        return automatic_count(rows)

    def fit(
        self,
        sample: Floats,
        *,
        count: int,  # noqa: ARG002 -- found, not given
        rng: np.random.Generator,
        start: Floats | None = None,
    ) -> Floats:
        task = prepare(sample, count=1, most=self.sample_rows, rng=rng, start=start)
        return fitted(self._find, task=task, distance=self.distance)

    def _find(self, task: FitTask) -> Floats:
        from sklearn.cluster import HDBSCAN  # noqa: PLC0415

        if len(task.sample) < self.min_cluster_size:
            return _one(task.sample)
        model = HDBSCAN(
            self.min_cluster_size,
            metric="precomputed",
            n_jobs=1,
            cluster_selection_method=self.regions,
            copy=False,
        )
        ids = model.fit(distances(task.sample, distance=self.distance)).labels_.astype(np.int32)
        dense = ids >= 0
        if not dense.any():
            return _one(task.sample)
        return means(task.sample[dense], ids[dense], count=int(ids.max()) + 1)


def _one(sample: Floats) -> Floats:
    """The centroid of all rows, (1, D)."""
    return means(sample, np.zeros(len(sample), dtype=np.int32), count=1)
