"""Exports: labels and training data to take away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify

from api.answers import downloaded, may_read_content, own, require_content, streamed
from api.blueprint import Answer, Blueprint
from api.context import caller, current_session, request_key, services, tenant_id
from api.prefer import accepted
from api.schemas.feeds import ExportRequestSchema
from api.schemas.operations import OperationSchema
from core.records import Operation
from core.requests import ExportRequest
from core.rounds.export import TYPES

blueprint = Blueprint(
    "exports",
    prefix="/v1/sessions/<id:session_id>/exports",
    description="Files of labels or training data, written by an operation.",
)


@blueprint.post(
    "",
    scope="export",
    body=ExportRequestSchema,
    idempotency="required",
    prefer=True,
    answer=OperationSchema,
    status=202,
    also=(Answer(status=200, schema=OperationSchema),),
    refuses=(409, 410),
)
def start_export(asked: Mapping[str, Any]) -> Response:
    """Write a file; texts are in it only for keys that may read them."""
    if asked["include_text"]:
        require_content("an export with texts")
    readable = may_read_content(caller())
    include = readable if asked["include_text"] is None else asked["include_text"]
    wish = ExportRequest(**{**asked, "include_text": include})
    return accepted(services().start_export(current_session(), wish, request_key=request_key()))


@blueprint.get("/<id:export_id>", scope="export", answer=OperationSchema, refuses=(410,))
def get_export(export_id: str) -> Response:
    """Read an export's operation."""
    return jsonify(OperationSchema().dump(_export(export_id)))


@blueprint.get(
    "/<id:export_id>/content",
    scope="export",
    produces=tuple(media_type for media_type, _ in TYPES.values()),
    also=(Answer(status=206, description="The part that Range asked for."),),
    if_none_match=True,
    refuses=(409, 410, 416),
)
def get_export_content(export_id: str) -> Response:
    """Download the file of a finished export."""
    operation = _export(export_id)
    if operation.input.get("include_text"):
        require_content("an export with texts")
    chunks = services().export_content(current_session(), export_id)
    result = operation.result or {}
    response = streamed(chunks, media_type=result["media_type"])
    return downloaded(
        response, size=result["size"], sha256=result["sha256"], filename=result["filename"]
    )


def _export(export_id: str) -> Operation:
    with services().store.read() as tx:
        operation = tx.operations.get(tenant_id(), export_id)
    return own(operation, current_session(), kind="export")
