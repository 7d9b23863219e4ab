"""Imports: a file streams in, an operation reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from api.answers import streamed
from api.blueprint import Answer, Blueprint
from api.context import current_session, request_key, services
from api.prefer import accepted
from api.schemas.imports import ImportQuery
from api.schemas.operations import OperationSchema
from api.uploads import MEDIA_TYPES, body_chunks, file_format, is_gzipped
from core.requests import ImportRequest

blueprint = Blueprint(
    "imports",
    prefix="/v1/sessions/<id:session_id>/imports",
    description="Files of any size, as CSV, JSON Lines or Parquet, gzip-compressed or not.",
)


@blueprint.post(
    "",
    scope="items:write",
    query=ImportQuery,
    consumes=MEDIA_TYPES,
    idempotency="required",
    prefer=True,
    answer=OperationSchema,
    status=202,
    also=(Answer(status=200, schema=OperationSchema),),
    refuses=(409, 410),
)
def start_import(query: Mapping[str, Any]) -> Response:
    """Upload a file of rows; the body is the file."""
    gzip = is_gzipped(request) or query["gzip"]
    kind = file_format(request, told=query.get("format"))
    wish = ImportRequest(**{**query, "format": kind, "gzip": gzip})
    chunks = body_chunks(request)
    return accepted(
        services().start_import(current_session(), chunks, wish, request_key=request_key())
    )


@blueprint.get(
    "/<id:operation_id>/errors",
    produces=("application/jsonl",),
    refuses=(409, 410),
)
def get_import_errors(operation_id: str) -> Response:
    """Every refused row of a finished import, as JSON Lines."""
    chunks = services().import_errors(current_session(), operation_id)
    return streamed(chunks, media_type="application/jsonl")
