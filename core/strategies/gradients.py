"""BADGE: rows whose labels would move the model much, and each in another direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.pool import PoolView, Selection
from core.strategies.batch import LOOK_AHEAD, BatchBuilder
from core.strategies.blocks import vector_blocks
from core.strategies.ranking import Floats, Positions, Ranking
from core.strategies.typical import select_typical

NAME = "badge"

PART_ROWS = 8192
"""Rows whose probabilities are looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """k-means++ over gradient embeddings (Ash et al., arXiv 1906.03671).

    A row's embedding is the gradient of the last layer if the model's own answer were
    right: (p - one_hot(answer)) times the vector. The first pick has the longest one; each
    next row is drawn with chances in proportion to its squared distance to the nearest
    pick, which is its score. Every eligible row takes part.
    """

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None:
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        sampler = Sampler(view, view.probabilities, rows=builder.free())
        sampler.take_longest(builder)
        idle = 0
        while builder.missing and idle < 2:  # noqa: PLR2004
            if idle:
                sampler.measure()
            idle = 0 if sampler.draw(builder, rng=rng) else idle + 1
        # Two rounds of draws without a pick: what is left repeats the batch, or nearly.
        rows = builder.free()
        builder.draw(Ranking(rows, scores=sampler.of(rows)), limit=builder.missing, strategy=NAME)
        return builder.finish(NAME)


def residuals(probabilities: Floats, *, multi_label: bool) -> Floats:
    """(m, C) p minus the model's own answer: its likeliest class, or each label over a half."""
    if multi_label:
        return probabilities - (probabilities >= 0.5)  # noqa: PLR2004
    rest = probabilities.copy()
    rest[np.arange(len(rest)), probabilities.argmax(axis=1)] -= 1
    return rest


def gradient_distances(
    residual: Floats, vectors: Floats, *, centre_residual: Floats, centre_vectors: Floats
) -> Floats:
    """(m, k) squared distances of the outer products of (m, C) with (m, D) to k others.

    |a x b - c x d|^2 = |a|^2 |b|^2 + |c|^2 |d|^2 - 2 (a.c)(b.d), so that no C x D product
    is ever made. Vectors are of unit length.
    """
    lengths = _squares(residual)[:, None] + _squares(centre_residual)
    products = (residual @ centre_residual.T) * (vectors @ centre_vectors.T)
    values: Floats = np.maximum(lengths - 2 * products, 0)
    return values


class Sampler:
    """Exact k-means++ draws that read the vectors of few rows.

    ``bounds`` (m,) are upper bounds of the squared distance to the nearest pick. A row is
    drawn by its bound, measured, and kept with the chance distance / bound: what is
    kept follows the distances themselves (rejection sampling). Bounds take
    probabilities alone: two unit vectors have a product of at most 1.
    """

    def __init__(self, view: PoolView, probabilities: Floats, *, rows: Positions) -> None:
        self._view = view
        self._probabilities = probabilities
        self._rows = rows
        self._bounds = np.empty(rows.size, dtype=np.float32)
        self._residuals: Floats = np.empty((0, probabilities.shape[1]), dtype=np.float32)
        self._vectors: Floats = np.empty((0, view.centroids.shape[1]), dtype=np.float32)
        self._bounded = 0
        for part in self._parts():
            self._bounds[part] = _squares(self._residual(rows[part]))

    def of(self, rows: Positions) -> Floats:
        """Bounds of ``rows``, which are among the rows."""
        values: Floats = self._bounds[np.searchsorted(self._rows, rows)]
        return values

    def take_longest(self, builder: BatchBuilder) -> None:
        """Begin with the row of the largest bound; then no other row's bound is known."""
        if self._rows.size and builder.missing:
            first = np.argmax(self._bounds, keepdims=True)
            self._offer(builder, first, score=self._bounds[first])
            self._bounds[:] = np.inf
            self._bounds[first] = 0

    def draw(self, builder: BatchBuilder, *, rng: np.random.Generator) -> int:
        """Draw some rows and take those that pass; returns how many were taken."""
        self._tighten()
        chances = np.cumsum(self._bounds, dtype=np.float64)
        if chances[-1] <= 0:
            return 0
        drawn = np.searchsorted(chances, rng.random(LOOK_AHEAD) * chances[-1], side="right")
        drawn = np.minimum(drawn, self._rows.size - 1)
        needed = rng.random(LOOK_AHEAD, dtype=np.float32) * self._bounds[drawn]
        return self._take_passing(builder, drawn, needed=needed)

    def measure(self) -> None:
        """Turn every bound into the distance itself, in one pass over the rows."""
        for part, vectors in vector_blocks(self._view, self._rows, width=len(self._vectors)):
            exact = self._distances(self._rows[part], vectors=vectors)
            self._bounds[part] = np.minimum(self._bounds[part], exact)

    def _take_passing(self, builder: BatchBuilder, drawn: Positions, *, needed: Floats) -> int:
        rows = self._rows[drawn]
        vectors, residual = self._view.vectors(rows), self._residual(rows)
        exact = self._distances(rows, vectors=vectors)
        closed: set[int] = set()
        taken = 0
        for index, row in enumerate(drawn.tolist()):
            if row in closed or not needed[index] < exact[index] or not builder.missing:
                continue
            closed.add(row)
            one = slice(index, index + 1)
            if self._offer(builder, drawn[one], score=exact[one]):
                taken += 1
                to_pick = gradient_distances(
                    residual,
                    vectors,
                    centre_residual=residual[one],
                    centre_vectors=vectors[one],
                )[:, 0]
                exact = np.minimum(exact, to_pick)
        self._bounds[drawn] = np.minimum(self._bounds[drawn], exact)
        self._bounds[list(closed)] = 0
        return taken

    def _offer(self, builder: BatchBuilder, index: Positions, *, score: Floats) -> bool:
        """Offer one row; a taken one becomes a centre, and no row is drawn twice."""
        row = self._rows[index]
        if not builder.offer(row, scores=score, limit=1, strategy=NAME).taken.size:
            return False
        self._residuals = np.concatenate([self._residuals, self._residual(row)])
        self._vectors = np.concatenate([self._vectors, self._view.vectors(row)])
        return True

    def _tighten(self) -> None:
        """Let the picks since the last time lower the bounds, from probabilities alone."""
        centres = self._residuals[self._bounded :]
        self._bounded = len(self._residuals)
        if not len(centres):
            return
        for part in self._parts():
            residual = self._residual(self._rows[part])
            reach = np.abs(residual @ centres.T) * 2 + _squares(centres)
            ceiling = reach.min(axis=1) + _squares(residual)
            self._bounds[part] = np.minimum(self._bounds[part], ceiling)

    def _parts(self) -> Iterator[slice]:
        for start in range(0, self._rows.size, PART_ROWS):
            yield slice(start, start + PART_ROWS)

    def _residual(self, rows: Positions) -> Floats:
        return residuals(self._probabilities[rows], multi_label=self._view.multi_label)

    def _distances(self, rows: Positions, *, vectors: Floats) -> Floats:
        """(m,) squared distances to the nearest pick."""
        values: Floats = gradient_distances(
            self._residual(rows),
            vectors,
            centre_residual=self._residuals,
            centre_vectors=self._vectors,
        ).min(axis=1)
        return values


def _squares(rows: Floats) -> Floats:
    values: Floats = np.einsum("ij,ij->i", rows, rows)
    return values
