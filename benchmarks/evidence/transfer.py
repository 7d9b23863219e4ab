"""Whether data acquired with one learner trains others, on other features of the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.fine_tuning import TRANSFORMER, fine_tuned_columns, fine_tuner
from benchmarks.evidence.loop import Finished
from benchmarks.evidence.stage import Stage
from core.errors import InvalidInput
from core.metrics import evaluate
from core.ports import TextLearner

HEADS = ("lsa", "tfidf", "svm", "bayes")
"""Logistic regression on latent semantic vectors of the pool (a second encoder), and
logistic regression, a linear SVM and naive Bayes on TF-IDF of words and word pairs. Beside them
there is the fine-tuned transformer, which takes minutes where these take moments."""
LSA_DIMENSIONS = 128


def check_heads(names: Sequence[str], *, encoder: Path | None = None) -> None:
    """Raises InvalidInput ``unknown-head``; for the transformer NotInstalled where its libraries,
    or the weights in the folder ``encoder``, are missing."""
    known = (*HEADS, TRANSFORMER)
    for name in names:
        if name not in known:
            detail = f"/transfer: there is no head {name}; known: {', '.join(known)}"
            raise InvalidInput.at("/transfer", detail, code="unknown-head")
    if TRANSFORMER in names:
        fine_tuner(encoder)


def transfer_scores(
    finished: Finished,
    *,
    stage: Stage,
    heads: Sequence[str],
    written_weight: NDArray[np.float64],
    tuner: TextLearner | None = None,
) -> dict[str, float]:
    """Macro-F1 of each head on this seed's test draw, trained on what was acquired.

    ``written_weight`` (m,) are the weights of ``finished.written``; ``tuner`` is what the
    transformer head is fine-tuned by.
    """
    vectorised = [name for name in heads if name != TRANSFORMER]
    scores = _vectorised(finished, stage=stage, heads=vectorised, written_weight=written_weight)
    if TRANSFORMER in heads:
        predicted = fine_tuned_columns(finished, stage=stage, weights=written_weight, learner=tuner)
        scores[TRANSFORMER] = _macro_f1(predicted, stage=stage)
    return scores


def _vectorised(
    finished: Finished, *, stage: Stage, heads: Sequence[str], written_weight: NDArray[np.float64]
) -> dict[str, float]:
    """The heads on TF-IDF and what is made of it."""
    if not heads:
        return {}
    texts = [stage.text(int(n)) for n in stage.pool.numbers[finished.labelled]]
    texts += [row.text for row in finished.written]
    targets = stage.pool.targets[finished.labelled].tolist()
    targets += [row.target for row in finished.written]
    weights = np.concatenate([np.ones(len(finished.labelled)), written_weight])
    tfidf = _vectoriser(stage)
    train, test = tfidf.transform(texts), tfidf.transform(_test_texts(stage))
    scores = {}
    for name in heads:
        inputs = _reduced(train, test, stage=stage, tfidf=tfidf) if name == "lsa" else (train, test)
        predicted = MODELS[name]().fit(inputs[0], targets, sample_weight=weights).predict(inputs[1])
        scores[name] = _macro_f1(predicted, stage=stage)
    return scores


def _test_texts(stage: Stage) -> list[str]:
    return [stage.text(int(number)) for number in stage.test.numbers]


def _vectoriser(stage: Stage) -> Any:
    """TF-IDF fitted on the pool's texts, once per stage."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    if "tfidf" not in stage.memory:
        model = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        stage.memory["tfidf"] = model.fit([stage.text(int(n)) for n in stage.pool.numbers])
    return stage.memory["tfidf"]


def _reduced(train: Any, test: Any, *, stage: Stage, tfidf: Any) -> tuple[Any, Any]:
    """Both projected on the pool's leading singular vectors, as unit rows."""
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415
    from sklearn.preprocessing import normalize  # noqa: PLC0415

    if "lsa" not in stage.memory:
        pool = tfidf.transform([stage.text(int(n)) for n in stage.pool.numbers])
        most = min(LSA_DIMENSIONS, min(pool.shape) - 1)
        model = TruncatedSVD(most, random_state=stage.seed)
        stage.memory["lsa"] = model.fit(pool)
    model = stage.memory["lsa"]
    return normalize(model.transform(train)), normalize(model.transform(test))


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    return LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)


def _svm() -> Any:
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    return LinearSVC(class_weight="balanced", random_state=0)


def _bayes() -> Any:
    from sklearn.naive_bayes import ComplementNB  # noqa: PLC0415

    return ComplementNB()


MODELS: dict[str, Callable[[], Any]] = {
    "lsa": _logistic,
    "tfidf": _logistic,
    "svm": _svm,
    "bayes": _bayes,
}


def _macro_f1(predicted: NDArray[np.int64], *, stage: Stage) -> float:
    chosen = np.eye(len(stage.classes), dtype=np.float32)[predicted][stage.sample]
    targets = stage.test.targets[stage.sample].astype(np.int32)
    return float(evaluate(chosen, targets, classes=stage.classes)["macro_f1"])
