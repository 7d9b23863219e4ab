"""Webhook endpoints of a tenant and what is sent to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Response, jsonify, request

from api.answers import no_content, require_content
from api.blueprint import MERGE_PATCH, Blueprint
from api.context import services, tenant_id
from api.etags import expected_revision, tagged
from api.pagination import paged
from api.schemas.webhooks import (
    DeliveryPageSchema,
    DeliveryQuery,
    DeliverySchema,
    EndpointPageSchema,
    EndpointPatchSchema,
    EndpointQuery,
    EndpointSchema,
    EndpointSecretSchema,
    NewEndpointSchema,
    RecoveredSchema,
    RecoverSchema,
)
from core.records import Page
from core.rounds.webhooks import NewEndpoint
from core.webhooks import Delivery, WebhookEndpoint

SCOPE = "webhooks:write"

blueprint = Blueprint(
    "webhooks",
    prefix="/v1",
    description="Who hears of events, signed as Standard Webhooks says, and what became of it.",
)


@blueprint.post(
    "/webhook-endpoints",
    scope=SCOPE,
    bound_keys=False,
    body=NewEndpointSchema,
    answer=EndpointSecretSchema,
    status=201,
    idempotency="refused",
    refuses=(404, 409, 410),
)
def create_endpoint(new: NewEndpoint) -> Response:
    """Register an endpoint; its secret is in this answer only."""
    _require_texts(new.payload)
    endpoint, secret = services().webhooks.create(tenant_id(), new, own=request.host)
    response = _with_secret(endpoint, secret, status=201)
    response.headers["Location"] = f"/v1/webhook-endpoints/{endpoint.id}"
    return response


@blueprint.get(
    "/webhook-endpoints",
    scope=SCOPE,
    bound_keys=False,
    query=EndpointQuery,
    answer=EndpointPageSchema,
)
def list_endpoints(query: Mapping[str, Any]) -> Response:
    """List endpoints, without their secrets."""

    def fetch(page: Page) -> Sequence[WebhookEndpoint]:
        return services().webhooks.list(tenant_id(), page)

    return paged(query, fetch, key=lambda endpoint: endpoint.id, schema=EndpointSchema())


@blueprint.get(
    "/webhook-endpoints/<id:endpoint_id>",
    scope=SCOPE,
    bound_keys=False,
    answer=EndpointSchema,
    if_none_match=True,
)
def get_endpoint(endpoint_id: str) -> Response:
    """Read an endpoint."""
    return _tagged(services().webhooks.get(tenant_id(), endpoint_id))


@blueprint.patch(
    "/webhook-endpoints/<id:endpoint_id>",
    scope=SCOPE,
    bound_keys=False,
    body=EndpointPatchSchema,
    body_type=MERGE_PATCH,
    answer=EndpointSchema,
)
def update_endpoint(changes: Mapping[str, Any], endpoint_id: str) -> Response:
    """Change an endpoint by merge patch; enabling one forgets why it was disabled."""
    _require_texts(changes.get("payload"))
    current = services().webhooks.get(tenant_id(), endpoint_id)
    revision = expected_revision(current.revision)
    changed = services().webhooks.change(
        tenant_id(), endpoint_id, changes, expected_revision=revision, own=request.host
    )
    return _tagged(changed)


@blueprint.delete(
    "/webhook-endpoints/<id:endpoint_id>",
    scope=SCOPE,
    bound_keys=False,
    if_match=True,
    status=204,
)
def delete_endpoint(endpoint_id: str) -> Response:
    """Delete an endpoint with everything that waits for it."""
    revision = expected_revision(services().webhooks.get(tenant_id(), endpoint_id).revision)
    services().webhooks.delete(tenant_id(), endpoint_id, expected_revision=revision)
    return no_content()


@blueprint.post(
    "/webhook-endpoints/<id:endpoint_id>/rotate-secret",
    scope=SCOPE,
    bound_keys=False,
    answer=EndpointSecretSchema,
    idempotency="refused",
    refuses=(409, 412),
)
def rotate_secret(endpoint_id: str) -> Response:
    """Make a new secret; the present one signs too for another 24 hours."""
    endpoint, secret = services().webhooks.rotate(tenant_id(), endpoint_id)
    return _with_secret(endpoint, secret)


@blueprint.post(
    "/webhook-endpoints/<id:endpoint_id>/test",
    scope=SCOPE,
    bound_keys=False,
    answer=DeliverySchema,
    status=202,
    refuses=(409,),
)
def test_endpoint(endpoint_id: str) -> Response:
    """Send a message of type endpoint.test."""
    return _queued(services().webhooks.test(tenant_id(), endpoint_id))


@blueprint.get(
    "/webhook-endpoints/<id:endpoint_id>/deliveries",
    scope=SCOPE,
    bound_keys=False,
    query=DeliveryQuery,
    answer=DeliveryPageSchema,
)
def list_deliveries(query: Mapping[str, Any], endpoint_id: str) -> Response:
    """List what was sent or waits, oldest first."""

    def fetch(page: Page) -> Sequence[Delivery]:
        return services().webhooks.deliveries(
            tenant_id(), endpoint_id, page, state=query.get("state")
        )

    return paged(query, fetch, key=lambda delivery: delivery.id, schema=DeliverySchema())


@blueprint.post(
    "/webhook-endpoints/<id:endpoint_id>/recover",
    scope=SCOPE,
    bound_keys=False,
    body=RecoverSchema,
    answer=RecoveredSchema,
    refuses=(409,),
)
def recover_endpoint(asked: Mapping[str, datetime], endpoint_id: str) -> Response:
    """Send again what is dead or was discarded since a time."""
    requeued = services().webhooks.recover(tenant_id(), endpoint_id, since=asked["since"])
    return jsonify(RecoveredSchema().dump({"requeued": requeued}))


@blueprint.get("/deliveries/<id:delivery_id>", scope=SCOPE, bound_keys=False, answer=DeliverySchema)
def get_delivery(delivery_id: str) -> Response:
    """Read a delivery."""
    return jsonify(DeliverySchema().dump(services().webhooks.delivery(tenant_id(), delivery_id)))


@blueprint.post(
    "/deliveries/<id:delivery_id>/redeliver",
    scope=SCOPE,
    bound_keys=False,
    answer=DeliverySchema,
    status=202,
    refuses=(409,),
)
def redeliver(delivery_id: str) -> Response:
    """Send it again now, with the same message id."""
    return _queued(services().webhooks.redeliver(tenant_id(), delivery_id))


def _require_texts(payload: str | None) -> None:
    """Whoever may not read texts may not have them sent elsewhere either."""
    if payload == "full":
        require_content("a full payload")


def _tagged(endpoint: WebhookEndpoint) -> Response:
    return tagged(EndpointSchema().dump(endpoint), revision=endpoint.revision)


def _with_secret(endpoint: WebhookEndpoint, secret: str, *, status: int = 200) -> Response:
    document = EndpointSchema().dump(endpoint)
    response = tagged(document, revision=endpoint.revision, status=status)
    response.data = jsonify({**document, "secret": secret}).data
    return response


def _queued(delivery: Delivery) -> Response:
    response = jsonify(DeliverySchema().dump(delivery))
    response.status_code = 202
    response.headers["Location"] = f"/v1/deliveries/{delivery.id}"
    response.headers["Retry-After"] = "1"
    return response
