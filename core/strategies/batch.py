"""The one place where a batch comes together, so that every strategy keeps its promises.

Distinct eligible rows, no near-duplicates among them, ranks without gaps, and a reason
where the pool gave fewer than asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.pool import PoolView, Selection
from core.records import Pick
from core.strategies.ranking import Ranking
from core.uncertainty import entropy

Positions = NDArray[np.int64]
Floats = NDArray[np.float32]

LOOK_AHEAD = 256
"""Most vectors gathered at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How many offered rows were looked at, from the first on, and which were taken."""

    seen: int
    taken: Positions


class BatchBuilder:
    """Takes rows in the order they are offered and refuses repeats.

    A row is a near-duplicate when its cosine distance to a row already in the batch is
    below ``min_distance``; 0 switches that off. Vectors are gathered only for rows that
    are offered.
    """

    def __init__(self, view: PoolView, *, count: int, min_distance: float) -> None:
        self._view = view
        self._count = max(0, count)
        self._nearest = 1.0 - min_distance if min_distance > 0 else None
        self._free = view.eligible.copy()
        self._eligible = int(self._free.sum())
        self._vectors: Floats = np.empty((0, view.centroids.shape[1]), dtype=np.float32)
        self._picks: list[Pick] = []

    @property
    def missing(self) -> int:
        """Rows still to be found; never more than there are eligible ones."""
        return min(self._count, self._eligible) - len(self._picks)

    def free(self) -> Positions:
        """Rows neither taken nor refused, ascending."""
        return np.flatnonzero(self._free)

    def draw(self, ranking: Ranking, *, limit: int, strategy: str) -> int:
        """Take up to ``limit`` rows in ranking order; returns how many were taken."""
        wanted = limit = min(limit, self.missing)
        while wanted > 0 and ranking.left:
            positions, scores = ranking.peek(min(LOOK_AHEAD, max(8, 2 * wanted)))
            offer = self.offer(positions, scores=scores, limit=wanted, strategy=strategy)
            ranking.advance(offer.seen)
            wanted -= offer.taken.size
        return limit - wanted

    def offer(self, positions: Positions, *, scores: Floats, limit: int, strategy: str) -> Offer:
        """Take the first ``limit`` of these rows that are free and repeat nothing."""
        limit = min(limit, self.missing)
        open_rows = np.flatnonzero(self._free[positions])
        if self._nearest is None or limit <= 0:
            chosen = open_rows[: max(0, limit)]
        else:
            chosen = open_rows[self._distinct(positions[open_rows], limit=limit)]
        self._take(positions[chosen], scores=scores[chosen], strategy=strategy)
        full = chosen.size == limit and chosen.size > 0
        seen = int(chosen[-1]) + 1 if full else positions.size
        return Offer(seen=seen, taken=positions[chosen])

    def _distinct(self, positions: Positions, *, limit: int) -> Positions:
        """Indices of rows to take, in order; frees no row that repeats a taken one."""
        vectors = self._view.vectors(positions)
        repeats = np.zeros(positions.size, dtype=np.bool_)
        if self._picks and positions.size:
            repeats = (vectors @ self._vectors.T).max(axis=1) > self._nearest
        chosen: list[int] = []
        while len(chosen) < limit and not repeats.all():
            index = int(np.argmin(repeats))
            chosen.append(index)
            repeats |= vectors @ vectors[index] > self._nearest
            repeats[index] = True
        self._free[positions[repeats]] = False
        self._vectors = np.concatenate([self._vectors, vectors[chosen]])
        return np.array(chosen, dtype=np.int64)

    def _take(self, positions: Positions, *, scores: Floats, strategy: str) -> None:
        self._free[positions] = False
        for position, score in zip(positions.tolist(), scores.tolist(), strict=True):
            self._picks.append(
                Pick(
                    position=position,
                    cluster=int(self._view.clusters[position]),
                    score=score,
                    rank=len(self._picks),
                    strategy=strategy,
                )
            )

    def finish(self, strategy: str, *, spread: bool = False) -> Selection:
        """The batch. ``spread`` ranks the best row of each cluster before any second one."""
        picks = _spread(self._picks) if spread else self._picks
        reason = None
        if len(picks) < self._count:
            reason = "pool-exhausted" if len(picks) == self._eligible else "near-duplicates"
        return Selection(picks=self._explained(picks), strategy_used=strategy, reason=reason)

    def _explained(self, picks: list[Pick]) -> tuple[Pick, ...]:
        """Picks with final ranks and, where there is a model, their entropies."""
        entropies: list[float] | list[None] = [None] * len(picks)
        if self._view.probabilities is not None and picks:
            rows = np.array([pick.position for pick in picks], dtype=np.int64)
            known = self._view.probabilities[rows]
            entropies = entropy(known, multi_label=self._view.multi_label).tolist()
        numbered = enumerate(zip(picks, entropies, strict=True))
        return tuple(replace(pick, rank=rank, entropy=value) for rank, (pick, value) in numbered)


def _spread(picks: list[Pick]) -> list[Pick]:
    turns: dict[int, int] = {}
    keyed: list[tuple[int, float, int, Pick]] = []
    for pick in picks:
        turn = turns.get(pick.cluster, 0)
        turns[pick.cluster] = turn + 1
        keyed.append((turn, -pick.score, pick.position, pick))
    return [pick for *_, pick in sorted(keyed, key=lambda key: key[:3])]
