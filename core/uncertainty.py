"""How unsure a learner is of each row: three measures over class probabilities.

All take float32 (N, C) probabilities and give float32 (N,), higher = less sure, in
row blocks of about one megabyte, so that extra memory is the answer plus a few blocks.
With ``multi_label`` the columns are independent yes-or-no probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK_VALUES = 1 << 18
"""Probabilities per block: small enough to stay in a core's cache."""

_TINY = np.float32(np.finfo(np.float32).tiny)


class Measure(Protocol):
    """Float32 (N,) uncertainty of float32 (N, C) probabilities."""

    def __call__(self, probabilities: Floats, *, multi_label: bool = False) -> Floats: ...


def entropy(probabilities: Floats, *, multi_label: bool = False) -> Floats:
    """Shannon entropy in nats, in [0, log C]; 0 log 0 = 0.

    ``multi_label``: the mean over columns of each one's own entropy, in [0, log 2].
    """
    return _by_block(_binary_entropy if multi_label else _entropy, probabilities)


def margin_uncertainty(probabilities: Floats, *, multi_label: bool = False) -> Floats:
    """1 - (p1 - p2) of the two largest, in [0, 1]; with one class p2 is 0.

    ``multi_label``: 1 - |2 p - 1| of the column nearest to a half, in [0, 1].
    """
    return _by_block(_binary_margin if multi_label else _margin_uncertainty, probabilities)


def least_confidence(probabilities: Floats, *, multi_label: bool = False) -> Floats:
    """1 - p1 of the largest, in [0, 1): the expected error of a calibrated model.

    ``multi_label``: 1 - product of max(p, 1 - p), of the likeliest set of labels.
    """
    return _by_block(_binary_confidence if multi_label else _least_confidence, probabilities)


MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {"entropy": entropy, "margin": margin_uncertainty, "least_confidence": least_confidence}
)
"""The measures by the names that options use."""


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


def _binary_entropy(block: Floats) -> Floats:
    other = np.float32(1) - block
    values: Floats = (_entropy(block) + _entropy(other)) / np.float32(max(1, block.shape[1]))
    return values


def _binary_margin(block: Floats) -> Floats:
    gaps = np.abs(np.float32(2) * block - np.float32(1))
    values: Floats = np.float32(1) - gaps.min(axis=1, initial=1)
    return values


def _binary_confidence(block: Floats) -> Floats:
    surer = np.maximum(block, np.float32(1) - block)
    values: Floats = np.maximum(np.float32(1) - surer.prod(axis=1), np.float32(0))
    return values
