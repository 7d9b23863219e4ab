"""Bootstrap intervals of means and of ratios of means over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A mean over ``n`` seeds with its interval and standard deviation.

    With fewer than two seeds there is no interval and no deviation: all three are None.
    """

    mean: float
    low: float | None
    high: float | None
    sd: float | None
    n: int


def stream(seed: int, *names: str) -> np.random.Generator:
    """A random stream of its own for each name, so that one more arm moves no other interval."""
    return np.random.default_rng([seed, crc32("\x1f".join(names).encode())])


def spread(
    values: Array,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Spread:
    """The mean of (S,) values, one a seed, with a bias-corrected accelerated interval."""
    return spreads(values[:, None], rng=rng, resamples=resamples, confidence=confidence)[0]


def spreads(
    values: Array,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> list[Spread]:
    """One Spread per column of (S, K) values; whole seeds are drawn, so columns stay together.

    The interval is Efron's BCa (J. Am. Stat. Assoc. 82, 1987). A column without any
    spread has the mean for both ends.
    """
    n, columns = values.shape
    low, high = _bounds(values, rng=rng, resamples=resamples, confidence=confidence)
    means = values.mean(axis=0)
    deviations = values.std(axis=0, ddof=1) if n > 1 else np.zeros(columns)
    known = n > 1
    return [
        Spread(
            mean=float(means[k]),
            low=float(low[k]) if known else None,
            high=float(high[k]) if known else None,
            sd=float(deviations[k]) if known else None,
            n=n,
        )
        for k in range(columns)
    ]


def _bounds(
    values: Array, *, rng: np.random.Generator, resamples: int, confidence: float
) -> tuple[Array, Array]:
    """Both ends per column; BCa is undefined for a column that does not vary."""
    means: Array = values.mean(axis=0)
    low, high = means.copy(), means.copy()
    varied = np.ptp(values, axis=0) > 1e-12 * np.maximum(1.0, np.abs(means))
    if len(values) > 1 and varied.any():
        found = stats.bootstrap(
            (values[:, varied],),
            np.mean,
            axis=0,
            n_resamples=resamples,
            confidence_level=confidence,
            method="BCa",
            rng=rng,
        ).confidence_interval
        low[varied], high[varied] = found.low, found.high
    return low, high


def ratio(
    above: Array, below: Array, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Spread:
    """mean(above) / mean(below) of paired (S,) values, with a percentile interval over seeds.

    ``sd`` is that of the resampled ratios. Raises ZeroDivisionError when ``below`` is all zero.
    """
    n = len(above)
    weights = draws(n, rng=rng, resamples=resamples)
    bottom = weights @ below
    if not below.any():
        message = "the values below the line are all zero"
        raise ZeroDivisionError(message)
    ratios = (weights @ above)[bottom > 0] / bottom[bottom > 0]
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(ratios, [edge, 1 - edge])
    value = float(above.mean() / below.mean())
    if n < 2:
        return Spread(mean=value, low=None, high=None, sd=None, n=n)
    return Spread(mean=value, low=float(low), high=float(high), sd=float(ratios.std()), n=n)


def draws(n: int, *, rng: np.random.Generator, resamples: int) -> Array:
    """(resamples, n) float64: how often each of n things is drawn in each resample."""
    drawn = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * n)
    return counts.reshape(resamples, n).astype(np.float64)
