"""What is drawn beside the candidates: selection that knows the answers, and the whole pool."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

EVEN, WHOLE = "even_by_oracle", "whole_pool"

Ints = NDArray[np.int64]


def even_rows(
    targets: Ints,
    *,
    eligible: NDArray[np.bool_],
    held: Sequence[int],
    count: int,
    rng: np.random.Generator,
) -> list[int]:
    """``count`` places, one by one from the class with fewest labels that has rows left.

    ``targets`` (n,) are the true columns; ``held`` the places labelled so far. Rows of a
    class are drawn by chance. Nobody could run it: it shows how even a set can get.
    """
    classes = int(targets.max()) + 1
    counts = np.bincount(targets[list(held)], minlength=classes).astype(float)
    shuffled = rng.permutation(np.flatnonzero(eligible))
    left = {c: shuffled[targets[shuffled] == c].tolist() for c in range(classes)}
    chosen: list[int] = []
    while len(chosen) < count and any(left.values()):
        column = min((c for c in left if left[c]), key=lambda c: counts[c])
        chosen.append(left[column].pop())
        counts[column] += 1
    return chosen
