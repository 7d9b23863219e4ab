"""A long tail cut into labelled rows by a rule that needs no random generator."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.rows import largest_first
from core.errors import InvalidInput

RULE = (
    "of the train rows left after the reserve, the class at rank r of k (largest first, ties by"
    " name, r from 0) keeps min(its rows, floor(n_0 x {ratio:g}^(-r/(k-1)))), n_0 the rows of the"
    " largest class, in the order of the SHA-256 of the normalised text"
)
ROUNDING = 1e-9
"""So that 140 / 20, computed as a power, does not become 6."""


def long_tail(
    labels: Sequence[str],
    text_hashes: Sequence[str],
    *,
    classes: int | None = None,
    ratio: float,
) -> NDArray[np.bool_]:
    """Which rows (n,) are kept, so that the largest class is ``ratio`` times the smallest.

    ``text_hashes`` are ``core.texts.text_hash`` of the rows. ``classes`` keeps that many
    of the largest classes (None = all). Sizes fall geometrically from the largest, n_0
    rows, to floor(n_0 / ratio); a class that has fewer rows keeps them all. Equal hashes
    are served in the order of the rows. Raises InvalidInput ``out-of-range`` for a ratio
    below 1 or fewer than two classes, ``too-few-rows`` where a class would keep no row.
    """
    names = largest_first(labels)[:classes]
    _check(len(names), classes=classes, ratio=ratio)
    kept = np.zeros(len(labels), dtype=np.bool_)
    column, hashes = np.array(labels), np.array(text_hashes)
    most = int((column == names[0]).sum())
    for rank, name in enumerate(names):
        size = math.floor(most * ratio ** (-rank / (len(names) - 1)) + ROUNDING)
        if size == 0:
            detail = f"{most} rows of the largest class cannot be {ratio:g} times the smallest"
            raise InvalidInput.at("/ratio", detail, code="too-few-rows", rows=most)
        rows = np.flatnonzero(column == name)
        kept[rows[np.argsort(hashes[rows], kind="stable")][:size]] = True
    return kept


def _check(found: int, *, classes: int | None, ratio: float) -> None:
    if not (math.isfinite(ratio) and ratio >= 1):
        raise InvalidInput.at("/ratio", "ratio must be at least 1", code="out-of-range")
    if found < max(2, classes or 0):
        detail = f"there are {found} classes; at least {max(2, classes or 0)} are needed"
        raise InvalidInput.at("/classes", detail, code="out-of-range", classes=found)
