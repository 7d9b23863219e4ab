"""Keeps what a peer library does to process-wide state inside one call."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


@contextmanager
def isolated(rng: np.random.Generator) -> Iterator[int]:
    """Gives a seed in [0, 2**31) drawn from ``rng`` for the peer's own chance.

    Meanwhile NumPy's global state is seeded with it (and put back at the end), warnings are
    silent, and one thread does the arithmetic, because sums in another order can give other
    picks. The state is one per process, so no two threads may be in here at once.
    """
    seed = int(rng.integers(2**31))
    before = np.random.get_state()  # noqa: NPY002 - the peers draw from it
    np.random.set_state(np.random.RandomState(seed).get_state())  # noqa: NPY002 - see above
    try:
        with threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield seed
    finally:
        np.random.set_state(before)  # noqa: NPY002 - see above
