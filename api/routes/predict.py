"""Predict: a model's opinion on texts that are not stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify

from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.guard import rate_limits
from api.schemas.models import PredictRequestSchema, PredictResultSchema

blueprint = Blueprint(
    "predict",
    prefix="/v1/sessions/<id:session_id>",
    description="Ask the active model, or another one.",
)


@blueprint.post(
    "/predict",
    scope="predict",
    body=PredictRequestSchema,
    idempotency="none",
    answer=PredictResultSchema,
    refuses=(404, 409, 410),
)
def predict(asked: Mapping[str, Any]) -> Response:
    """Judge texts."""
    inputs = asked["inputs"]
    rate_limits().spend("texts", caller(), cost=len(inputs))
    model_id = None if asked["model"] == "active" else asked["model"]
    result = services().predict(
        current_session(), [one["text"] for one in inputs], model_id=model_id
    )
    document = PredictResultSchema().dump(result)
    for row, one in zip(document["results"], inputs, strict=True):
        row["id"] = one.get("id")
    return jsonify(document)
