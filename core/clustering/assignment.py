"""Rows to centroids, and old ids to new centroids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.clustering.contract import Floats, Ints

BLOCK_ROWS: Final = 8192


def assign(
    vectors: NDArray[np.floating] | Iterable[NDArray[np.floating]], centroids: Floats
) -> Ints:
    """Id of the nearest centroid for each row, int32 (N,); ties go to the lower id.

    ``vectors`` is one (N, D) array (memory-mapped, any float type) or chunks of one.
    One matrix product per block of rows: argmin |x - c|^2 = argmax x.c - |c|^2 / 2.
    Between centroids of unit length that is the largest cosine, so that clusters by
    cosine need nothing of their own here.
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


def keep_ids(old: Floats, *, new: Floats) -> Floats:
    """``new`` (k, D) reordered so that each stands where its match in ``old`` stood.

    The match is the cheapest one-to-one assignment (Hungarian method) by squared
    distance. New centroids without a match fill the free ids, ascending; where there
    are fewer new than old, matched ones past k move down into free ids.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    old_ids, new_ids = linear_sum_assignment(squared_distances(old, new))
    count = new.shape[0]
    order = np.full(count, -1, dtype=np.int64)
    inside = old_ids < count
    order[old_ids[inside]] = new_ids[inside]
    order[order < 0] = np.setdiff1d(np.arange(count), order)
    return np.ascontiguousarray(new[order])


def squared_distances(rows: Floats, centroids: Floats) -> Floats:
    """(m, k), up to rounding; small negatives are cut to 0."""
    distances = (
        np.square(rows).sum(axis=1)[:, None]
        + np.square(centroids).sum(axis=1)
        - 2 * (rows @ centroids.T)
    )
    return np.asarray(np.maximum(distances, 0), dtype=np.float32)
