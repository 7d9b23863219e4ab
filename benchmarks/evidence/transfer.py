"""Whether data acquired with one learner trains others, on other features of the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.encoding import SECOND, SECOND_ENCODER, make_encoder
from benchmarks.evidence.fine_tuning import TRANSFORMER, fine_tuned_columns, fine_tuner
from benchmarks.evidence.loop import Finished
from benchmarks.evidence.stage import Stage
from core.errors import InvalidInput
from core.metrics import evaluate
from core.ports import TextLearner

HEADS = ("paraphrase", "lsa", "tfidf", "svm", "bayes")
"""Logistic regression on a second encoder's vectors and on latent semantic vectors of the pool;
logistic regression, a linear SVM and naive Bayes on TF-IDF of words and word pairs. Beside them
there is the fine-tuned transformer, which takes minutes where these take moments."""
LSA_DIMENSIONS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Aids:
    """What some heads cannot do without: ``encode`` gives unit vectors (n, D) of the second
    encoder, ``tuner`` is what the transformer is fine-tuned by."""

    encode: Callable[[Sequence[str]], NDArray[np.float32]] | None = None
    tuner: TextLearner | None = None


NO_AIDS = Aids()


def check_heads(names: Sequence[str], *, encoder: Path | None = None) -> None:
    """Raises InvalidInput ``unknown-head``; NotInstalled where the second encoder is missing
    beside the folder ``encoder``, or the transformer's libraries or the weights in it."""
    known = (*HEADS, TRANSFORMER)
    for name in names:
        if name not in known:
            detail = f"/transfer: there is no head {name}; known: {', '.join(known)}"
            raise InvalidInput.at("/transfer", detail, code="unknown-head")
    if SECOND_ENCODER in names and encoder is not None:
        make_encoder(SECOND, directory=encoder)
    if TRANSFORMER in names:
        fine_tuner(encoder)


def transfer_scores(
    finished: Finished,
    *,
    stage: Stage,
    heads: Sequence[str],
    written_weight: NDArray[np.float64],
    aids: Aids = NO_AIDS,
) -> dict[str, float]:
    """Macro-F1 of each head on this seed's test draw, trained on what was acquired.

    ``written_weight`` (m,) are the weights of ``finished.written``. Raises InvalidInput
    ``unknown-head`` for a head whose aid is missing.
    """
    vectorised = [name for name in heads if name != TRANSFORMER]
    scores = _vectorised(
        finished, stage=stage, heads=vectorised, written_weight=written_weight, aids=aids
    )
    if TRANSFORMER in heads:
        predicted = fine_tuned_columns(
            finished, stage=stage, weights=written_weight, learner=aids.tuner
        )
        scores[TRANSFORMER] = _macro_f1(predicted, stage=stage)
    return scores


def _vectorised(
    finished: Finished,
    *,
    stage: Stage,
    heads: Sequence[str],
    written_weight: NDArray[np.float64],
    aids: Aids,
) -> dict[str, float]:
    """The heads that read features of the texts, which are made once for all of them."""
    texts = [stage.text(int(n)) for n in stage.pool.numbers[finished.labelled]]
    texts += [row.text for row in finished.written]
    targets = stage.pool.targets[finished.labelled].tolist()
    targets += [row.target for row in finished.written]
    weights = np.concatenate([np.ones(len(finished.labelled)), written_weight])
    features = {
        kind: _features(kind, texts, stage=stage, aids=aids)
        for kind in {MODELS[name][0] for name in heads}
    }
    scores = {}
    for name in heads:
        kind, make = MODELS[name]
        train, test = features[kind]
        predicted = make().fit(train, targets, sample_weight=weights).predict(test)
        scores[name] = _macro_f1(predicted, stage=stage)
    return scores


def _features(kind: str, texts: Sequence[str], *, stage: Stage, aids: Aids) -> tuple[Any, Any]:
    """Of the training texts and of the test rows; these are the same for every arm, and so made
    once per stage."""
    make = _maker(kind, stage=stage, aids=aids)
    key = f"{kind}, test rows"
    if key not in stage.memory:
        stage.memory[key] = make([stage.text(int(number)) for number in stage.test.numbers])
    return make(texts), stage.memory[key]


def _maker(kind: str, *, stage: Stage, aids: Aids) -> Callable[[Sequence[str]], Any]:
    """What turns texts into features."""
    if kind != SECOND_ENCODER:
        return _vectoriser(stage).transform if kind == "tfidf" else _projector(stage)
    if aids.encode is None:
        detail = f"/transfer: {SECOND_ENCODER} needs an encoder"
        raise InvalidInput.at("/transfer", detail, code="unknown-head")
    return aids.encode


def _vectoriser(stage: Stage) -> Any:
    """TF-IDF fitted on the pool's texts, once per stage."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    if "tfidf" not in stage.memory:
        model = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        stage.memory["tfidf"] = model.fit(_pool_texts(stage))
    return stage.memory["tfidf"]


def _projector(stage: Stage) -> Callable[[Sequence[str]], Any]:
    """TF-IDF projected on the pool's leading singular vectors, as unit rows."""
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415
    from sklearn.preprocessing import normalize  # noqa: PLC0415

    tfidf = _vectoriser(stage)
    if "lsa" not in stage.memory:
        pool = tfidf.transform(_pool_texts(stage))
        most = min(LSA_DIMENSIONS, min(pool.shape) - 1)
        stage.memory["lsa"] = TruncatedSVD(most, random_state=stage.seed).fit(pool)
    model = stage.memory["lsa"]
    return lambda texts: normalize(model.transform(tfidf.transform(texts)))


def _pool_texts(stage: Stage) -> list[str]:
    return [stage.text(int(number)) for number in stage.pool.numbers]


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    return LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)


def _svm() -> Any:
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    return LinearSVC(class_weight="balanced", random_state=0)


def _bayes() -> Any:
    from sklearn.naive_bayes import ComplementNB  # noqa: PLC0415

    return ComplementNB()


MODELS: dict[str, tuple[str, Callable[[], Any]]] = {
    "paraphrase": (SECOND_ENCODER, _logistic),
    "lsa": ("lsa", _logistic),
    "tfidf": ("tfidf", _logistic),
    "svm": ("tfidf", _svm),
    "bayes": ("tfidf", _bayes),
}
"""Head -> the features it reads, and what makes it."""


def _macro_f1(predicted: NDArray[np.int64], *, stage: Stage) -> float:
    chosen = np.eye(len(stage.classes), dtype=np.float32)[predicted][stage.sample]
    targets = stage.test.targets[stage.sample].astype(np.int32)
    return float(evaluate(chosen, targets, classes=stage.classes)["macro_f1"])
