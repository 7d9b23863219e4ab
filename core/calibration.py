"""Whether a model that says 80 % is right in 80 of 100 cases: the bins of a reliability plot."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.metrics import CALIBRATION_BINS


def reliability(
    probabilities: NDArray[np.float32], truth: NDArray[Any]
) -> list[dict[str, float | int]]:
    """Per bin that holds any: its bounds, its ``rows``, their mean confidence and accuracy.

    ``truth`` is (n,) column numbers, and the top class is judged; or bool (n, C)
    memberships, and every yes or no is. The bins are those of the calibration error.
    """
    if truth.ndim == 1:
        scores = probabilities.max(axis=1).astype(np.float64)
        right = np.argmax(probabilities, axis=1) == truth
    else:
        scores, right = probabilities.astype(np.float64).ravel(), truth.ravel()
    bins = np.clip((scores * CALIBRATION_BINS).astype(int), 0, CALIBRATION_BINS - 1)
    return [
        {
            "low": number / CALIBRATION_BINS,
            "high": (number + 1) / CALIBRATION_BINS,
            "rows": int((bins == number).sum()),
            "confidence": float(scores[bins == number].mean()),
            "accuracy": float(right[bins == number].mean()),
        }
        for number in np.unique(bins).tolist()
    ]
