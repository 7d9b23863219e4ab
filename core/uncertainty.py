"""How unsure a learner is of each row: three measures over class probabilities.

All take float32 (N, C) probabilities and give float32 (N,), higher = less sure, in
row blocks of about one megabyte, so that extra memory is the answer plus a few blocks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK_VALUES = 1 << 18
"""Probabilities per block: small enough to stay in a core's cache."""

_TINY = np.float32(np.finfo(np.float32).tiny)


def entropy(probabilities: Floats) -> Floats:
    """Shannon entropy in nats, in [0, log C]; 0 log 0 = 0."""
    return _by_block(_entropy, probabilities)


def margin_uncertainty(probabilities: Floats) -> Floats:
    """1 - (p1 - p2) of the two largest, in [0, 1]; with one class p2 is 0."""
    return _by_block(_margin_uncertainty, probabilities)


def least_confidence(probabilities: Floats) -> Floats:
    """1 - p1 of the largest, in [0, 1)."""
    return _by_block(_least_confidence, probabilities)


def _by_block(measure: Callable[[Floats], Floats], probabilities: Floats) -> Floats:
    rows, classes = probabilities.shape
    step = max(1, BLOCK_VALUES // max(1, classes))
    values = np.empty(rows, dtype=np.float32)
    for start in range(0, rows, step):
        values[start : start + step] = measure(probabilities[start : start + step])
    return values


def _entropy(block: Floats) -> Floats:
    logs = np.maximum(block, _TINY)
    np.log(logs, out=logs)
    values: Floats = np.maximum(-np.einsum("ij,ij->i", block, logs), np.float32(0))
    return values


def _margin_uncertainty(block: Floats) -> Floats:
    """Column by column: partitioning each short row costs several times as much."""
    columns = np.ascontiguousarray(block.T)
    first = columns[0].copy()
    second = np.zeros_like(first)
    for column in columns[1:]:
        np.maximum(second, np.minimum(first, column), out=second)
        np.maximum(first, column, out=first)
    values: Floats = np.float32(1) - (first - second)
    return values


def _least_confidence(block: Floats) -> Floats:
    columns = np.ascontiguousarray(block.T)
    values: Floats = np.maximum(np.float32(1) - columns.max(axis=0), np.float32(0))
    return values
