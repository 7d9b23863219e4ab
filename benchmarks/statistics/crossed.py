"""The crossed bootstrap: seeds and test rows are drawn anew at once, from stored predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.statistics.intervals import CONFIDENCE, Array, Spread, draws

RESAMPLES = 1_000
CHUNK = 250
"""Resamples per matrix product: 250 x 7,000 weights are 14 MB."""

Columns = NDArray[np.uint8]


def crossed(
    truth: Columns,
    arm: Columns,
    baseline: Columns,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Spread:
    """Mean over seeds of macro-F1(arm) - macro-F1(baseline), interval over seeds and test rows.

    ``truth`` is (n,), ``arm`` and ``baseline`` are (S, n): class columns, row s of both from
    the same seed. Each resample draws seeds and, independently of them, test rows; the rows
    drawn are the same for every seed, as a test set is (Owen's pigeonhole bootstrap, Annals of
    Applied Statistics 1, 2007). It takes the test set's own smallness into account, so it is
    wider than an interval over seeds. Percentile interval; ``sd`` is of the resampled means.
    """
    seeds, n = arm.shape
    classes = int(max(truth.max(), arm.max(), baseline.max())) + 1
    counted = [_Indicators(truth, columns, classes=classes) for columns in (arm, baseline)]
    means = []
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        rows = draws(n, rng=rng, resamples=size)
        picked = draws(seeds, rng=rng, resamples=size) / seeds
        gain = counted[0].macro_f1(rows) - counted[1].macro_f1(rows)
        means.append((gain * picked).sum(axis=1))
    found = np.concatenate(means)
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(found, [edge, 1 - edge])
    whole = np.ones((1, n))
    mean = float((counted[0].macro_f1(whole) - counted[1].macro_f1(whole)).mean())
    return Spread(mean=mean, low=float(low), high=float(high), sd=float(found.std()), n=seeds)


class _Indicators:
    """Sparse 0/1 matrices whose product with row weights gives weighted confusion counts."""

    def __init__(self, truth: Columns, predicted: Columns, *, classes: int) -> None:
        seeds, n = predicted.shape
        self.shape = (seeds, classes)
        rows = np.tile(np.arange(n), seeds)
        columns = (np.arange(seeds)[:, None] * classes + predicted).ravel()
        hit = (predicted == truth).ravel()
        size = (n, seeds * classes)
        ones = np.ones(len(rows))
        self.predicted = sparse.csr_array((ones, (rows, columns)), shape=size)
        self.hits = sparse.csr_array((ones[hit], (rows[hit], columns[hit])), shape=size)
        self.truth = sparse.csr_array((np.ones(n), (np.arange(n), truth)), shape=(n, classes))

    def macro_f1(self, weights: Array) -> Array:
        """(B, S) macro-F1 under (B, n) row weights, over the classes with a true row drawn."""
        hits = np.asarray(weights @ self.hits).reshape(-1, *self.shape)
        predicted = np.asarray(weights @ self.predicted).reshape(-1, *self.shape)
        true = np.asarray(weights @ self.truth)[:, None, :]
        f1 = 2 * hits / np.maximum(predicted + true, 1e-12)
        present = true > 0
        total: Array = (f1 * present).sum(axis=2) / present.sum(axis=2)
        return total
