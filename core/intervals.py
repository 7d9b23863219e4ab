"""How far a score could move with other test rows, from the table of confusions alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
DRAWS = 1_000
SEED = 20_261_122
"""Fixed, so that the same table has the same interval every time it is shown."""


def macro_f1_interval(
    confusion: Sequence[Sequence[int]], *, level: float = LEVEL, draws: int = DRAWS
) -> tuple[float, float] | None:
    """The percentile bootstrap interval of macro-F1 over the rows behind ``confusion``.

    ``confusion`` (C, C) has a row per true class and a column per predicted one. Macro-F1
    depends on the rows through this table only, so drawing n cells of it with replacement
    is the bootstrap over rows itself (Efron and Tibshirani 1993, chapter 13). The interval
    says what other test rows would change, not what other labels or seeds would. None
    for an empty table.
    """
    table = np.asarray(confusion, dtype=np.int64)
    total = int(table.sum())
    if total == 0:
        return None
    truth, said = np.nonzero(table)
    chance = np.random.Generator(np.random.PCG64(SEED))
    drawn = chance.multinomial(total, table[truth, said] / total, size=draws)
    scores = _macro_f1(drawn, truth=truth, said=said, classes=len(table))
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _macro_f1(
    drawn: NDArray[np.int64], *, truth: NDArray[np.int64], said: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """(D,) scores of (D, K) counts of K cells, over the classes that occur in each draw."""
    columns = np.arange(classes)
    is_truth = (truth[:, None] == columns).astype(np.int64)
    is_said = (said[:, None] == columns).astype(np.int64)
    support, named = drawn @ is_truth, drawn @ is_said
    right = drawn @ (is_truth * is_said)
    f1 = 2 * right / np.maximum(support + named, 1)
    occurs = support > 0
    averages: NDArray[np.float64] = (f1 * occurs).sum(axis=1) / occurs.sum(axis=1)
    return averages
