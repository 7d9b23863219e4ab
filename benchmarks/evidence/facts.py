"""What is said once of a finished cell: transfer, and what the written rows are worth alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.diversity import diversity
from benchmarks.evidence.loop import Finished
from benchmarks.evidence.stage import CLUSTERS, Stage
from benchmarks.evidence.transfer import NO_AIDS, Aids, transfer_scores
from core.errors import InvalidInput
from core.metrics import evaluate
from core.ports import Learner

TEXTS, TOKENS = 60, 8
"""Diversity is measured on so many texts, each cut to so many tokens: equal n and length."""


def facts_of(
    finished: Finished,
    *,
    stage: Stage,
    learner: Learner,
    heads: Sequence[str],
    aids: Aids = NO_AIDS,
) -> dict[str, float]:
    """``transfer_<head>`` for each of ``heads``; with written rows also their diversity beside
    the labelled rows' (``written_*``, ``labelled_*``) and ``written_only_macro_f1``."""
    scores = transfer_scores(
        finished, stage=stage, heads=heads, written_weight=finished.weights, aids=aids
    )
    facts = {f"transfer_{name}": score for name, score in scores.items()}
    if not finished.written:
        return facts
    labelled = stage.pool.numbers[finished.labelled]
    facts |= _diversity(
        "labelled",
        [stage.text(int(number)) for number in labelled],
        stage.pool.vectors[finished.labelled],
        stage=stage,
    )
    vectors = np.stack([row.vector for row in finished.written])
    facts |= _diversity("written", [row.text for row in finished.written], vectors, stage=stage)
    return facts | _alone(finished, vectors, stage=stage, learner=learner)


def _diversity(
    name: str, texts: Sequence[str], vectors: NDArray[np.float32], *, stage: Stage
) -> dict[str, float]:
    """Measures of ``texts``; none where too few are long enough."""
    rng = stage.rng(CLUSTERS, 3)
    try:
        found = diversity(texts, vectors, n=TEXTS, tokens=TOKENS, rng=rng)
    except InvalidInput:
        return {}
    return {f"{name}_{measure}": value for measure, value in found.items()}


def _alone(
    finished: Finished, vectors: NDArray[np.float32], *, stage: Stage, learner: Learner
) -> dict[str, float]:
    """Macro-F1 of a head trained on the written rows only: the paper's second experiment."""
    targets = np.array([row.target for row in finished.written])
    columns = np.unique(targets)
    if len(columns) < 2:
        return {}
    head = learner.fit(
        vectors,
        np.searchsorted(columns, targets).astype(np.int32),
        classes=len(columns),
        weights=np.ones(len(targets), dtype=np.float32),
        seed=stage.seed,
    )
    probabilities = np.zeros((len(stage.sample), len(stage.classes)), dtype=np.float32)
    probabilities[:, columns] = head.predict(stage.test.vectors[stage.sample])
    truth = stage.test.targets[stage.sample].astype(np.int32)
    quality = evaluate(probabilities, truth, classes=stage.classes)
    return {"written_only_macro_f1": float(quality["macro_f1"])}
