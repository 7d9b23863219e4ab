"""Leave no text far from a labelled one: greedy k-centre over the whole pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.pool import PoolView, Selection
from core.strategies.batch import BatchBuilder
from core.strategies.blocks import vector_blocks
from core.strategies.ranking import Floats, Positions, Ranking, top
from core.strategies.typical import select_typical

NAME = "k_center"

FRONT = 2048
"""Rows compared after every pick; the others wait with what was known of them before."""

FARTHEST = np.float32(2)
"""The greatest cosine distance; every row's, as long as there is no centre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KCenter:
    """The row farthest from every labelled and every picked row, again and again (core-set,
    Sener and Savarese, arXiv 1708.00489).

    The score is the cosine distance to the nearest of these at the time of the pick, in
    [0, 2]. Probabilities play no part, except that typical rows start before a model.
    """

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None:
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        distances = Distances(view, builder.free())
        distances.approach_rows(view.labelled_positions)
        while builder.missing and _take_front(builder, view, distances):
            pass
        # A refused farthest row lies within min_distance of a pick, and so every other row
        # within min_distance of a centre: nothing is left to cover, the order matters little.
        rows = builder.free()
        builder.draw(Ranking(rows, scores=distances.of(rows)), limit=builder.missing, strategy=NAME)
        return builder.finish(NAME)


class Distances:
    """Each row's cosine distance to its nearest centre, float32 (m,); centres only join."""

    def __init__(self, view: PoolView, rows: Positions) -> None:
        self._view = view
        self.rows = rows
        self.nearest: Floats = np.full(rows.size, FARTHEST, dtype=np.float32)

    def of(self, rows: Positions) -> Floats:
        """Distances of ``rows``, which are among the rows."""
        values: Floats = self.nearest[np.searchsorted(self.rows, rows)]
        return values

    def approach_rows(self, centres: Positions) -> None:
        """Let labelled rows be centres, a block of them at a time."""
        for _, vectors in vector_blocks(self._view, centres):
            self.approach(vectors)

    def approach(self, centres: Floats) -> None:
        """Let (k, D) unit vectors be centres, in one pass over the rows."""
        for part, vectors in vector_blocks(self._view, self.rows, width=len(centres)):
            closest = (vectors @ centres.T).max(axis=1)
            self.nearest[part] = np.minimum(self.nearest[part], np.maximum(1 - closest, 0))


def _take_front(builder: BatchBuilder, view: PoolView, distances: Distances) -> bool:
    """Pick among the farthest rows while none of the others can be farther.

    Distances only fall, so the one of the best row outside the front bounds all others:
    the picks are those of the plain loop, for a few passes over the pool instead of one
    per pick. False once a row is refused.
    """
    order = top(distances.nearest, FRONT + 1)
    bound = distances.nearest[order[FRONT]] if order.size > FRONT else np.float32(-1)
    front = np.sort(order[:FRONT])
    vectors = view.vectors(distances.rows[front])
    chosen, refused = _pick_farthest(
        builder, distances.rows[front], vectors=vectors, near=distances.nearest[front], bound=bound
    )
    if chosen:
        distances.approach(vectors[chosen])
        distances.nearest[front[chosen]] = -1
    return not refused


def _pick_farthest(
    builder: BatchBuilder,
    rows: Positions,
    *,
    vectors: Floats,
    near: NDArray[np.float32],
    bound: np.float32,
) -> tuple[list[int], bool]:
    """Indices of the rows taken, and whether one was refused; ties go to the lower position."""
    chosen: list[int] = []
    while builder.missing:
        best = int(np.argmax(near))
        if chosen and near[best] <= bound:
            break
        one = slice(best, best + 1)
        if not builder.offer(rows[one], scores=near[one], limit=1, strategy=NAME).taken.size:
            return chosen, True
        chosen.append(best)
        near = np.minimum(near, np.maximum(1 - vectors @ vectors[best], 0))
        near[chosen] = -1
    return chosen, False
