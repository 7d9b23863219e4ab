"""Paired tests of two arms over seeds: differences, Wilcoxon, Holm, wins and losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks.statistics.intervals import Array, Spread, spread

TIE = 1e-9
"""Two scores closer than this are level: it is far above rounding error and far below what
one text more or less does to any measure."""
LOWER_IS_BETTER = frozenset({"std", "calibration_error", "label_noise", "generated_noise"})
RESAMPLES = 5_000
EXACT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """An arm against a baseline: the mean difference (arm - baseline) and what speaks for it.

    ``p`` is Wilcoxon's, two-sided. A win is a seed on which the arm is better, which for a
    measure in ``LOWER_IS_BETTER`` is lower; the difference keeps its plain sign.
    """

    difference: Spread
    p: float
    wins: int
    ties: int
    losses: int


def paired(
    arm: Array, baseline: Array, *, rng: np.random.Generator, lower_is_better: bool = False
) -> Paired:
    """Compare (S,) scores of the same seeds; the interval is over seeds.

    Each seed carries its own start, pool and test resample, so resampling whole seeds takes in
    all three.
    """
    differences = arm - baseline
    better = -differences if lower_is_better else differences
    return Paired(
        difference=spread(differences, rng=rng, resamples=RESAMPLES),
        p=wilcoxon(differences),
        wins=int((better > TIE).sum()),
        ties=int((np.abs(better) <= TIE).sum()),
        losses=int((better < -TIE).sum()),
    )


def wilcoxon(differences: Array) -> float:
    """Two-sided p of the signed-rank test; level seeds are dropped, none left gives 1.

    Exact up to ``EXACT`` seeds without equal differences, else by the normal approximation.
    """
    apart = differences[np.abs(differences) > TIE]
    if not len(apart):
        return 1.0
    distinct = len(np.unique(np.abs(apart))) == len(apart)
    method = "exact" if distinct and len(apart) <= EXACT else "asymptotic"
    return float(stats.wilcoxon(apart, method=method).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p values in the given order (Holm, Scand. J. Stat. 6, 1979)."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]
