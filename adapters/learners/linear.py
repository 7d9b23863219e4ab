"""The linear learner: logistic regression on frozen sentence vectors, multinomial or, in a
multi-label task, one against the rest for each class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adapters.learners.onnx_head import linear_head
from core.errors import JobFailed
from core.ports import Floats, Ints, Targets
from core.records import Options
from core.registry import check_option

_GRID = (0.1, 1.0, 10.0, 100.0)
_FOLDS = 3
_LIBRARIES = ("scikit-learn", "numpy", "onnx")
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedLinear:
    """A fitted model, its ONNX bytes and how it was made."""

    model: LogisticRegression
    onnx: bytes
    parameters: Options

    def predict(self, vectors: Floats) -> Floats:
        """(n, C) float32 by scikit-learn, in float64 arithmetic."""
        rows = np.asarray(vectors, dtype=np.float64)
        return np.asarray(self.model.predict_proba(rows), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedOneVsRest:
    """One fitted model per class, their ONNX bytes and how they were made."""

    models: tuple[LogisticRegression, ...]
    onnx: bytes
    parameters: Options

    def predict(self, vectors: Floats) -> Floats:
        """(n, C) float32 by scikit-learn, in float64 arithmetic; columns are independent."""
        rows = np.asarray(vectors, dtype=np.float64)
        columns = [model.predict_proba(rows)[:, 1] for model in self.models]
        return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearLearner:
    """``c`` is the inverse strength of the L2 penalty.

    ``class_weight`` balanced makes every class weigh the same in sum: a row counts
    ``weight x total / (classes x weight of its class)``, where the sums run over the
    weights, so that generated rows do not pass for human ones. In a multi-label task the
    two classes of each column are having the label and not having it. ``choose_c`` tries a grid
    on held-out rows of full weight instead of taking ``c``.
    """

    c: float = 1.0
    class_weight: str = "balanced"
    choose_c: bool = False
    max_iter: int = 1000

    def __post_init__(self) -> None:
        check_option("c", self.c, of=(int, float), least=1e-6, most=1e6)
        check_option("class_weight", self.class_weight, of=str, among=("balanced", "none"))
        check_option("choose_c", self.choose_c, of=bool)
        check_option("max_iter", self.max_iter, of=int, least=1, most=100_000)

    def fit(
        self, vectors: Floats, targets: Targets, *, classes: int, weights: Floats, seed: int
    ) -> FittedLinear | FittedOneVsRest:
        """A head over ``classes`` columns from (n, D) vectors and (n,) weights.

        bool (n, C) targets give independent columns, each balanced and (``choose_c``)
        penalised by itself. Raises JobFailed ``class-without-labels`` when a column, or a
        second one, has no rows. ``seed`` only shuffles the folds of ``choose_c``.
        """
        rows, sample = np.asarray(vectors, np.float64), np.asarray(weights, np.float64)
        if targets.ndim == 2:  # noqa: PLR2004 -- a column per class
            return self._fit_several(rows, targets, sample, seed=seed)
        columns = targets.astype(np.int32)
        if classes < 2 or len(np.unique(targets)) != classes:  # noqa: PLR2004
            raise JobFailed(
                "training needs at least two classes, and labels in each of them",
                code="class-without-labels",
            )
        c = self._best_c(rows, columns, sample, seed=seed) if self.choose_c else float(self.c)
        model, converged = self._regress(rows, columns, sample, c=c)
        matrix, bias = _columns(model)
        return FittedLinear(
            model=model,
            onnx=linear_head(matrix, bias),
            parameters=self._parameters(c, iterations=model.n_iter_.max(), converged=converged),
        )

    def _fit_several(
        self, rows: Doubles, targets: Targets, sample: Doubles, *, seed: int
    ) -> FittedOneVsRest:
        """A model per column of bool (n, C) targets."""
        if targets.shape[1] == 0 or not (targets.any(axis=0) & ~targets.all(axis=0)).all():
            raise JobFailed(
                "training needs for each class labels that name it and labels that do not",
                code="class-without-labels",
            )
        columns = [column.astype(np.int32) for column in targets.T]
        cs = [
            self._best_c(rows, column, sample, seed=seed) if self.choose_c else float(self.c)
            for column in columns
        ]
        fits = [
            self._regress(rows, column, sample, c=c) for column, c in zip(columns, cs, strict=True)
        ]
        models = tuple(model for model, _ in fits)
        matrix = np.hstack([model.coef_.T for model in models]).astype(np.float32)
        bias = np.concatenate([model.intercept_ for model in models]).astype(np.float32)
        return FittedOneVsRest(
            models=models,
            onnx=linear_head(matrix, bias, multi_label=True),
            parameters=self._parameters(
                cs if self.choose_c else float(self.c),
                iterations=max(model.n_iter_.max() for model in models),
                converged=all(converged for _, converged in fits),
            ),
        )

    def _parameters(
        self, c: float | list[float], *, iterations: int, converged: bool
    ) -> dict[str, Any]:
        return {
            "c": c,
            "class_weight": self.class_weight,
            "choose_c": self.choose_c,
            "iterations": int(iterations),
            "converged": converged,
            "versions": dict(_versions()),
        }

    def _regress(
        self, rows: Doubles, targets: Ints, sample: Doubles, *, c: float
    ) -> tuple[LogisticRegression, bool]:
        """The model and whether it converged.

        In float64, since in float32 lbfgs stops early for large c; on one thread, since the
        many small products wait for one another when the cores are busy (3 to 8 times slower).
        """
        model = LogisticRegression(
            C=c,
            class_weight="balanced" if self.class_weight == "balanced" else None,
            max_iter=self.max_iter,
        )
        with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model.fit(rows, targets, sample_weight=sample)
        others = [w for w in caught if not issubclass(w.category, ConvergenceWarning)]
        for other in others:
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
        return model, len(others) == len(caught)

    def _best_c(self, rows: Doubles, targets: Ints, sample: Doubles, *, seed: int) -> float:
        """The grid's lowest class-averaged log loss on held-out rows of full weight.

        Rows of less weight were generated from others and would tell the answer, so they
        stay out. ``c`` stands where some class has fewer than two rows.
        """
        full = sample == sample.max()
        rows, targets, sample = rows[full], targets[full], sample[full]
        counts = np.unique(targets, return_counts=True)[1]
        if len(counts) < 2 or counts.min() < 2:  # noqa: PLR2004
            return float(self.c)
        folds = StratifiedKFold(min(_FOLDS, int(counts.min())), shuffle=True, random_state=seed)
        splits = list(folds.split(rows, targets))

        def loss(c: float) -> float:
            return sum(
                _log_loss(
                    self._regress(rows[train], targets[train], sample[train], c=c)[0],
                    rows[held],
                    targets[held],
                )
                for train, held in splits
            )

        return min(_GRID, key=loss)


@cache
def _versions() -> Options:
    """Looked up once: reading the metadata takes as long as a small fit."""
    return {name: version(name) for name in _LIBRARIES}


def _log_loss(model: LogisticRegression, rows: Doubles, targets: Ints) -> float:
    """Mean over classes of the mean -log p of the true class."""
    chosen = model.predict_log_proba(rows)[
        np.arange(len(rows)), np.searchsorted(model.classes_, targets)
    ]
    return float(np.mean([-chosen[targets == label].mean() for label in np.unique(targets)]))


def _columns(model: LogisticRegression) -> tuple[Floats, Floats]:
    """(D, C) matrix and (C,) bias; two classes get a zero first column, as softmax wants."""
    matrix, bias = model.coef_.T, model.intercept_
    if matrix.shape[1] == 1:
        matrix, bias = np.hstack([np.zeros_like(matrix), matrix]), np.append(0.0, bias)
    return matrix.astype(np.float32), bias.astype(np.float32)
