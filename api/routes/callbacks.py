"""Callbacks: a platform answers a batch at the signed URL it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import Response, g, request

from api import idempotency
from api.blueprint import Blueprint
from api.context import current_session, services
from api.guard import rate_limits
from api.schemas.labels import LabelResultSchema
from api.schemas.webhooks import CallbackSchema
from core.access import Caller
from core.requests import LabelResult
from core.rounds.callbacks import Callback

blueprint = Blueprint(
    "callbacks",
    prefix="/v1/callbacks",
    description="Answers signed with a webhook endpoint's secret, as Standard Webhooks says.",
)


@blueprint.before_request  # type: ignore[untyped-decorator]  # flask-smorest is untyped
def verify() -> Response | None:
    """Who sent this, before any of it is read as JSON; a message sent twice ends here."""
    token = (request.view_args or {})["token"]
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = request.get_data(cache=True)
    callback = g.callback = services().webhooks.open_callback(token, headers, body)
    endpoint = callback.endpoint
    g.caller = Caller(
        id=endpoint.id,
        tenant_id=endpoint.tenant_id,
        name=endpoint.description,
        scopes=frozenset({"labels:write"}),
        session_id=callback.ticket.session_id,
    )
    rate_limits().spend("requests", g.caller)
    g.session = services().session(endpoint.tenant_id, callback.ticket.session_id)
    return idempotency.hold_message(g.caller, callback.message_id, request)


@blueprint.post(
    "/<string:token>",
    public=True,
    body=CallbackSchema,
    answer=LabelResultSchema,
    idempotency="none",
    refuses=(409, 410, 429, 503),
)
def answer_batch(asked: Mapping[str, Any], token: str) -> LabelResult:
    """Answer items of one batch; the same webhook-id again has one effect and one answer."""
    del token  # read and checked before
    callback = cast("Callback", g.callback)
    alone = len(asked["labels"]) == 1
    return services().label(
        current_session(),
        services().webhooks.answers_for(callback, asked["labels"]),
        annotator_id=asked.get("annotator_id", callback.endpoint.id),
        mode="atomic" if alone else asked["mode"],
        allow_unsolicited=False,
    )
