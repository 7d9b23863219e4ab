"""Fit, export and parity check on 10,000 labels, against the same scikit-learn fit alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adapters.learners.linear import LinearLearner
from adapters.learners.onnx_head import OnnxClassifier, parity
from benchmarks.performance.table import Row, compare

ROWS, DIMENSION = 10_000, 384
SHARES = (0.5, 0.2, 0.15, 0.1, 0.03, 0.02)


def run() -> list[Row]:
    """Both sides fit on one thread, which is the quicker way on busy cores."""
    vectors, targets = labelled(np.random.default_rng(0))
    ours, reference = compare(
        lambda: retrain(vectors, targets), lambda: fit(vectors, targets), repeats=7
    )
    return [
        Row(
            name=f"retrain on {ROWS:,} labels, {len(SHARES)} classes",
            ours_seconds=ours,
            reference_seconds=reference,
            ratio=ours / reference,
            target="at most 1.3",
            note="ours exports to ONNX and checks parity on every row",
        )
    ]


def retrain(vectors: NDArray[np.float32], targets: NDArray[np.int32]) -> float:
    """The learner's way: fit, export, load, parity."""
    weights = np.ones(ROWS, dtype=np.float32)
    fitted = LinearLearner().fit(vectors, targets, classes=len(SHARES), weights=weights, seed=0)
    return parity(fitted, OnnxClassifier(fitted.onnx, sha256=None), vectors)


def fit(vectors: NDArray[np.float32], targets: NDArray[np.int32]) -> None:
    """The reference: scikit-learn alone, with the same settings and precision."""
    with threadpool_limits(1):
        LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000).fit(
            vectors.astype(np.float64), targets, sample_weight=np.ones(ROWS)
        )


def labelled(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Overlapping groups of unit vectors with a long tail."""
    targets = rng.choice(len(SHARES), size=ROWS, p=SHARES).astype(np.int32)
    centres = rng.normal(size=(len(SHARES), DIMENSION))
    rows = 0.3 * centres[targets] + rng.normal(size=(ROWS, DIMENSION))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), targets
