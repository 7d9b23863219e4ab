"""Retrain; list, download, activate and delete models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from api.answers import file_bytes, no_content
from api.blueprint import Answer, Blueprint
from api.context import current_session, request_key, services
from api.etags import expected_revision, tagged
from api.pagination import paged
from api.prefer import accepted
from api.schemas.models import (
    ModelPageSchema,
    ModelQuery,
    ModelSchema,
    RetrainQuery,
    RetrainRequestSchema,
)
from api.schemas.operations import OperationSchema
from core.records import Model, Page
from core.requests import RetrainRequest

blueprint = Blueprint(
    "models",
    prefix="/v1/sessions/<id:session_id>",
    description="Trained heads as ONNX; the active one predicts.",
)
ONNX = "application/vnd.onnx"
ZIP = "application/zip"
FINISHED = (Answer(status=200, schema=OperationSchema),)


@blueprint.post(
    "/retrain",
    scope="train",
    query=RetrainQuery,
    body=RetrainRequestSchema,
    body_required=False,
    idempotency="required",
    prefer=True,
    answer=OperationSchema,
    status=202,
    also=FINISHED,
    refuses=(409, 410),
)
def retrain(query: Mapping[str, Any], wish: RetrainRequest) -> Response:
    """Train a new model on the labels so far."""
    join = query["if_running"] == "join"
    return accepted(
        services().start_retrain(current_session(), wish, request_key=request_key(), join=join)
    )


@blueprint.get(
    "/models", scope="models:read", query=ModelQuery, answer=ModelPageSchema, refuses=(410,)
)
def list_models(query: Mapping[str, Any]) -> Response:
    """List models, newest last."""

    def fetch(page: Page) -> Sequence[Model]:
        with services().store.read() as tx:
            return tx.models.list(current_session().id, page)

    return paged(query, fetch, key=lambda model: model.id, schema=ModelSchema())


@blueprint.get(
    "/models/<id:model_id>",
    scope="models:read",
    answer=ModelSchema,
    if_none_match=True,
    refuses=(410,),
)
def get_model(model_id: str) -> Response:
    """Read a model's card."""
    model = _model(model_id)
    return tagged(ModelSchema().dump(model), revision=model.revision)


@blueprint.get(
    "/models/<id:model_id>/onnx",
    scope="models:read",
    produces=(ONNX,),
    also=(Answer(status=206, description="The part that Range asked for."),),
    if_none_match=True,
    refuses=(410, 416),
)
def get_model_head(model_id: str) -> Response:
    """Download the head: vectors in, probabilities out."""
    data = services().blobs.get(_model(model_id).onnx)
    return file_bytes(data, media_type=ONNX, filename=f"{model_id}.onnx")


@blueprint.get(
    "/models/<id:model_id>/download",
    scope="models:read",
    produces=(ZIP,),
    also=(Answer(status=206, description="The part that Range asked for."),),
    if_none_match=True,
    refuses=(409, 410, 416),
)
def download_model(model_id: str) -> Response:
    """Download the whole detector: token ids in, probabilities out, with its tokenizer."""
    data = services().model_bundle(current_session(), model_id)
    return file_bytes(data, media_type=ZIP, filename=f"{model_id}.zip")


@blueprint.post(
    "/models/<id:model_id>/activate",
    scope="train",
    if_match=True,
    prefer=True,
    answer=OperationSchema,
    status=202,
    also=FINISHED,
    refuses=(409, 410),
)
def activate_model(model_id: str) -> Response:
    """Put a model in charge, also an earlier one."""
    revision = expected_revision(_model(model_id).revision)
    operation = services().start_activate(
        current_session(), model_id, expected_revision=revision, request_key=request_key()
    )
    return accepted(operation)


@blueprint.delete(
    "/models/<id:model_id>", scope="train", if_match=True, status=204, refuses=(409, 410)
)
def delete_model(model_id: str) -> Response:
    """Delete a model that is not active."""
    revision = expected_revision(_model(model_id).revision)
    services().delete_model(current_session(), model_id, expected_revision=revision)
    return no_content()


def _model(model_id: str) -> Model:
    with services().store.read() as tx:
        return tx.models.get(current_session().id, model_id)
