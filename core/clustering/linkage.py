"""Agglomerative clustering of a sample; the rest of the pool goes to the nearest centroid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from core.clustering.contract import (
    SAMPLED,
    Counted,
    Distance,
    Floats,
    check_count,
    check_distance,
    check_sample_rows,
    refuse,
)
from core.clustering.fitting import FitTask, fitted, means, prepare
from core.clustering.pairs import distances
from core.registry import check_option

Linkage: TypeAlias = Literal["ward", "average", "complete"]
LINKAGES: Final = ("ward", "average", "complete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agglomerative(Counted):
    """Clusters merged from single rows, the two nearest first.

    ``linkage`` says how near two clusters are: "ward" by what a merge adds to the inertia,
    "average" and "complete" by the mean and the largest distance between their rows. It
    looks at ``sample_rows`` rows in [100, 5000], drawn by chance, and needs memory and time
    for each pair of them. ``count`` as for ``kmeans``, at most ``sample_rows``. ``distance``
    "cosine" does not go with "ward". Centroids are the means of the clusters.
    """

    linkage: Linkage = "ward"
    sample_rows: int = SAMPLED
    distance: Distance = "euclidean"

    def __post_init__(self) -> None:
        check_count(self.count)
        check_option("linkage", self.linkage, of=str, among=LINKAGES)
        check_sample_rows(self.sample_rows)
        check_distance(self.distance)
        if self.linkage == "ward" and self.distance == "cosine":
            refuse(
                "distance",
                "ward linkage adds up squared Euclidean distances; for cosine take average"
                " or complete linkage",
                allowed="euclidean with ward linkage",
            )
        if self.count != "auto" and self.count > self.sample_rows:
            refuse(
                "count",
                "count must be no more than sample_rows",
                allowed=f"from 1 to {self.sample_rows}",
            )

    def fit(
        self, sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None = None
    ) -> Floats:
        most = max(self.sample_rows, count)
        task = prepare(sample, count=count, most=most, rng=rng, start=start)
        return fitted(self._find, task=task, distance=self.distance)

    def _find(self, task: FitTask) -> Floats:
        from sklearn.cluster import AgglomerativeClustering  # noqa: PLC0415

        rows: Any = task.sample
        metric = "euclidean"
        if self.distance == "cosine":
            rows, metric = distances(task.sample, distance="cosine"), "precomputed"
        model = AgglomerativeClustering(task.count, metric=metric, linkage=self.linkage)
        ids = model.fit(rows).labels_.astype(np.int32)
        return means(task.sample, ids, count=task.count)
