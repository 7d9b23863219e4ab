"""How much each row's loss counts: its own weight times its classes' balance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.ports import Floats, Targets


def told_apart(targets: Targets, *, classes: int) -> bool:
    """Whether every class has rows, and in a multi-label task rows without it as well."""
    if targets.ndim > 1:
        return bool(classes and (targets.any(axis=0) & ~targets.all(axis=0)).all())
    return classes > 1 and len(np.unique(targets)) == classes


def loss_weights(
    targets: Targets, weights: Floats, *, watched: NDArray[np.bool_], balanced: bool
) -> Floats:
    """(n,) float32, or (n, C) for bool (n, C) targets; trained and watched rows each have
    mean 1.

    With ``balanced`` a row counts ``weight x total / (classes x weight of its class)`` as in
    the linear learner; the watched rows are balanced by themselves.
    """
    answer = np.empty(targets.shape, dtype=np.float32)
    for part in (watched, ~watched):
        if targets.ndim > 1:
            for column in range(targets.shape[1]):
                answer[part, column] = _balance(targets[part, column], weights[part], balanced)
        else:
            answer[part] = _balance(targets[part], weights[part], balanced)
    return answer


def _balance(targets: Targets, weights: Floats, balanced: bool) -> NDArray[np.float64]:  # noqa: FBT001
    sample = weights.astype(np.float64)
    if balanced and len(sample):
        _, column = np.unique(targets, return_inverse=True)
        sample = sample / np.bincount(column, weights=sample)[column]
    return sample * (len(sample) / sample.sum() if len(sample) else 1.0)
