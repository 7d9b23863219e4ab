"""What every fit shares: its rows made ready, its centroids made whole, its ids kept."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from core.clustering.assignment import assign, keep_ids, squared_distances
from core.clustering.contract import Distance, Floats, Ints

SHORT: Final = 1e-6
"""A sum shorter than this points nowhere: its rows cancel out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitTask:
    """A fit made ready.

    ``sample`` float32 (m, D) are the rows it looks at and ``count`` how many clusters it
    finds. ``distinct`` are the different rows where they are no more than the clusters
    asked for: then they are the centroids, and there is nothing to fit. ``old`` are the
    centroids so far, ``seed`` is for scikit-learn.
    """

    sample: Floats
    count: int
    distinct: Floats | None
    old: Floats | None
    seed: int

    def first(self) -> Floats | Literal["k-means++"]:
        """Where Lloyd's steps set out: the old centroids, made ``count`` many."""
        if self.old is None:
            return "k-means++"
        sizes = np.bincount(assign(self.sample, self.old), minlength=self.old.shape[0])
        fullest = np.sort(np.argsort(-sizes, kind="stable")[: self.count])
        return filled(self.old[fullest], sample=self.sample, count=self.count)


def prepare(
    sample: Floats, *, count: int, most: int, rng: np.random.Generator, start: Floats | None
) -> FitTask:
    """The task of fitting ``count`` clusters on at most ``most`` rows of the sample.

    Centroids of another dimension (another encoder) are no start.
    """
    if sample.shape[0] > most:
        sample = sample[np.sort(rng.choice(sample.shape[0], most, replace=False))]
    sample = np.ascontiguousarray(sample, dtype=np.float32)
    rows = _distinct(sample)
    return FitTask(
        sample=sample,
        count=min(count, rows.size),
        distinct=sample[rows] if rows.size <= count else None,
        old=start if start is not None and start.shape[1] == sample.shape[1] else None,
        seed=int(rng.integers(2**31)),
    )


def fitted(
    find: Callable[[FitTask], Floats], *, task: FitTask, distance: Distance = "euclidean"
) -> Floats:
    """The centroids that ``find`` makes of the task, of unit length for cosine, ids kept.

    On one thread: sums in one order, so the same bytes on any number of cores.
    """
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415

    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        new = find(task) if task.distinct is None else task.distinct
        if distance == "cosine":
            new = unit(new, sample=task.sample)
        new = np.ascontiguousarray(new, dtype=np.float32)
        return new if task.old is None else keep_ids(task.old, new=new)


def filled(centroids: Floats, *, sample: Floats, count: int) -> Floats:
    """The centroids and then sample rows far from all of them, ``count`` in all."""
    parts = [centroids] if len(centroids) else [sample[:1]]
    nearest = squared_distances(sample, parts[0]).min(axis=1)
    for _ in range(count - len(parts[0])):
        far = int(np.argmax(nearest))
        parts.append(sample[far : far + 1])
        nearest = np.minimum(nearest, squared_distances(sample, parts[-1])[:, 0])
    return np.ascontiguousarray(np.concatenate(parts), dtype=np.float32)


def sums(sample: Floats, ids: Ints, *, count: int) -> Floats:
    """(count, D): the sum of each cluster's rows, added in the order of the rows."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    places = (ids, np.arange(ids.size))
    members = csr_matrix((np.ones(ids.size, np.float32), places), shape=(count, ids.size))
    return np.asarray(members @ sample, dtype=np.float32)


def means(sample: Floats, ids: Ints, *, count: int) -> Floats:
    """(count, D) of each cluster's rows; every id in [0, count) has some."""
    sizes = np.bincount(ids, minlength=count)[:, None]
    return np.asarray(sums(sample, ids, count=count) / sizes, dtype=np.float32)


def unit(centroids: Floats, *, sample: Floats) -> Floats:
    """As many rows of unit length; one without a direction gives way to a far sample row."""
    whole = np.linalg.norm(centroids, axis=1) > SHORT
    if not whole.all():
        centroids = filled(centroids[whole], sample=sample, count=len(centroids))
    lengths = np.linalg.norm(centroids, axis=1, keepdims=True)
    return np.asarray(centroids / np.maximum(lengths, SHORT), dtype=np.float32)


def spherical(sample: Floats, centroids: Floats, *, steps: int) -> Floats:
    """Lloyd's steps with centroids on the sphere (Dhillon and Modha 2001), until no row
    moves or ``steps`` are done; a cluster without rows stays where it is."""
    centroids = unit(centroids, sample=sample)
    ids = assign(sample, centroids)
    for _ in range(steps):
        totals = sums(sample, ids, count=len(centroids))
        lengths = np.linalg.norm(totals, axis=1, keepdims=True)
        centroids = np.where(lengths > SHORT, totals / np.maximum(lengths, SHORT), centroids)
        moved = assign(sample, centroids)
        if np.array_equal(moved, ids):
            break
        ids = moved
    return centroids


def _distinct(sample: Floats) -> NDArray[np.int64]:
    """The first of each set of equal rows, ascending; -0 equals 0."""
    rows = np.ascontiguousarray(sample + np.float32(0))
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return np.sort(np.unique(whole, return_index=True)[1])
