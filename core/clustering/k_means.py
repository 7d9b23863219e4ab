"""The k-means family: Lloyd's, in mini-batches, and by halving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.clustering.contract import Counted, Distance, Floats, check_count, check_distance
from core.clustering.fitting import FitTask, filled, fitted, means, prepare, spherical
from core.registry import check_option

ROWS_PER_CLUSTER: Final = 256
"""Rows a fit looks at per cluster; more hardly move the centroids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sampled(Counted):
    """What the family shares: its options, and a fit on at most 256 rows per cluster."""

    iterations: int = 50
    distance: Distance = "euclidean"

    def __post_init__(self) -> None:
        check_count(self.count)
        check_option("iterations", self.iterations, of=int, least=1, most=1000)
        check_distance(self.distance)

    def fit(
        self, sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None = None
    ) -> Floats:
        """Centroids as ``core.clustering.Clusterer.fit`` describes them."""
        task = prepare(sample, count=count, most=ROWS_PER_CLUSTER * count, rng=rng, start=start)
        return fitted(self._find, task=task, distance=self.distance)

    def _find(self, task: FitTask) -> Floats:
        """Centroids (k, D) of the task's sample."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class KMeans(_Sampled):
    """Lloyd's k-means on at most 256 rows per cluster.

    ``count`` is a number in [1, 1000] or "auto" (see ``automatic_count``);
    ``iterations`` in [1, 1000] bounds Lloyd's steps. ``distance`` "cosine" goes on
    with steps of spherical k-means, as many again at most.
    """

    def _find(self, task: FitTask) -> Floats:
        from sklearn.cluster import KMeans as Lloyd  # noqa: PLC0415

        model = Lloyd(
            task.count,
            init=task.first(),
            n_init=1,
            max_iter=self.iterations,
            random_state=task.seed,
        )
        found: Floats = model.fit(task.sample).cluster_centers_
        if self.distance == "cosine":
            return spherical(task.sample, found, steps=self.iterations)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniBatchKMeans(_Sampled):
    """Mini-batch k-means (Sculley 2010): several times faster, a little looser.

    Options as for ``kmeans``; ``iterations`` bounds the passes over the sample. For
    ``distance`` "cosine" the centroids found are brought to unit length.
    """

    iterations: int = 20

    def _find(self, task: FitTask) -> Floats:
        from sklearn.cluster import MiniBatchKMeans as MiniBatch  # noqa: PLC0415

        model = MiniBatch(
            task.count,
            init=task.first(),
            n_init=1,
            batch_size=1024,
            max_iter=self.iterations,
            random_state=task.seed,
        )
        found: Floats = model.fit(task.sample).cluster_centers_
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectingKMeans(_Sampled):
    """Bisecting k-means (Steinbach, Karypis and Kumar 2000): the cluster of most inertia
    is split in two until there are enough.

    Options as for ``mini_batch_kmeans``; ``iterations`` bounds the steps of one split. A
    fit starts from one cluster each time; old centroids only give the new ones their ids.
    """

    def _find(self, task: FitTask) -> Floats:
        """A split of rows that differ by rounding only can leave a half empty; a far row
        takes its place."""
        from sklearn.cluster import BisectingKMeans as Bisecting  # noqa: PLC0415

        model = Bisecting(
            task.count,
            init="k-means++",
            n_init=1,
            max_iter=self.iterations,
            random_state=task.seed,
        )
        labels = model.fit(task.sample).labels_
        taken, ids = np.unique(labels, return_inverse=True)
        found = means(task.sample, ids.astype(np.int32), count=taken.size)
        return filled(found, sample=task.sample, count=task.count)
