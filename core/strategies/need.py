"""Ask for what the training set lacks: class need times uncertainty, spread over clusters."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.pool import PoolView, Selection
from core.registry import check_option
from core.strategies.batch import BatchBuilder
from core.strategies.ranking import Floats, Positions, Ranking, top
from core.strategies.typical import explore_unlabelled, select_typical
from core.uncertainty import margin_uncertainty

NAME = "cluster_need"

PER_PICK, PER_CLASS = 8, 32
"""Candidates per class: eight for each of its picks in an even batch, and 32 more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNeed:
    """Rows likely to be of a class the labels lack, the unsure ones first.

    score(x) = sum_c need_c p_c(x) * (1 + u(x)), need_c = share_c C / (n_c + 1), with n_c
    the labels of class c plus what the batch so far is expected to add, and u the margin
    uncertainty. ``explore`` in [0, 0.5] is the share of the batch kept for typical rows
    of clusters without labels. ``spread`` in [1, 100] bounds a cluster's part of the batch
    as a multiple of an equal quota.
    """

    explore: float = 0.1
    spread: float = 4.0

    def __post_init__(self) -> None:
        check_option("explore", self.explore, of=(int, float), least=0, most=0.5)
        check_option("spread", self.spread, of=(int, float), least=1, most=100)

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None:
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        explore_unlabelled(builder, view, limit=round(self.explore * builder.missing), rng=rng)
        need = Need(counts=view.class_counts, shares=view.target_shares)
        boost = 1 + margin_uncertainty(view.probabilities, multi_label=view.multi_label)
        candidates = _candidates(
            builder.free(), view.probabilities, need=need, boost=boost, count=builder.missing
        )
        greedy = Greedy(view.probabilities[candidates], boost=boost[candidates], need=need)
        greedy.fill(
            builder,
            candidates,
            clusters=view.clusters[candidates],
            cap=self._cap(view, builder.missing),
        )
        _fill_ranked(builder, view.probabilities, need=need, boost=boost)
        return builder.finish(NAME)

    def _cap(self, view: PoolView, count: int) -> int:
        """Most rows of one cluster in the batch."""
        sizes = np.bincount(view.clusters[view.eligible], minlength=view.cluster_count)
        clusters = int((sizes > 0).sum())
        return max(1, math.ceil(self.spread * count / max(1, clusters)))


class Need:
    """How much each class is wanted, falling as the batch is expected to serve it."""

    def __init__(self, *, counts: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
        self._counts = counts.astype(np.float64)
        self._wanted = shares * shares.size

    def weights(self) -> Floats:
        return (self._wanted / (self._counts + 1)).astype(np.float32)

    def expect(self, probabilities: Floats) -> None:
        """Count a picked row's class probabilities as labels to come."""
        self._counts = self._counts + probabilities


def _candidates(
    rows: Positions, probabilities: Floats, *, need: Need, boost: Floats, count: int
) -> Positions:
    """The best rows for the present need and for each class alone, ascending.

    As the batch serves one class, the need moves to others; their best rows are here
    already, so the pool is scanned once per class and not once per pick.
    """
    if count <= 0:
        return rows[:0]
    classes = probabilities.shape[1]
    each = PER_PICK * math.ceil(count / classes) + PER_CLASS
    best = [top((probabilities @ need.weights() * boost)[rows], each)]
    best += [top((probabilities[:, column] * boost)[rows], each) for column in range(classes)]
    return rows[np.unique(np.concatenate(best))]


class Greedy:
    """Candidates scored anew after every pick; ties go to the lower position."""

    def __init__(self, probabilities: Floats, *, boost: Floats, need: Need) -> None:
        self._probabilities = probabilities
        self._boost = boost
        self._need = need

    def fill(
        self, builder: BatchBuilder, candidates: Positions, *, clusters: NDArray[np.int32], cap: int
    ) -> None:
        """Take the best open candidate until the batch is full or none is left.

        A cluster closes after ``cap`` rows.
        """
        open_rows = np.ones(candidates.size, dtype=np.bool_)
        taken: Counter[int] = Counter()
        while builder.missing and open_rows.any():
            scores = np.where(
                open_rows, self._probabilities @ self._need.weights() * self._boost, -1
            )
            best = int(np.argmax(scores))
            open_rows[best] = False
            offer = builder.offer(
                candidates[best : best + 1], scores=scores[best : best + 1], limit=1, strategy=NAME
            )
            if offer.taken.size:
                self._need.expect(self._probabilities[best])
                cluster = int(clusters[best])
                taken[cluster] += 1
                if taken[cluster] >= cap:
                    open_rows &= clusters != cluster


def _fill_ranked(
    builder: BatchBuilder, probabilities: Floats, *, need: Need, boost: Floats
) -> None:
    """What the candidates could not give, from the whole pool by the need as it stands."""
    if builder.missing:
        rows = builder.free()
        scores = (probabilities @ need.weights() * boost)[rows]
        builder.draw(Ranking(rows, scores=scores), limit=builder.missing, strategy=NAME)
