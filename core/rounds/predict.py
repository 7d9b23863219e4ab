"""Predict: the active model's opinion on texts that are not stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.errors import Conflict, Unavailable
from core.ports import Classifier, Encoder, Store
from core.records import Model, Session
from core.requests import Prediction, PredictResult
from core.uncertainty import entropy


def predict(
    session: Session,
    texts: Sequence[str],
    *,
    model_id: str | None,
    encoder: Encoder,
    load: Callable[[Model], Classifier],
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
    if model.encoder_id != encoder.id:
        raise Unavailable(
            "the model was trained on another encoder than this server has; retrain",
            code="model-unavailable",
        )
    classifier = _loaded(model, load)
    probabilities = classifier.predict(encoder.encode(texts))
    uncertainty = entropy(probabilities)
    unseen = tuple(c for c in session.task.class_ids if c not in model.classes)
    cut = encoder.truncated(texts)
    results = []
    for row, doubt, short in zip(probabilities, uncertainty, cut, strict=True):
        scores = {c: float(p) for c, p in zip(model.classes, row, strict=True)}
        results.append(
            Prediction(
                label=model.classes[int(np.argmax(row))],
                scores={**dict.fromkeys(unseen, 0.0), **scores},
                entropy=float(doubt),
                truncated=bool(short),
            )
        )
    return PredictResult(
        model_id=model.id, version=model.version, unseen_classes=unseen, results=tuple(results)
    )


def _loaded(model: Model, load: Callable[[Model], Classifier]) -> Classifier:
    try:
        return load(model)
    except Unavailable:
        raise Unavailable(
            "the model's file is missing or damaged; activate another model, or retrain",
            code="model-unavailable",
            extras={"model_id": model.id},
        ) from None
