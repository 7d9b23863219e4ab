"""Rows by score, sorted only as far as they are read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Floats = NDArray[np.float32]

FIRST = 64
"""Rows sorted at first; each time a reader needs more, four times as many."""


def top(scores: Floats, count: int) -> Positions:
    """Indices of the ``count`` highest scores, best first, ties by index."""
    size = scores.size
    if count >= size:
        return np.argsort(-scores, kind="stable")
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    cut = np.partition(scores, size - count)[size - count]
    chosen = np.flatnonzero(scores >= cut)
    if chosen.size > count:
        above = scores[chosen] > cut
        ties = chosen[~above][: count - int(above.sum())]
        chosen = np.sort(np.concatenate([chosen[above], ties]))
    return chosen[np.argsort(-scores[chosen], kind="stable")]


class Ranking:
    """``positions`` (m,) int64 ascending, best score first, ties by position.

    A reader peeks at the next rows and advances past those it is done with.
    """

    def __init__(self, positions: Positions, *, scores: Floats) -> None:
        self._positions = positions
        self._scores = scores
        self._order: Positions = np.empty(0, dtype=np.int64)
        self._read = 0

    @property
    def left(self) -> int:
        return self._positions.size - self._read

    def peek(self, count: int) -> tuple[Positions, Floats]:
        """The next rows, at most ``count`` of them, with their scores."""
        end = min(self._read + count, self._positions.size)
        if end > self._order.size:
            self._order = top(self._scores, max(end, FIRST, 4 * self._order.size))
        rows = self._order[self._read : end]
        return self._positions[rows], self._scores[rows]

    def advance(self, count: int) -> None:
        """Leave the next ``count`` rows behind."""
        self._read += count
