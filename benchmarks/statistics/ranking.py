"""Average ranks of the arms over data sets, with Friedman's test and Nemenyi's difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks.statistics.intervals import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Average ranks (1 is best) of k arms over N data sets.

    Two arms whose ranks differ by less than ``critical_difference`` cannot be told apart at
    the 5 % level (Demšar, JMLR 7, 2006). ``friedman_p`` None: fewer than three arms.
    """

    average: Array
    critical_difference: float
    friedman_p: float | None
    blocks: int


def rank(scores: Array, *, lower_is_better: bool = False) -> Ranking:
    """Rank (N, k) mean scores, one row a data set; equal scores share their rank."""
    blocks, arms = scores.shape
    ranks = stats.rankdata(scores if lower_is_better else -scores, axis=1)
    return Ranking(
        average=ranks.mean(axis=0),
        critical_difference=critical_difference(arms=arms, blocks=blocks),
        friedman_p=_friedman(scores),
        blocks=blocks,
    )


def critical_difference(*, arms: int, blocks: int, alpha: float = 0.05) -> float:
    """Nemenyi's: q / sqrt(2) * sqrt(k (k + 1) / 6N), q of the studentised range."""
    q = stats.studentized_range.ppf(1 - alpha, arms, np.inf)
    return float(q / np.sqrt(2) * np.sqrt(arms * (arms + 1) / (6 * blocks)))


def nemenyi(average: Array, *, blocks: int) -> Array:
    """(k, k) p values of every pair of average ranks, 1 on the diagonal."""
    arms = len(average)
    error = np.sqrt(arms * (arms + 1) / (6 * blocks))
    q = np.abs(average[:, None] - average[None, :]) / error * np.sqrt(2)
    p: Array = stats.studentized_range.sf(q, arms, np.inf)
    np.fill_diagonal(p, 1.0)
    return p


def _friedman(scores: Array) -> float | None:
    """Friedman's p; 1 where every arm has the same score on every data set."""
    if scores.shape[1] < 3:
        return None
    if not np.ptp(scores, axis=1).any():
        return 1.0
    return float(stats.friedmanchisquare(*scores.T).pvalue)
