"""How well a multi-label model does: every class is a yes or no of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.metrics import CALIBRATION_BINS
from core.records import Labels
from core.thresholds import UNDECIDED, named


def evaluate_labels(
    probabilities: NDArray[np.float32],
    members: NDArray[np.bool_],
    *,
    classes: Labels,
    thresholds: Mapping[str, float],
) -> dict[str, Any]:
    """Quality of (n, C) probabilities against bool (n, C) memberships, JSON-shaped.

    macro_f1 and weighted_f1 average over the classes that occur, micro_f1 counts all
    decisions together; an undefined ratio counts as 0. subset_accuracy is the share of
    rows whose whole set is right, hamming_loss the share of wrong decisions; log_loss
    (nats, probabilities cut at 1e-7) and calibration_error are means over decisions.
    {} for no rows.
    """
    if members.shape[0] == 0:
        return {}
    said = named(probabilities, classes=classes, thresholds=thresholds)
    right, support = (said & members).sum(axis=0), members.sum(axis=0)
    precision = _ratio(right, said.sum(axis=0))
    recall = _ratio(right, support)
    f1 = _ratio(2 * right, said.sum(axis=0) + support)
    occurs = support > 0
    table = zip(classes, precision, recall, f1, support, strict=True)
    return {
        "rows": int(members.shape[0]),
        "macro_f1": float(f1[occurs].mean()) if occurs.any() else 0.0,
        "micro_f1": float(_ratio(2 * right.sum(), said.sum() + support.sum())),
        "weighted_f1": float(_ratio((f1 * support).sum(), support.sum())),
        "subset_accuracy": float((said == members).all(axis=1).mean()),
        "hamming_loss": float((said != members).mean()),
        "per_class": {
            c: {
                "precision": float(p),
                "recall": float(r),
                "f1": float(f),
                "support": int(n),
                "threshold": float(thresholds.get(c, UNDECIDED)),
            }
            for c, p, r, f, n in table
        },
        "log_loss": _log_loss(probabilities, members),
        "calibration_error": binary_calibration_error(probabilities, members),
    }


def binary_calibration_error(
    probabilities: NDArray[np.float32], members: NDArray[np.bool_]
) -> float:
    """Expected calibration error of all (n, C) decisions: sum over 15 equal bins of the
    share of decisions x |how often it was so - mean probability|."""
    scores = probabilities.astype(np.float64).ravel()
    bins = np.clip((scores * CALIBRATION_BINS).astype(int), 0, CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=members.ravel() - scores, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / scores.size)


def _log_loss(probabilities: NDArray[np.float32], members: NDArray[np.bool_]) -> float:
    scores = probabilities.astype(np.float64)
    truth = np.where(members, scores, 1 - scores)
    return float(-np.log(np.maximum(truth, 1e-7)).mean())


def _ratio(over: Any, under: Any) -> Any:
    """0 where there is nothing to divide by."""
    return np.divide(over, under, out=np.zeros(np.shape(under)), where=np.asarray(under) > 0)
