"""Which rows are typical of their cluster: what decides before there is a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE = 256
"""Rows of a cluster that are compared with one another, however large it is."""


def representativeness(vectors: NDArray[np.float32], *, picks: int) -> NDArray[np.float32]:
    """Score (m,) of unit rows (m, D) such that the best ``picks`` represent all of them.

    Greedy facility location on cosine similarity: the first is the medoid, each next
    one adds most to sum_i max_{j picked} sim(i, j). Gains only fall, so sorting by score
    gives the greedy order; rows past ``picks`` keep the gain they would still bring.
    Scores are per row compared, in (0, 1]. m should be at most SAMPLE: m x m similarities.
    """
    rows = vectors.shape[0]
    similarity = np.maximum(vectors @ vectors.T, 0)
    best = np.zeros(rows, dtype=np.float32)
    scores = np.full(rows, -1, dtype=np.float32)
    open_rows = np.ones(rows, dtype=np.bool_)
    ceiling = np.float32(np.inf)
    for _ in range(min(picks, rows)):
        gains = _gains(similarity, best=best)
        pick = int(np.argmax(np.where(open_rows, gains, -1)))
        ceiling = min(ceiling, gains[pick])
        scores[pick] = ceiling
        open_rows[pick] = False
        best = np.maximum(best, similarity[pick])
    rest = np.minimum(_gains(similarity, best=best), ceiling)
    return np.where(open_rows, rest, scores).astype(np.float32)


def _gains(similarity: NDArray[np.float32], *, best: NDArray[np.float32]) -> NDArray[np.float32]:
    gains: NDArray[np.float32] = np.maximum(similarity - best, 0).mean(axis=1, dtype=np.float32)
    return gains
