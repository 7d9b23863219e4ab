"""How many rows of a batch each cluster gives: equal or weighted quotas that spill over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


def allocate(count: int, *, capacity: Ints, priority: Ints, filled: Ints | None = None) -> Ints:
    """Water-filling: quotas (k,) that raise every cluster to one common level.

    ``capacity`` (k,) is how many rows a cluster can still give; one that runs dry
    gives all it has and the rest goes to the others. ``filled`` (k,) is the level a
    cluster starts from (None: 0 for all, an equal quota). What does not divide evenly
    goes, one each, to the clusters that come first in ``priority``, a permutation of
    the cluster ids. The quotas sum to min(count, total capacity).
    """
    floor = np.zeros_like(capacity) if filled is None else filled
    count = min(count, int(capacity.sum()))
    if count <= 0:
        return np.zeros_like(capacity)
    level = _level(count, capacity=capacity, floor=floor)
    quotas = np.clip(level - floor, 0, capacity)
    ready = (capacity > quotas) & (floor <= level)
    extra = priority[ready[priority]][: count - int(quotas.sum())]
    quotas[extra] += 1
    return quotas


def _level(count: int, *, capacity: Ints, floor: Ints) -> int:
    """The highest level that needs no more than ``count`` rows."""
    low, high = int(floor.min()), int((floor + capacity).max()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if int(np.clip(middle - floor, 0, capacity).sum()) <= count:
            low = middle
        else:
            high = middle
    return low


def allocate_by_weight(count: int, *, weights: Doubles, capacity: Ints, priority: Ints) -> Ints:
    """Quotas (k,) in proportion to ``weights`` (k,) >= 0, none above its ``capacity``.

    What a cluster cannot give goes to the others, again by weight. Fractions go by
    largest remainder, ties in the order of ``priority``. Once every cluster with a
    weight is dry, the rest is shared evenly. The quotas sum to min(count, total capacity).
    """
    quotas = np.zeros_like(capacity)
    left = min(count, int(capacity.sum()))
    while left > 0:
        spare = np.where(quotas < capacity, weights, 0.0)
        if spare.sum() <= 0:
            return quotas + allocate(left, capacity=capacity - quotas, priority=priority)
        part = np.minimum(
            _by_remainder(left, spare / spare.sum(), priority=priority), capacity - quotas
        )
        quotas += part
        left -= int(part.sum())
    return quotas


def _by_remainder(count: int, shares: Doubles, *, priority: Ints) -> Ints:
    """Whole numbers that sum to ``count`` and lie within one of ``shares`` times it."""
    exact = shares * count
    whole = np.floor(exact + 1e-9).astype(np.int64)
    order = priority[np.argsort(-(exact - whole)[priority], kind="stable")]
    order = order[shares[order] > 0]
    whole[order[: count - int(whole.sum())]] += 1
    return whole


def least_labelled_first(labelled: Ints, *, rng: np.random.Generator) -> Ints:
    """Cluster ids by number of labelled rows, ties in random order.

    A batch smaller than the number of clusters so rotates over them from round to
    round, with nothing to remember between rounds but the labels themselves.
    """
    shuffled = rng.permutation(labelled.size)
    return shuffled[np.argsort(labelled[shuffled], kind="stable")]
