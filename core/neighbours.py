"""The nearest rows of a large pool to a few vectors, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS: Final = 8_192
"""Rows turned into float32 at a time: 12 MB at 384 dimensions."""

Mask: TypeAlias = Callable[[int, int], NDArray[np.bool_]]
"""``mask(start, stop)`` says which of the positions [start, stop) count."""


def nearest(
    vectors: NDArray[np.float32],
    shards: Iterable[tuple[int, NDArray[np.float16]]],
    limit: int,
    *,
    mask: Mask | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The ``limit`` rows of highest cosine to each vector, best first; repeatable.

    Args:
        vectors: (m, D) unit rows.
        shards: (first position, (rows, D) unit rows), in any order.
        limit: how many to keep per vector.
        mask: leaves rows out, such as those of another split.

    Returns:
        Positions int64 and cosines float32, both (m, limit); where there are fewer rows
        than ``limit`` the tail holds position -1 and cosine -1.
    """
    best = np.full((len(vectors), limit), -1, dtype=np.int64)
    cosines = np.full((len(vectors), limit), -np.inf, dtype=np.float32)
    if len(vectors) and limit:
        for first, shard in shards:
            for offset in range(0, len(shard), BLOCK_ROWS):
                rows = shard[offset : offset + BLOCK_ROWS]
                found, values = _block(vectors, rows, start=first + offset, mask=mask, limit=limit)
                best, cosines = _merge((best, found), (cosines, values), limit=limit)
    return best, np.where(best < 0, np.float32(-1), cosines)


def _block(
    vectors: NDArray[np.float32],
    rows: NDArray[np.float16],
    *,
    start: int,
    mask: Mask | None,
    limit: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    kept = np.arange(len(rows)) if mask is None else np.flatnonzero(mask(start, start + len(rows)))
    cosines = vectors @ rows[kept].astype(np.float32).T
    if len(kept) > limit:
        cut = np.argpartition(cosines, -limit, axis=1)[:, -limit:]
        return (kept[cut] + start).astype(np.int64), np.take_along_axis(cosines, cut, axis=1)
    return np.broadcast_to(kept + start, cosines.shape).astype(np.int64), cosines


def _merge(
    positions: tuple[NDArray[np.int64], ...],
    cosines: tuple[NDArray[np.float32], ...],
    *,
    limit: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    where, values = np.concatenate(positions, axis=1), np.concatenate(cosines, axis=1)
    order = np.lexsort((where, -values), axis=1)[:, :limit]
    return np.take_along_axis(where, order, axis=1), np.take_along_axis(values, order, axis=1)
