"""The distance between every two rows of a sample."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.clustering.assignment import squared_distances
from core.clustering.contract import Distance, Floats

SAME: Final = 1e-6
"""A squared distance, or 1 - cosine, below this is rounding: the rows are copies."""


def distances(sample: Floats, *, distance: Distance) -> NDArray[np.float64]:
    """float64 (m, m) between unit rows, symmetric; exactly 0 between copies.

    Without that zero, the rounding of a product would tell copies apart, and clusters
    by density would be found among them.
    """
    if distance == "cosine":
        raw: Floats = np.maximum(1 - sample @ sample.T, 0)
    else:
        raw = squared_distances(sample, sample)
    found: NDArray[np.float64] = np.maximum(raw, raw.T).astype(np.float64)
    np.fill_diagonal(found, 0)
    found[found < SAME] = 0
    if distance == "euclidean":
        np.sqrt(found, out=found)
    return found
