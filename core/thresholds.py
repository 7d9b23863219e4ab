"""Where a multi-label model draws the line: one probability per class, chosen for its F1.

Every human row is judged by a head that saw neither it nor variations of it; of those
probabilities each class takes the threshold with the highest F1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.records import Labels
from core.training import TrainingSet

FOLDS = 3
LEAST_POSITIVES = 10
"""With fewer human rows of a class its threshold would follow chance, and is UNDECIDED."""
UNDECIDED = 0.5

FitPredict = Callable[[TrainingSet, TrainingSet], NDArray[np.float32]]
"""(rows to train on, rows to judge) -> probabilities (n, C) of the latter."""


def choose_thresholds(data: TrainingSet, *, fit_predict: FitPredict) -> dict[str, float]:
    """Class id -> threshold, from cross-validation inside a multi-label training set.

    0.5 for a class with fewer than ten human rows, one that no fold could train, and one
    where no threshold has a better F1 than naming the class every time.
    """
    held = data.rows(data.measuring)
    probabilities = out_of_fold(data, fit_predict=fit_predict)
    return drawn(held, probabilities)


def drawn(judged: TrainingSet, probabilities: NDArray[np.float32]) -> dict[str, float]:
    """Class id -> threshold, from (n, C) probabilities of rows the model did not see."""
    columns = zip(judged.classes, probabilities.T, judged.members().T, strict=True)
    return {class_id: _threshold(scores, has) for class_id, scores, has in columns}


def named(
    probabilities: NDArray[np.float32], *, classes: Labels, thresholds: Mapping[str, float]
) -> NDArray[np.bool_]:
    """Bool (n, C): the classes whose probability reaches their threshold."""
    lines = np.array([thresholds.get(c, UNDECIDED) for c in classes], dtype=np.float64)
    reached: NDArray[np.bool_] = probabilities >= lines
    return reached


def out_of_fold(data: TrainingSet, *, fit_predict: FitPredict) -> NDArray[np.float32]:
    """(h, C) probabilities of the h human rows, each by a head that did not see it; not a
    number where a fold's training rows could not tell a class apart."""
    held = data.rows(data.measuring)
    folds = assign_folds(held.members(), count=FOLDS)
    fold_of = dict(zip(held.groups.tolist(), folds.tolist(), strict=True))
    everywhere = np.array([fold_of.get(group, -1) for group in data.groups.tolist()])
    answer = np.full((len(folds), len(data.classes)), np.nan, dtype=np.float32)
    for fold in range(FOLDS):
        train, judged = data.rows(everywhere != fold), held.rows(folds == fold)
        known = train.told_apart()
        if known.any() and len(judged.weights):
            scores = fit_predict(train.columns(known), judged.columns(known))
            answer[np.ix_(folds == fold, known)] = scores
    return answer


def assign_folds(members: NDArray[np.bool_], *, count: int) -> NDArray[np.int64]:
    """(n,) fold numbers that spread every class of bool (n, C) evenly, rarest first.

    The next row goes where its rarest class has fewest rows so far, then where there are
    fewest rows at all (Sechidis et al. 2011, simplified: one class decides).
    """
    sizes = members.sum(axis=0)
    rarest = [min(np.flatnonzero(row), key=lambda c: sizes[c], default=-1) for row in members]
    order = sorted(range(len(members)), key=lambda n: (rarest[n] < 0, sizes[rarest[n]], n))
    filled = np.zeros((count, members.shape[1]), dtype=np.int64)
    rows = np.zeros(count, dtype=np.int64)
    folds = np.empty(len(members), dtype=np.int64)
    for n in order:
        load = filled[:, rarest[n]] if rarest[n] >= 0 else rows
        folds[n] = fold = int(np.lexsort((rows, load))[0])
        filled[fold] += members[n]
        rows[fold] += 1
    return folds


def _threshold(scores: NDArray[np.float32], has: NDArray[np.bool_]) -> float:
    judged = ~np.isnan(scores)
    if int((has & judged).sum()) < LEAST_POSITIVES:
        return UNDECIDED
    return best_threshold(scores[judged], has[judged])


def best_threshold(scores: NDArray[np.float32], has: NDArray[np.bool_]) -> float:
    """The threshold with the highest F1 for (n,) probabilities, half-way between two of
    them; of equals the one nearest 0.5. ``has`` has at least one true entry.

    For a head that knows nothing the highest F1 is that of naming every row (Lipton et
    al. 2014); such a line is no decision, and 0.5 stands.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, truth = scores[order].astype(np.float64), has[order]
    f1 = 2 * np.cumsum(truth) / (np.arange(1, len(truth) + 1) + truth.sum())
    below = np.append(ranked[1:], 0.0)
    cuts = (ranked + below) / 2
    every = f1[-1]
    f1[ranked == below] = -1.0  # equal scores fall on the same side
    if f1[:-1].max(initial=-1.0) <= every:
        return UNDECIDED
    best = np.flatnonzero(f1 == f1.max())
    return float(cuts[best[np.argmin(np.abs(cuts[best] - UNDECIDED))]])
