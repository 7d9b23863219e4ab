"""When to stop labelling: criteria over what a session's models said, one after another.

All look at the same fixed rows of the pool (the stop set) and need no labels: as long as
new labels still change what the models say of it, there is something left to learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from core.registry import Registry, check_option
from core.uncertainty import entropy

STOP_SET_ROWS: Final = 2_000
"""As in Bloodgood and Vijay-Shanker (2009): enough for kappa to be stable."""
MOST_WINDOW: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one model said of the stop set.

    ``predicted`` int (n,) holds a class number per row, or bool (n, C) which labels a
    row has; the numbering is the same for all models. ``uncertainty`` is the mean entropy
    of its rows as a share of the largest possible, in [0, 1] (see ``mean_uncertainty``).
    """

    predicted: NDArray[np.integer] | NDArray[np.bool_]
    uncertainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``value`` is None where there is nothing to compare yet; ``why`` is a sentence."""

    stop: bool
    value: float | None
    why: str


class StoppingCriterion(Protocol):
    """Says after each model whether to go on; pure."""

    def judge(self, history: Sequence[Opinion]) -> Verdict:
        """The verdict after the last model of ``history``, oldest first, on one stop set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationChange:
    """Stop when few predictions still change (Zhu, Wang and Hovy 2008).

    The value is the share of rows whose prediction differs between two models in a row, as
    a mean over the last ``window`` pairs; it stops at ``threshold`` in [0, 1] or below.
    """

    threshold: float = 0.01
    window: int = 2

    def __post_init__(self) -> None:
        _check(threshold=self.threshold, window=self.window)

    def judge(self, history: Sequence[Opinion]) -> Verdict:
        values = [change(a.predicted, b.predicted) for a, b in _pairs(history, self.window)]
        return _verdict(
            values, threshold=self.threshold, window=self.window, below=True, name="changed share"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KappaAverage:
    """Stop when predictions have become stable (Bloodgood and Vijay-Shanker 2009).

    The value is Cohen's kappa between two models in a row, as a mean over the last
    ``window`` pairs; it stops at ``threshold`` in [0, 1] or above. Unlike the share of
    changes it is not small merely because one class is frequent.
    """

    threshold: float = 0.99
    window: int = 3

    def __post_init__(self) -> None:
        _check(threshold=self.threshold, window=self.window)

    def judge(self, history: Sequence[Opinion]) -> Verdict:
        values = [kappa(a.predicted, b.predicted) for a, b in _pairs(history, self.window)]
        return _verdict(
            values, threshold=self.threshold, window=self.window, below=False, name="kappa"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallUncertainty:
    """Stop when the model is sure of the pool (Zhu, Wang and Hovy 2008).

    The value is the mean entropy of the rows as a share of the largest possible, as a mean
    over the last ``window`` models; it stops at ``threshold`` in [0, 1] or below. It
    depends on the learner's calibration: a learner that is never sure never stops.
    """

    threshold: float = 0.1
    window: int = 1

    def __post_init__(self) -> None:
        _check(threshold=self.threshold, window=self.window)

    def judge(self, history: Sequence[Opinion]) -> Verdict:
        values = [opinion.uncertainty for opinion in history[-self.window :]]
        return _verdict(
            values, threshold=self.threshold, window=self.window, below=True, name="uncertainty"
        )


def change(before: NDArray[np.generic], after: NDArray[np.generic]) -> float:
    """Share of rows whose prediction differs, in [0, 1]; of several labels, any."""
    if not len(before):
        return 0.0
    same = np.equal(before, after).reshape(len(before), -1)
    return float(1 - same.all(axis=1).mean())


def kappa(before: NDArray[np.generic], after: NDArray[np.generic]) -> float:
    """Cohen's kappa (1960) of two models' predictions, in [-1, 1]; 1 where both say the same
    one thing of all rows. Of several labels, over the decisions per row and label."""
    one, other = before.ravel(), after.ravel()
    if not one.size:
        return 1.0
    said, codes = np.unique(np.concatenate([one, other]), return_inverse=True)
    shares = [
        np.bincount(part, minlength=said.size) / one.size for part in np.split(codes.ravel(), 2)
    ]
    agreed = float((one == other).mean())
    by_chance = float(shares[0] @ shares[1])
    return 1.0 if by_chance >= 1 else (agreed - by_chance) / (1 - by_chance)


def mean_uncertainty(probabilities: NDArray[np.float32], *, multi_label: bool = False) -> float:
    """Mean entropy of float32 (n, C) rows as a share of the largest possible; 0 without rows.

    That is log C, or log 2 for the independent columns of ``multi_label``.
    """
    rows, classes = probabilities.shape
    most = log(2 if multi_label else max(1, classes))
    if not rows or not most:
        return 0.0
    mean = entropy(probabilities, multi_label=multi_label).mean(dtype=np.float64)
    return float(min(1.0, mean / most))


def stop_set(positions: NDArray[np.int64], *, most: int = STOP_SET_ROWS) -> NDArray[np.int64]:
    """At most ``most`` of the positions, ascending: those of the smallest hash.

    The hash is a fixed one of the position (the finaliser of SplitMix64), so a pool that
    lost a few rows keeps the rest of its stop set.
    """
    bits = positions.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.sort(positions[np.argsort(bits ^ (bits >> np.uint64(31)), kind="stable")[:most]])


def stopping_criteria() -> Registry[StoppingCriterion]:
    """The built-in criteria; the caller adds plug-ins with ``load_plugins``."""
    registry: Registry[StoppingCriterion] = Registry("stopping", pure=True)
    registry.register(
        "classification_change", ClassificationChange, summary="few predictions still change"
    )
    registry.register("kappa_average", KappaAverage, summary="models in a row agree beyond chance")
    registry.register(
        "overall_uncertainty", OverallUncertainty, summary="the model is sure of the pool"
    )
    return registry


def _pairs(history: Sequence[Opinion], window: int) -> list[tuple[Opinion, Opinion]]:
    """The last ``window`` pairs of models in a row."""
    recent = history[-(window + 1) :]
    return list(pairwise(recent))


def _verdict(
    values: list[float], *, threshold: float, window: int, below: bool, name: str
) -> Verdict:
    """Of the mean of the values; short of a full window nothing stops, however good it is."""
    mean = float(np.mean(values)) if values else None
    missing = window - len(values)
    if mean is None or missing > 0:
        return Verdict(stop=False, value=mean, why=f"rounds still needed to judge: {missing}")
    stop = mean <= threshold if below else mean >= threshold
    goal = f"at {'most' if below else 'least'} {threshold:g}"
    return Verdict(stop=stop, value=mean, why=f"mean {name} is {'' if stop else 'not '}{goal}")


def _check(*, threshold: object, window: object) -> None:
    check_option("threshold", threshold, of=(int, float), least=0, most=1)
    check_option("window", window, of=int, least=1, most=MOST_WINDOW)
