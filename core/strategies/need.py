"""Of the rows the learner is unsure of, those that the labels lack; then the least sure ones."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.pool import PoolView, Selection
from core.registry import check_option
from core.strategies.batch import BatchBuilder
from core.strategies.blocks import vector_blocks
from core.strategies.members import fit_one
from core.strategies.ranking import Floats, Positions, Ranking, top
from core.strategies.typical import explore_unlabelled, select_typical
from core.uncertainty import margin_uncertainty

NAME = "cluster_need"

PER_PICK, PER_CLASS = 8, 32
"""Candidates per class: eight for each of its picks in an even batch, and 32 more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNeed:
    """A share of the batch for classes that the labels lack, the rest for the smallest margins.

    ``evenness`` in [0, 1] is that share: 0 is margin sampling, 1 gives all to need. Need looks
    only at a shortlist of small margins, because a row the learner is sure of teaches nothing
    however rare its class: at most ``reach`` in [1, 1000] times as many as there are labels
    (the list grows as the labels tell classes apart better), and of them those that are among
    the least sure share ``quantile`` in [0, 1] of what is left, or whose two likeliest classes
    are less than ``gap`` in [0, 1] apart. In it score(x) = sum_c need_c q_c(x), need_c =
    (share_c C / (n_c + 1))^tilt, with n_c the labels of class c plus what the batch so far is
    expected to add; ``tilt`` is in [0, 2]. q comes from a logistic regression on the labelled
    rows with inverse penalty ``strength`` in [0.01, 10,000]: the learner's own probabilities
    are too flat to tell classes apart. ``explore`` in [0, 0.5] is the share of the batch kept
    for typical rows of clusters without labels. ``spread`` in [1, 100] bounds the rows by need
    of one cluster, as a multiple of its equal quota of the batch.
    """

    evenness: float = 0.5
    reach: float = 6.0
    quantile: float = 0.25
    gap: float = 0.2
    tilt: float = 0.5
    strength: float = 3.0
    explore: float = 0.1
    spread: float = 4.0

    def __post_init__(self) -> None:
        check_option("evenness", self.evenness, of=(int, float), least=0, most=1)
        check_option("reach", self.reach, of=(int, float), least=1, most=1000)
        check_option("quantile", self.quantile, of=(int, float), least=0, most=1)
        check_option("gap", self.gap, of=(int, float), least=0, most=1)
        check_option("tilt", self.tilt, of=(int, float), least=0, most=2)
        check_option("strength", self.strength, of=(int, float), least=0.01, most=10_000)
        check_option("explore", self.explore, of=(int, float), least=0, most=0.5)
        check_option("spread", self.spread, of=(int, float), least=1, most=100)

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        if view.probabilities is None or view.labelled_classes.any(axis=0).sum() < 2:  # noqa: PLR2004
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        builder = BatchBuilder(view, count=count, min_distance=min_distance)
        explore_unlabelled(builder, view, limit=round(self.explore * builder.missing), rng=rng)
        margins = margin_uncertainty(view.probabilities, multi_label=view.multi_label)
        rows = builder.free()
        wanted = round(self.evenness * builder.missing)
        shortlist = self._unsure(view, rows, margins[rows], least=wanted)
        self._fill_by_need(builder, view, shortlist, count=wanted)
        rows = builder.free()
        builder.draw(Ranking(rows, scores=margins[rows]), limit=builder.missing, strategy=NAME)
        return builder.finish(NAME)

    def _unsure(self, view: PoolView, rows: Positions, margins: Floats, *, least: int) -> Positions:
        """The rows that need may choose from, ``least`` of them or more, ascending."""
        close = int(np.count_nonzero(margins > 1 - self.gap))
        unsure = max(close, round(self.quantile * rows.size))
        within = round(self.reach * view.labelled_positions.size)
        return np.sort(rows[top(margins, max(least, min(unsure, within)))])

    def _fill_by_need(
        self, builder: BatchBuilder, view: PoolView, shortlist: Positions, *, count: int
    ) -> None:
        """Up to ``count`` rows of the shortlist, as far as clusters may give."""
        if count <= 0:
            return
        likely = self._likely(view, shortlist)
        need = Need(counts=view.class_counts, shares=view.target_shares, tilt=self.tilt)
        places = _candidates(likely, need=need, count=count)
        greedy = Greedy(likely[places], need=need)
        rows = shortlist[places]
        cap = self._cap(view, builder.missing)
        greedy.fill(builder, rows, clusters=view.clusters[rows], cap=cap, count=count)

    def _likely(self, view: PoolView, rows: Positions) -> Floats:
        """(m, C) probabilities of the rows by a head that is surer than the learner."""
        head = fit_one(
            view.vectors(view.labelled_positions),
            view.labelled_classes,
            strength=self.strength,
            multi_label=view.multi_label,
        )
        likely = np.empty((rows.size, view.class_counts.size), dtype=np.float32)
        for part, vectors in vector_blocks(view, rows, width=head.width):
            likely[part] = head.probabilities(vectors)[:, 0]
        return likely

    def _cap(self, view: PoolView, count: int) -> int:
        """Most rows of one cluster in the batch."""
        sizes = np.bincount(view.clusters[view.eligible], minlength=view.cluster_count)
        clusters = int((sizes > 0).sum())
        return max(1, math.ceil(self.spread * count / max(1, clusters)))


class Need:
    """How much each class is wanted, falling as the batch is expected to serve it.

    A tilt below 1 keeps a class that is ten times rarer from being wanted ten times as much:
    its likeliest rows would then be taken before those that teach more.
    """

    def __init__(
        self, *, counts: NDArray[np.float64], shares: NDArray[np.float64], tilt: float
    ) -> None:
        self._counts = counts.astype(np.float64)
        self._wanted = shares * shares.size
        self._tilt = tilt

    def weights(self) -> Floats:
        return ((self._wanted / (self._counts + 1)) ** self._tilt).astype(np.float32)

    def expect(self, probabilities: Floats) -> None:
        """Count a picked row's class probabilities as labels to come."""
        self._counts = self._counts + probabilities


def _candidates(likely: Floats, *, need: Need, count: int) -> Positions:
    """Places of the best rows for the present need and for each class alone, ascending.

    As the batch serves one class, the need moves to others; their best rows are here
    already, so the shortlist is scanned once per class and not once per pick.
    """
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    classes = likely.shape[1]
    each = PER_PICK * math.ceil(count / classes) + PER_CLASS
    best = [top(likely @ need.weights(), each)]
    best += [top(np.ascontiguousarray(column), each) for column in likely.T]
    return np.unique(np.concatenate(best))


class Greedy:
    """Candidates scored anew after every pick; ties go to the lower position."""

    def __init__(self, likely: Floats, *, need: Need) -> None:
        self._likely = likely
        self._need = need

    def fill(
        self,
        builder: BatchBuilder,
        candidates: Positions,
        *,
        clusters: NDArray[np.int32],
        cap: int,
        count: int,
    ) -> None:
        """Take the best open candidate until ``count`` are taken or none is left.

        A cluster closes after ``cap`` rows.
        """
        open_rows = np.ones(candidates.size, dtype=np.bool_)
        taken: Counter[int] = Counter()
        while taken.total() < count and open_rows.any():
            scores = np.where(open_rows, self._likely @ self._need.weights(), -1)
            best = int(np.argmax(scores))
            open_rows[best] = False
            offer = builder.offer(
                candidates[best : best + 1], scores=scores[best : best + 1], limit=1, strategy=NAME
            )
            if offer.taken.size:
                self._need.expect(self._likely[best])
                cluster = int(clusters[best])
                taken[cluster] += 1
                if taken[cluster] >= cap:
                    open_rows &= clusters != cluster
