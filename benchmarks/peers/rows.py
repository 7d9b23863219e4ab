"""The rows a peer library works on: those that may be picked, then those with a label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.pool import PoolView


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRows:
    """M rows of a pool, the first ``candidates`` of them eligible and the others labelled.

    ``positions`` int64 (M,) in the pool, ``vectors`` float32 (M, D), ``probabilities``
    float32 (M, C) (M, 0 before the first model), ``classes`` int64 (M - candidates,) the
    column of each labelled row, -1 for a class the model does not know.
    """

    candidates: int
    positions: NDArray[np.int64]
    vectors: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    classes: NDArray[np.int64]


def gather(view: PoolView) -> PeerRows:
    """Copies what the peers may see of a single-label view."""
    eligible = np.flatnonzero(view.eligible)
    positions = np.concatenate([eligible, view.labelled_positions])
    known = view.labelled_classes.any(axis=1)
    if view.probabilities is None:
        probabilities = np.empty((positions.size, 0), dtype=np.float32)
    else:
        probabilities = view.probabilities[positions]
    return PeerRows(
        candidates=eligible.size,
        positions=positions,
        vectors=view.vectors(positions),
        probabilities=probabilities,
        classes=np.where(known, view.labelled_classes.argmax(axis=1), -1),
    )
