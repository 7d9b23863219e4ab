"""The pool as strategies see it: arrays, no texts, no gold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.records import Pick


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """N indexed rows at one moment.

    ``clusters`` int32 (N,) in [0, cluster_count); ``centroids`` float32 (cluster_count, D);
    ``eligible`` bool (N,): pool rows that may be picked; ``probabilities`` float32 (N, C)
    or None before the first model; ``vectors(positions)`` gathers (m, D) float32 unit
    rows; ``class_counts`` float64 (C,) human labels per class and ``target_shares``
    float64 (C,), both in probability-column order; ``labelled_positions`` int64 (L,) rows
    with a human label and ``labelled_classes`` bool (L, C) which columns that label names
    (none for a class the model does not know). With ``multi_label`` the columns are
    independent probabilities and a row may name several.
    """

    clusters: NDArray[np.int32]
    cluster_count: int
    centroids: NDArray[np.float32]
    eligible: NDArray[np.bool_]
    probabilities: NDArray[np.float32] | None
    vectors: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    class_counts: NDArray[np.float64]
    target_shares: NDArray[np.float64]
    labelled_positions: NDArray[np.int64]
    labelled_classes: NDArray[np.bool_]
    multi_label: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Distinct picks in rank order (ranks 0, 1, ...); fewer than asked = ``reason``.

    ``reason`` is None, "pool-exhausted" (no eligible rows left) or "near-duplicates"
    (the rest would repeat texts already in the batch).
    """

    picks: tuple[Pick, ...]
    strategy_used: str
    reason: str | None = None


class QueryStrategy(Protocol):
    """Deterministic for (view, count, seed)."""

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection: ...
