"""What a data set is and what is left of it once the reserve is set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.longtail import long_tail
from benchmarks.datasets.setting_aside import RESERVE_SHARE, reserve_mask, thin_reserve
from benchmarks.evidence.records import Dataset
from core.texts import text_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRows:
    """Rows of one class: ``pool`` is train less reserve, after the long tail if there is one."""

    name: str
    train: int
    test: int
    reserve: int
    pool: int
    thin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What every loader prints: where a set is from, whose it is, how many rows it has.

    ``classes`` stand in the set's order, their rows before any development test is taken.
    """

    name: str
    licence: str
    source: str
    rule: str
    sha256: str
    classes: tuple[ClassRows, ...]

    @property
    def ratio(self) -> float:
        """The largest class of the pool to its smallest."""
        sizes = [row.pool for row in self.classes]
        return max(sizes) / max(1, min(sizes))


def describe(dataset: Dataset, *, reserve_share: float = RESERVE_SHARE) -> Description:
    """Count the rows of every class as the harness will use them.

    Raises InvalidInput where the long tail leaves a class without rows.
    """
    train = np.flatnonzero(~dataset.is_test)
    labels = [dataset.labels[row] for row in train]
    hashes = [text_hash(dataset.texts[row]) for row in train]
    reserve = reserve_mask(labels, hashes, share=reserve_share)
    pool = ~reserve
    if dataset.longtail_ratio is not None:
        pool = _tailed(labels, hashes, pool, ratio=dataset.longtail_ratio)
    counts = {
        "train": Counter(labels),
        "test": Counter(dataset.labels[row] for row in np.flatnonzero(dataset.is_test)),
        "reserve": Counter(labels[row] for row in np.flatnonzero(reserve)),
        "pool": Counter(labels[row] for row in np.flatnonzero(pool)),
    }
    thin = thin_reserve(labels, reserve)
    classes = tuple(
        ClassRows(name=c, thin=c in thin, **{part: of[c] for part, of in counts.items()})
        for c in dataset.classes
    )
    return Description(
        name=dataset.name,
        licence=dataset.licence,
        source=dataset.source,
        rule=dataset.rule,
        sha256=dataset.sha256,
        classes=classes,
    )


def totals(classes: Iterable[ClassRows]) -> tuple[int, int, int, int]:
    """Train, test, reserve and pool rows of all classes together."""
    rows = list(classes)
    return (
        sum(row.train for row in rows),
        sum(row.test for row in rows),
        sum(row.reserve for row in rows),
        sum(row.pool for row in rows),
    )


def _tailed(
    labels: list[str], hashes: list[str], pool: NDArray[np.bool_], *, ratio: float
) -> NDArray[np.bool_]:
    rows = np.flatnonzero(pool)
    kept = long_tail([labels[r] for r in rows], [hashes[r] for r in rows], ratio=ratio)
    mask = np.zeros(pool.size, dtype=np.bool_)
    mask[rows[kept]] = True
    return mask
