"""Coverage of a reference set: how many of its clusters a set of texts reaches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput


def cluster_coverage(hit: NDArray[np.int32], *, reference: NDArray[np.int32]) -> float:
    """Share of the reference's clusters that ``hit`` has at least once, in [0, 1].

    Both hold one cluster id per row, (m,) and (N,). Clusters without a reference row do
    not count. Raises InvalidInput ``empty-reference`` where the reference has no row.
    """
    clusters = np.unique(reference)
    if not clusters.size:
        raise InvalidInput.at(
            "/reference", "the reference set must have at least one row", code="empty-reference"
        )
    return float(np.isin(clusters, hit).mean())
