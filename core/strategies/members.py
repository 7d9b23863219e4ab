"""Logistic regressions that a strategy fits for itself, such as the members of a committee."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

ITERATIONS = 200
"""Steps of a fit; a member that has not converged still has an opinion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """``matrix`` float32 (D, M * C) and ``bias`` float32 (M, C); -inf rules a class out."""

    matrix: Floats
    bias: Floats
    multi_label: bool

    @property
    def width(self) -> int:
        """Numbers made of each row."""
        return self.bias.size

    def probabilities(self, vectors: Floats) -> Floats:
        """(m, M, C) opinions about (m, D) rows."""
        members, classes = self.bias.shape
        logits: Floats = (vectors @ self.matrix).reshape(-1, members, classes)
        logits += self.bias
        if self.multi_label:
            half = np.float32(0.5)
            opinions: Floats = np.tanh(logits * half) * half + half
            return opinions
        powers: Floats = np.exp(logits - logits.max(axis=2, keepdims=True))
        powers /= powers.sum(axis=2, keepdims=True)
        return powers


def fit_one(vectors: Floats, classes: Bools, *, strength: float, multi_label: bool) -> Members:
    """A single model on all labelled rows, ``strength`` being the inverse of its L2 penalty."""
    vectors, classes = _named(vectors, classes, multi_label=multi_label)
    fit = _fit_labels if multi_label else _fit_classes
    weights = np.ones(len(classes), dtype=np.int64)
    matrix, bias = fit(vectors.astype(np.float64), classes, weights=weights, strength=strength)
    return Members(
        matrix=matrix.astype(np.float32),
        bias=bias[None].astype(np.float32),
        multi_label=multi_label,
    )


def _named(vectors: Floats, classes: Bools, *, multi_label: bool) -> tuple[Floats, Bools]:
    """Without rows that name no class, unless these are examples of none."""
    named = np.ones(len(classes), dtype=np.bool_) if multi_label else classes.any(axis=1)
    return vectors[named], classes[named]


def fit_members(
    vectors: Floats, classes: Bools, *, members: int, multi_label: bool, rng: np.random.Generator
) -> Members:
    """Fit on (L, D) vectors and their (L, C) classes; two classes or more must have labels.

    Rows that name no class are left out, unless with ``multi_label``, where they are
    examples of none.
    """
    vectors, classes = _named(vectors, classes, multi_label=multi_label)
    rows = vectors.astype(np.float64)
    fit = _fit_labels if multi_label else _fit_classes
    fitted = [
        fit(rows, classes, weights=bootstrap(classes, multi_label=multi_label, rng=rng))
        for _ in range(members)
    ]
    matrix = np.concatenate([matrix for matrix, _ in fitted], axis=1)
    bias = np.stack([bias for _, bias in fitted])
    return Members(
        matrix=matrix.astype(np.float32), bias=bias.astype(np.float32), multi_label=multi_label
    )


def bootstrap(classes: Bools, *, multi_label: bool, rng: np.random.Generator) -> Ints:
    """How often each of L rows is drawn, int64 (L,): L draws, and one row of every class
    that these missed; with ``multi_label`` also one without the label."""
    size = len(classes)
    weights = np.bincount(rng.integers(size, size=size), minlength=size)
    sides = [*classes.T, *(~classes).T] if multi_label else [*classes.T]
    for side in sides:
        if side.any() and not weights[side].any():
            weights[rng.choice(np.flatnonzero(side))] = 1
    return weights


def _fit_classes(
    rows: NDArray[np.float64], classes: Bools, *, weights: Ints, strength: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(D, C) matrix and (C,) bias of one softmax; a class without labels is ruled out."""
    matrix = np.zeros((rows.shape[1], classes.shape[1]))
    bias = np.full(classes.shape[1], -np.inf)
    model = _regress(rows, classes.argmax(axis=1), weights=weights, strength=strength)
    seen = model.classes_
    bias[seen] = 0
    seen = seen[1:] if len(seen) == 2 else seen  # noqa: PLR2004
    matrix[:, seen], bias[seen] = model.coef_.T, model.intercept_
    return matrix, bias


def _fit_labels(
    rows: NDArray[np.float64], classes: Bools, *, weights: Ints, strength: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same of one yes-or-no model per label; one that all rows or none have is settled."""
    matrix = np.zeros((rows.shape[1], classes.shape[1]))
    bias = np.where(classes.all(axis=0), np.inf, -np.inf)
    for column in np.flatnonzero(classes.any(axis=0) & ~classes.all(axis=0)):
        model = _regress(rows, classes[:, column], weights=weights, strength=strength)
        matrix[:, column], bias[column] = model.coef_[0], model.intercept_[0]
    return matrix, bias


def _regress(
    rows: NDArray[np.float64], targets: NDArray[Any], *, weights: Ints, strength: float
) -> Any:
    """A fitted LogisticRegression with the default learner's settings but for its penalty; on
    one thread, which many small products want."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415

    drawn = weights > 0
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=ITERATIONS)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows[drawn], targets[drawn], sample_weight=weights[drawn])
