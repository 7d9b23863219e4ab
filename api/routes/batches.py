"""Select: the next batch; and the batches there were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from api.answers import created
from api.blueprint import Blueprint
from api.context import current_session, request_key, services
from api.pagination import paged
from api.schemas.batches import (
    BatchPageSchema,
    BatchQuery,
    BatchSchema,
    SelectRequestSchema,
    SelectResultSchema,
)
from core.records import Batch, Page
from core.requests import SelectRequest

blueprint = Blueprint(
    "batches",
    prefix="/v1/sessions/<id:session_id>",
    description="Which items to label next, and why.",
)


@blueprint.post(
    "/select",
    scope="labels:write",
    body=SelectRequestSchema,
    body_required=False,
    idempotency="required",
    answer=SelectResultSchema,
    status=201,
    refuses=(409, 410),
)
def select(wish: SelectRequest) -> Response:
    """Choose the next batch."""
    session = current_session()
    result = services().select(session, wish, request_key=request_key())
    location = f"/v1/sessions/{session.id}/batches/{result.batch.id}"
    return created(SelectResultSchema().dump(result), location=location)


@blueprint.get("/batches", query=BatchQuery, answer=BatchPageSchema, refuses=(410,))
def list_batches(query: Mapping[str, Any]) -> Response:
    """List batches, newest last."""

    def fetch(page: Page) -> Sequence[Batch]:
        with services().store.read() as tx:
            return tx.batches.list(current_session().id, page, state=query.get("state"))

    return paged(query, fetch, key=lambda batch: batch.id, schema=BatchSchema())


@blueprint.get("/batches/<id:batch_id>", answer=BatchSchema, refuses=(410,))
def get_batch(batch_id: str) -> Batch:
    """Read a batch."""
    with services().store.read() as tx:
        return tx.batches.get(current_session().id, batch_id)


@blueprint.post(
    "/batches/<id:batch_id>/cancel",
    scope="labels:write",
    answer=BatchSchema,
    refuses=(409, 410),
)
def cancel_batch(batch_id: str) -> Batch:
    """Cancel a batch; its unlabelled items return to the pool."""
    return services().cancel_batch(current_session(), batch_id)
