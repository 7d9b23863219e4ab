"""Predict, answered in the shapes of two moderation services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify

from api.blueprint import Blueprint
from api.context import caller, current_session, request_id, services
from api.guard import rate_limits
from api.schemas.moderation import (
    AnalyzeRequestSchema,
    AnalyzeSchema,
    ModerationRequestSchema,
    ModerationSchema,
)
from core.errors import InvalidInput
from core.records import Task
from core.requests import Prediction

blueprint = Blueprint(
    "moderation",
    prefix="/v1/sessions/<id:session_id>",
    description="The active model behind the interface of a moderation service.",
)


@blueprint.post(
    "/moderations",
    scope="predict",
    body=ModerationRequestSchema,
    idempotency="none",
    answer=ModerationSchema,
    refuses=(404, 409, 410),
)
def moderate(asked: Mapping[str, Any]) -> Response:
    """Judge texts as OpenAI's moderation endpoint would answer."""
    texts = asked["input"]
    rate_limits().spend("texts", caller(), cost=len(texts))
    named = str(asked.get("model", ""))
    session = current_session()
    judged = services().predict(
        session, texts, model_id=named if named.startswith("mdl_") else None
    )
    results = [_moderated(one, task=session.task) for one in judged.results]
    return jsonify({"id": request_id(), "model": judged.model_id, "results": results})


@blueprint.post(
    "/comments:analyze",
    scope="predict",
    body=AnalyzeRequestSchema,
    idempotency="none",
    answer=AnalyzeSchema,
    refuses=(409, 410),
)
def analyze(asked: Mapping[str, Any]) -> Response:
    """Judge a text as Perspective would answer."""
    session = current_session()
    wanted = tuple(asked["requestedAttributes"]) or session.task.class_ids
    if not set(wanted) <= set(session.task.class_ids):
        raise InvalidInput.at(
            "/requestedAttributes",
            f"not a class of this session; allowed: {', '.join(session.task.class_ids)}",
            code="label-not-in-schema",
            allowed=list(session.task.class_ids),
        )
    rate_limits().spend("texts", caller(), cost=1)
    [judged] = services().predict(session, [asked["comment"]["text"]], model_id=None).results
    document = {
        "attributeScores": {name: _score(judged.scores[name]) for name in wanted},
        "languages": [],
    }
    if "clientToken" in asked:
        document["clientToken"] = asked["clientToken"]
    return jsonify(document)


def _moderated(judged: Prediction, *, task: Task) -> dict[str, Any]:
    return {
        "flagged": task.flags(judged.labels),
        "categories": {name: name in judged.labels for name in judged.scores},
        "category_scores": judged.scores,
    }


def _score(value: float) -> dict[str, Any]:
    return {"summaryScore": {"value": value, "type": "PROBABILITY"}}
