"""AnchorAL: look only near the labelled texts of each class, those of rare classes first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.neighbours import nearest
from core.pool import PoolView, Selection
from core.registry import check_option
from core.strategies.batch import BatchBuilder
from core.strategies.blocks import vector_blocks
from core.strategies.ranking import Floats, Positions, Ranking
from core.strategies.typical import select_typical
from core.uncertainty import MEASURES

NAME = "anchors"

SAMPLE = 1024
"""Labelled rows of a class that may become anchors, however many it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """The least sure rows among the neighbours of labelled ones (arXiv 2404.05623).

    Each class gets ``anchors_per_class`` in [1, 100] of its labelled rows, far from one
    another (k-means++); each anchor brings its ``neighbours`` in [1, 1000] nearest eligible
    rows. ``measure``, "entropy", "margin" or "least_confidence", orders them. Neighbours of
    classes below their target share of the labels come first, then those of the others,
    and the rest of the pool only where both give too few.
    """

    anchors_per_class: int = 10
    neighbours: int = 50
    measure: Literal["entropy", "margin", "least_confidence"] = "margin"

    def __post_init__(self) -> None:
        check_option("anchors_per_class", self.anchors_per_class, of=int, least=1, most=100)
        check_option("neighbours", self.neighbours, of=int, least=1, most=1000)
        check_option("measure", self.measure, of=str, among=tuple(MEASURES))

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None:
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        scores = MEASURES[self.measure](view.probabilities, multi_label=view.multi_label)
        for rows in self._stages(view, builder, rng=rng):
            ranking = Ranking(rows, scores=scores[rows])
            builder.draw(ranking, limit=builder.missing, strategy=NAME)
        return builder.finish(NAME)

    def _stages(
        self, view: PoolView, builder: BatchBuilder, *, rng: np.random.Generator
    ) -> Iterator[Positions]:
        """Rows to choose from, ascending; the next ones only where these gave too few."""
        rare = lacking(view)
        for classes in (np.flatnonzero(rare), np.flatnonzero(~rare)):
            if builder.missing:
                yield self._near(view, builder.free(), classes=classes, rng=rng)
        if builder.missing:
            yield builder.free()

    def _near(
        self, view: PoolView, rows: Positions, *, classes: Positions, rng: np.random.Generator
    ) -> Positions:
        """Those of ``rows`` that are neighbours of an anchor of these classes, ascending."""
        found = [self._anchors(view, column, rng=rng) for column in classes.tolist()]
        anchors = np.concatenate([*found, np.empty((0, view.centroids.shape[1]), np.float32)])
        if not len(anchors) or not rows.size:
            return rows[:0]
        blocks = vector_blocks(view, rows, width=len(anchors))
        # Half precision is what the pool is stored in.
        shards = ((part.start, vectors.astype(np.float16)) for part, vectors in blocks)
        best, _ = nearest(anchors, shards, min(self.neighbours, rows.size))
        return rows[np.unique(best)]

    def _anchors(self, view: PoolView, column: int, *, rng: np.random.Generator) -> Floats:
        """(at most anchors_per_class, D) vectors of labelled rows of one class."""
        rows = view.labelled_positions[view.labelled_classes[:, column]]
        if rows.size > SAMPLE:
            rows = np.sort(rng.choice(rows, SAMPLE, replace=False))
        return far_apart(view.vectors(rows), count=self.anchors_per_class, rng=rng)


def lacking(view: PoolView) -> NDArray[np.bool_]:
    """Bool (C,): classes with less than their target share of the labels so far."""
    wanted = view.target_shares * view.class_counts.sum()
    short: NDArray[np.bool_] = view.class_counts < wanted
    return short


def far_apart(vectors: Floats, *, count: int, rng: np.random.Generator) -> Floats:
    """At most ``count`` distinct ones of (m, D) unit vectors, by k-means++ on cosine distance."""
    chosen: list[int] = []
    distances = np.ones(len(vectors), dtype=np.float64)
    while len(chosen) < count and distances.sum() > 0:
        chosen.append(int(rng.choice(distances.size, p=distances / distances.sum())))
        closeness = 1 - vectors @ vectors[chosen[-1]]
        distances = np.minimum(distances, np.where(closeness > 1e-6, closeness, 0))  # noqa: PLR2004
    return vectors[chosen]
