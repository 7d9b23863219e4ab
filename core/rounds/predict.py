"""Predict: the active model's opinion on texts that are not stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import Conflict, Unavailable
from core.judging import AnyClassifier
from core.ports import Encoder, Store, TextClassifier
from core.records import Labels, Model, Session
from core.requests import Prediction, PredictResult
from core.thresholds import named
from core.uncertainty import entropy


def predict(
    session: Session,
    texts: Sequence[str],
    *,
    model_id: str | None,
    encoder: Encoder,
    load: Callable[[Model], AnyClassifier],
    store: Store,
) -> PredictResult:
    """Scores over the whole schema, with the entropy of each in nats.

    Raises Conflict ``no-model``, NotFound ``unknown-model``, Gone ``model-deleted`` or
    Unavailable ``model-unavailable``.
    """
    with store.read() as tx:
        model = tx.models.get(session.id, model_id) if model_id else tx.models.active(session.id)
    if model is None:
        raise Conflict("this session has no model yet; label a batch and retrain", code="no-model")
    classifier = _loaded(model, load)
    if not isinstance(classifier, TextClassifier) and model.encoder_id != encoder.id:
        raise Unavailable(
            "the model was trained on another encoder than this server has; retrain",
            code="model-unavailable",
        )
    probabilities = _judged(classifier, texts, encoder=encoder)
    uncertainty = entropy(probabilities, multi_label=model.thresholds is not None)
    answers = _answers(model, probabilities)
    unseen = tuple(c for c in session.task.class_ids if c not in model.classes)
    cut = (classifier if isinstance(classifier, TextClassifier) else encoder).truncated(texts)
    results = []
    judged = zip(probabilities, answers, uncertainty, cut, strict=True)
    for row, labels, doubt, short in judged:
        scores = {c: float(p) for c, p in zip(model.classes, row, strict=True)}
        results.append(
            Prediction(
                label=labels[0] if model.thresholds is None else None,
                labels=labels,
                scores={**dict.fromkeys(unseen, 0.0), **scores},
                entropy=float(doubt),
                truncated=bool(short),
            )
        )
    return PredictResult(
        model_id=model.id,
        version=model.version,
        unseen_classes=unseen,
        results=tuple(results),
        thresholds=model.thresholds,
    )


def _answers(model: Model, probabilities: NDArray[np.float32]) -> list[Labels]:
    """Per row the most probable class, or the classes that reach their threshold."""
    if model.thresholds is None:
        return [(model.classes[column],) for column in np.argmax(probabilities, axis=1)]
    said = named(probabilities, classes=model.classes, thresholds=model.thresholds)
    return [
        tuple(c for c, reached in zip(model.classes, row, strict=True) if reached) for row in said
    ]


def _judged(
    classifier: AnyClassifier, texts: Sequence[str], *, encoder: Encoder
) -> NDArray[np.float32]:
    if isinstance(classifier, TextClassifier):
        return classifier.predict_texts(texts)
    return classifier.predict(encoder.encode(texts))


def _loaded(model: Model, load: Callable[[Model], AnyClassifier]) -> AnyClassifier:
    try:
        return load(model)
    except Unavailable:
        raise Unavailable(
            "the model's file is missing or damaged; activate another model, or retrain",
            code="model-unavailable",
            extras={"model_id": model.id},
        ) from None
