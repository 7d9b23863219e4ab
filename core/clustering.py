"""Clusters of the pool: fitted on a sample, assigned once, ids kept when fitted again."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidOption
from core.registry import Registry, check_option

Floats = NDArray[np.float32]

FEWEST, MOST = 5, 100
ROWS_PER_CLUSTER = 256
"""Rows a fit looks at per cluster; more hardly move the centroids."""
BLOCK_ROWS = 8192


class Clusterer(Protocol):
    """Finds centroids."""

    def clusters_for(self, rows: int) -> int:
        """How many clusters a pool of ``rows`` gets."""

    def fit(
        self, sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None = None
    ) -> Floats:
        """Centroids float32 (k, D) of unit rows ``sample`` (m, D), m >= 1.

        k is ``count``, or the number of distinct rows where that is smaller. ``start``
        are the centroids so far: the fit sets out from them, and each cluster keeps its
        id as far as k allows. Deterministic for the same arrays and generator state.
        """


def automatic_count(rows: int) -> int:
    """clip(round(sqrt(rows / 5)), 5, 100): 20 clusters of 100 rows at 2,000 rows.

    A cluster then has five times as many rows as there are clusters, so that a batch
    of a few rows per cluster leaves each something to choose from; past 100 clusters
    a lead can no longer read the report, and a usual batch could not visit them all.
    """
    return int(np.clip(round(np.sqrt(rows / 5)), FEWEST, MOST))


@dataclass(frozen=True, slots=True, kw_only=True)
class KMeans:
    """Lloyd's k-means on at most 256 rows per cluster.

    ``count`` is a number in [1, 1000] or "auto" (see ``automatic_count``);
    ``iterations`` in [1, 1000] bounds Lloyd's steps.
    """

    count: int | Literal["auto"] = "auto"
    iterations: int = 50

    def __post_init__(self) -> None:
        _check(self.count, iterations=self.iterations)

    def clusters_for(self, rows: int) -> int:
        return automatic_count(rows) if self.count == "auto" else self.count

    def fit(
        self, sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None = None
    ) -> Floats:
        from sklearn.cluster import KMeans as Lloyd  # noqa: PLC0415

        task = _prepare(sample, count=count, rng=rng, start=start)
        model = Lloyd(
            task.count, init=task.start, n_init=1, max_iter=self.iterations, random_state=task.seed
        )
        return _fitted(model, task=task)


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniBatchKMeans:
    """Mini-batch k-means (Sculley 2010): several times faster, a little looser.

    Options as for ``kmeans``; ``iterations`` bounds the passes over the sample.
    """

    count: int | Literal["auto"] = "auto"
    iterations: int = 20

    def __post_init__(self) -> None:
        _check(self.count, iterations=self.iterations)

    def clusters_for(self, rows: int) -> int:
        return automatic_count(rows) if self.count == "auto" else self.count

    def fit(
        self, sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None = None
    ) -> Floats:
        from sklearn.cluster import MiniBatchKMeans as MiniBatch  # noqa: PLC0415

        task = _prepare(sample, count=count, rng=rng, start=start)
        model = MiniBatch(
            task.count,
            init=task.start,
            n_init=1,
            batch_size=1024,
            max_iter=self.iterations,
            random_state=task.seed,
        )
        return _fitted(model, task=task)


def _check(count: object, *, iterations: object) -> None:
    if isinstance(count, str) and count != "auto":
        raise InvalidOption.at(
            "/options/count",
            'count must be "auto" or from 1 to 1000',
            code="invalid-option",
            allowed='"auto" or from 1 to 1000',
        )
    check_option("count", count, of=(int, str), least=1, most=1000)
    check_option("iterations", iterations, of=int, least=1, most=1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A fit made ready: rows, how many clusters, and where scikit-learn sets out.

    ``distinct`` are the different rows where they are no more than the clusters asked
    for: then they are the centroids, and there is nothing to fit.
    """

    sample: Floats
    count: int
    distinct: Floats | None
    start: Floats | Literal["k-means++"]
    old: Floats | None
    seed: int


def _prepare(
    sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None
) -> _Task:
    most = ROWS_PER_CLUSTER * count
    if sample.shape[0] > most:
        sample = sample[np.sort(rng.choice(sample.shape[0], most, replace=False))]
    sample = np.ascontiguousarray(sample, dtype=np.float32)
    rows = _distinct(sample)
    distinct = sample[rows] if rows.size <= count else None
    count = min(count, rows.size)
    first: Floats | Literal["k-means++"] = "k-means++"
    old = start if start is not None and start.shape[1] == sample.shape[1] else None
    if old is not None and distinct is None:
        first = _resized(old, sample=sample, count=count)
    return _Task(
        sample=sample,
        count=count,
        distinct=distinct,
        start=first,
        old=old,
        seed=int(rng.integers(2**31)),
    )


def _distinct(sample: Floats) -> NDArray[np.int64]:
    """The first of each set of equal rows, ascending; -0 equals 0."""
    rows = np.ascontiguousarray(sample + np.float32(0))
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return np.sort(np.unique(whole, return_index=True)[1])


def _resized(start: Floats, *, sample: Floats, count: int) -> Floats:
    """``count`` centroids: the fullest old ones, then sample rows far from all of them."""
    sizes = np.bincount(assign(sample, start), minlength=start.shape[0])
    kept = np.sort(np.argsort(-sizes, kind="stable")[:count])
    centroids = [start[kept]]
    nearest = _squared_distances(sample, centroids[0]).min(axis=1)
    for _ in range(count - kept.size):
        far = int(np.argmax(nearest))
        centroids.append(sample[far : far + 1])
        nearest = np.minimum(nearest, _squared_distances(sample, centroids[-1])[:, 0])
    return np.ascontiguousarray(np.concatenate(centroids), dtype=np.float32)


def _fitted(model: Any, *, task: _Task) -> Floats:
    """Centroids of a scikit-learn model on one thread: sums in one order, so the same
    bytes on any number of cores."""
    centroids = task.distinct if task.distinct is not None else _run(model, sample=task.sample)
    return centroids if task.old is None else keep_ids(task.old, new=centroids)


def _run(model: Any, *, sample: Floats) -> Floats:
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415

    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(sample)
    return np.asarray(model.cluster_centers_, dtype=np.float32)


def keep_ids(old: Floats, *, new: Floats) -> Floats:
    """``new`` (k, D) reordered so that each stands where its match in ``old`` stood.

    The match is the cheapest one-to-one assignment (Hungarian method) by squared
    distance. New centroids without a match fill the free ids, ascending; where there
    are fewer new than old, matched ones past k move down into free ids.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    old_ids, new_ids = linear_sum_assignment(_squared_distances(old, new))
    count = new.shape[0]
    order = np.full(count, -1, dtype=np.int64)
    inside = old_ids < count
    order[old_ids[inside]] = new_ids[inside]
    order[order < 0] = np.setdiff1d(np.arange(count), order)
    return np.ascontiguousarray(new[order])


def _squared_distances(rows: Floats, centroids: Floats) -> Floats:
    """(m, k), up to rounding; small negatives are cut to 0."""
    distances = (
        np.square(rows).sum(axis=1)[:, None]
        + np.square(centroids).sum(axis=1)
        - 2 * (rows @ centroids.T)
    )
    return np.asarray(np.maximum(distances, 0), dtype=np.float32)


def assign(
    vectors: NDArray[np.floating] | Iterable[NDArray[np.floating]], centroids: Floats
) -> NDArray[np.int32]:
    """Id of the nearest centroid for each row, int32 (N,); ties go to the lower id.

    ``vectors`` is one (N, D) array (memory-mapped, any float type) or chunks of one.
    One matrix product per block of rows: argmin |x - c|^2 = argmax x.c - |c|^2 / 2.
    """
    chunks = [vectors] if isinstance(vectors, np.ndarray) else vectors
    columns = np.ascontiguousarray(centroids.T, dtype=np.float32)
    half = np.square(columns).sum(axis=0) / 2
    parts = [np.empty(0, dtype=np.int32)]
    for chunk in chunks:
        for begin in range(0, chunk.shape[0], BLOCK_ROWS):
            block = chunk[begin : begin + BLOCK_ROWS].astype(np.float32, copy=False)
            parts.append(np.argmax(block @ columns - half, axis=1).astype(np.int32))
    return np.concatenate(parts)


def clusterers() -> Registry[Clusterer]:
    """The built-in clusterers; the caller adds plug-ins with ``load_plugins``."""
    registry: Registry[Clusterer] = Registry("clusterer", pure=True)
    registry.register("kmeans", KMeans, summary="k-means on a sample of 256 rows per cluster")
    registry.register(
        "mini_batch_kmeans", MiniBatchKMeans, summary="mini-batch k-means: faster, a little looser"
    )
    return registry
