"""Operations: jobs that outlive their request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify

from api.auth import require_visible
from api.blueprint import Answer, Blueprint
from api.context import caller, services, tenant_id
from api.operation_news import Told
from api.pagination import paged
from api.schemas.operations import (
    OperationPageSchema,
    OperationQuery,
    OperationSchema,
    WaitQuery,
)
from api.streaming import EVENT_STREAM, Message, last_event_id, stream
from core.errors import NotFound
from core.records import Operation, Page

blueprint = Blueprint(
    "operations",
    prefix="/v1/operations",
    description="Jobs: follow, wait for, cancel.",
)


@blueprint.get("", query=OperationQuery, answer=OperationPageSchema)
def list_operations(query: Mapping[str, Any]) -> Response:
    """List operations."""
    bound = caller().session_id
    if bound is not None and "session_id" in query:
        require_visible(caller(), query["session_id"])

    def fetch(page: Page) -> Sequence[Operation]:
        with services().store.read() as tx:
            return tx.operations.list(
                tenant_id(),
                page,
                session_id=bound or query.get("session_id"),
                kind=query.get("kind"),
                state=query.get("state"),
            )

    return paged(query, fetch, key=lambda row: row.id, schema=OperationSchema())


@blueprint.get("/<id:operation_id>", query=WaitQuery, answer=OperationSchema)
def get_operation(query: Mapping[str, Any], operation_id: str) -> Operation:
    """Read an operation, or wait up to 30 seconds for its end."""
    _visible(operation_id)
    return services().wait(tenant_id(), operation_id, seconds=query["wait"])


@blueprint.get(
    "/<id:operation_id>/events",
    produces=(EVENT_STREAM,),
    also=(Answer(status=204, description="It has ended, and Last-Event-ID says you know."),),
)
def stream_operation(operation_id: str) -> Response:
    """Follow an operation as server-sent events, until it is done.

    ``progress`` carries its progress, ``state`` the whole operation; each comes when it
    changed. An id names what was said, so a client that comes again hears only news.
    """
    _visible(operation_id)
    store, tenant = services().store, tenant_id()
    told = Told.by(last_event_id())

    def look() -> tuple[Sequence[Message], bool]:
        with store.read() as tx:
            operation = tx.operations.get(tenant, operation_id)
        return told.news(operation), operation.done

    if told.knows_end(services().wait(tenant, operation_id, seconds=0)):
        return Response(status=204)
    return stream(look)


@blueprint.post(
    "/<id:operation_id>/cancel",
    scope="sessions:write",
    answer=OperationSchema,
    status=202,
    refuses=(409,),
)
def cancel_operation(operation_id: str) -> Response:
    """Ask an operation to stop at its next step."""
    _visible(operation_id)
    operation = services().cancel_operation(tenant_id(), operation_id)
    response = jsonify(OperationSchema().dump(operation))
    response.status_code = 202
    response.headers["Location"] = f"/v1/operations/{operation.id}"
    return response


def _visible(operation_id: str) -> None:
    """Another session's operation does not exist for a bound key."""
    with services().store.read() as tx:
        operation = tx.operations.get(tenant_id(), operation_id)
    if caller().session_id not in {None, operation.session_id}:
        raise NotFound("there is no such operation", code="unknown-operation")
