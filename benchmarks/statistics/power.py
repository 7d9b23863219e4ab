"""How many seeds a final run needs, from the spread of pilot differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks.statistics.intervals import CONFIDENCE, Array

LEAST = 40
"""Fewer seeds than this are never used for a final run."""
MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedCount:
    """Seeds for an interval of a half-width, for an effect at a power, and the number to use."""

    sd: float
    for_half_width: int
    for_effect: int
    seeds: int


def seeds_needed(
    pilot: Array, *, half_width: float, effect: float, power: float = 0.8, least: int = LEAST
) -> SeedCount:
    """Seeds that (S,) pilot paired differences ask for; both aims are met by ``seeds``.

    ``half_width`` is of the 95 % t interval of the mean difference; ``effect`` is the true
    difference that a two-sided t test at 5 % finds with ``power``. The Wilcoxon test that
    the report uses has 95 % of its efficiency on normal differences. Raises ValueError for
    fewer than two pilot seeds or an aim that is not positive.
    """
    if len(pilot) < 2 or min(half_width, effect) <= 0:
        message = "at least two pilot seeds, and a half-width and an effect above 0, are needed"
        raise ValueError(message)
    sd = float(np.std(pilot, ddof=1))
    width = _first(lambda n: _half_width(sd, n) <= half_width)
    found = _first(lambda n: power_of(effect=effect, sd=sd, seeds=n) >= power)
    return SeedCount(sd=sd, for_half_width=width, for_effect=found, seeds=max(width, found, least))


def power_of(*, effect: float, sd: float, seeds: int) -> float:
    """Chance that the two-sided paired t test finds ``effect`` (noncentral t)."""
    if sd == 0:
        return 1.0
    edge = stats.t.ppf((1 + CONFIDENCE) / 2, seeds - 1)
    shift = effect / sd * np.sqrt(seeds)
    return float(stats.nct.sf(edge, seeds - 1, shift) + stats.nct.cdf(-edge, seeds - 1, shift))


def _half_width(sd: float, n: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * sd / np.sqrt(n))


def _first(reached: Callable[[int], bool]) -> int:
    """The smallest n from 2 on that reaches the aim, which more seeds never undo."""
    low, high = 2, 2
    while not reached(high) and high < MOST:
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low
