"""Webhooks: who hears of a tenant's events, and what is sent again."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from core.errors import Conflict, InvalidInput, PreconditionFailed, Unavailable
from core.events import EVENT_TYPES
from core.ports import AddressGuard, Clock, Ids, SecretBox, Store
from core.webhooks import Delivery, Secret, WebhookEndpoint

MOST_ENDPOINTS: Final = 20
OVERLAP: Final = timedelta(hours=24)
"""How long a replaced secret goes on signing."""

MOST_SECRETS: Final = 5
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """A wished-for endpoint; ``types`` empty = every type, ``session_id`` None = every
    session of the tenant."""

    url: str
    description: str = ""
    types: tuple[str, ...] = ()
    session_id: str | None = None
    payload: Literal["thin", "full"] = "thin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What the verbs on endpoints share."""

    store: Store
    clock: Clock
    ids: Ids
    guard: AddressGuard
    box: SecretBox
    random_bytes: Callable[[int], bytes]


def create_endpoint(
    tenant_id: str, new: NewEndpoint, *, own: str | None, registry: Registry
) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its secret, which is shown this once.

    ``own`` is the host[:port] this server was called by: it must not call itself. Raises
    InvalidInput ``url-not-allowed`` or ``unknown-event-type``, NotFound/Gone for the
    session and Conflict ``limit-reached``.
    """
    registry.guard.check(new.url, own=own)
    _check_types(new.types)
    secret = _new_secret(registry)
    endpoint = WebhookEndpoint(
        id=registry.ids.new("whe"),
        tenant_id=tenant_id,
        url=new.url,
        description=new.description,
        types=new.types,
        session_id=new.session_id,
        payload=new.payload,
        state="enabled",
        disabled_reason=None,
        secrets=registry.box.seal([secret]),
        failing_since=None,
        revision=1,
        created_at=registry.clock.now(),
    )
    with registry.store.write() as tx:
        if new.session_id is not None:
            tx.sessions.get(tenant_id, new.session_id)
        if tx.webhooks.count(tenant_id) >= MOST_ENDPOINTS:
            raise Conflict(
                f"a tenant has at most {MOST_ENDPOINTS} webhook endpoints",
                code="limit-reached",
                extras={"limit": MOST_ENDPOINTS},
            )
        tx.webhooks.add(endpoint)
    return endpoint, secret.text


def change_endpoint(
    tenant_id: str,
    endpoint_id: str,
    changes: Mapping[str, Any],
    *,
    expected_revision: int,
    own: str | None,
    registry: Registry,
) -> WebhookEndpoint:
    """Change url, description, types, payload or state; enabling clears why it was disabled."""
    if "url" in changes:
        registry.guard.check(changes["url"], own=own)
    _check_types(changes.get("types", ()))
    with registry.store.write() as tx:
        current = tx.webhooks.get(tenant_id, endpoint_id)
        changed = replace(current, **changes, revision=current.revision + 1)
        if changes.get("state") == "enabled":
            changed = replace(changed, disabled_reason=None, failing_since=None)
        elif changes.get("state") == "disabled" and current.state == "enabled":
            changed = replace(changed, disabled_reason="by-hand")
        tx.webhooks.save(changed, expected_revision=expected_revision)
    return changed


def delete_endpoint(
    tenant_id: str, endpoint_id: str, *, expected_revision: int, registry: Registry
) -> None:
    """With everything that waits for it; raises PreconditionFailed."""
    with registry.store.write() as tx:
        if tx.webhooks.get(tenant_id, endpoint_id).revision != expected_revision:
            raise PreconditionFailed("the endpoint changed since it was read")
        tx.webhooks.delete(tenant_id, endpoint_id)


def rotate_secret(
    tenant_id: str, endpoint_id: str, *, registry: Registry
) -> tuple[WebhookEndpoint, str]:
    """A new secret, shown this once; the present one signs too for another 24 hours.

    Raises Conflict ``limit-reached`` when five secrets are still signing.
    """
    now = registry.clock.now()
    fresh = _new_secret(registry)
    with registry.store.write() as tx:
        current = tx.webhooks.get(tenant_id, endpoint_id)
        kept = _kept(current, registry=registry, now=now)
        if len(kept) >= MOST_SECRETS:
            raise Conflict(
                f"{MOST_SECRETS} secrets are signing; wait until the oldest has ended",
                code="limit-reached",
                extras={"limit": MOST_SECRETS},
            )
        sealed = registry.box.seal([fresh, *kept])
        changed = replace(current, secrets=sealed, revision=current.revision + 1)
        tx.webhooks.save(changed, expected_revision=current.revision)
    return changed, fresh.text


def _kept(endpoint: WebhookEndpoint, *, registry: Registry, now: datetime) -> list[Secret]:
    """Secrets that go on signing; none where they were sealed under another key, because
    those sign nothing any more."""
    try:
        present = registry.box.open(endpoint.secrets)
    except Unavailable:
        return []
    living = [secret for secret in present if secret.until is None or secret.until > now]
    return [s if s.until else replace(s, until=now + OVERLAP) for s in living]


def send_test(tenant_id: str, endpoint_id: str, *, registry: Registry) -> Delivery:
    """Queue a message of type ``endpoint.test``; raises Conflict ``endpoint-disabled``."""
    now = registry.clock.now()
    with registry.store.write() as tx:
        endpoint = tx.webhooks.get(tenant_id, endpoint_id)
        _require_enabled(endpoint)
        delivery = Delivery(
            id=registry.ids.new("dlv"),
            tenant_id=tenant_id,
            session_id=None,
            endpoint_id=endpoint.id,
            event_id=registry.ids.new("evt"),
            type="endpoint.test",
            state="pending",
            attempts=0,
            next_attempt_at=now,
            locked_until=None,
            last_status=None,
            last_error=None,
            created_at=now,
            delivered_at=None,
        )
        tx.webhooks.add_delivery(delivery)
    return delivery


def redeliver(tenant_id: str, delivery_id: str, *, registry: Registry) -> Delivery:
    """Send it again now, with a fresh schedule and the same message id.

    Raises Conflict ``endpoint-disabled``.
    """
    now = registry.clock.now()
    with registry.store.write() as tx:
        delivery = tx.webhooks.delivery(tenant_id, delivery_id)
        _require_enabled(tx.webhooks.get(tenant_id, delivery.endpoint_id))
        again = replace(delivery, state="pending", attempts=0, next_attempt_at=now)
        tx.webhooks.save_delivery(again)
    return again


def recover(tenant_id: str, endpoint_id: str, *, since: datetime, registry: Registry) -> int:
    """Send again what is dead or was discarded since then; how many messages that is.

    Raises Conflict ``endpoint-disabled``.
    """
    with registry.store.write() as tx:
        endpoint = tx.webhooks.get(tenant_id, endpoint_id)
        _require_enabled(endpoint)
        return tx.webhooks.requeue(endpoint.id, since=since, now=registry.clock.now())


def _check_types(types: Sequence[str]) -> None:
    for place, name in enumerate(types):
        if name not in EVENT_TYPES:
            raise InvalidInput.at(
                f"/types/{place}",
                "there is no such event type",
                code="unknown-event-type",
                allowed=sorted(EVENT_TYPES),
            )


def _require_enabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != "enabled":
        raise Conflict(
            "the endpoint is disabled; enable it first",
            code="endpoint-disabled",
            extras={"reason": endpoint.disabled_reason},
        )


def _new_secret(registry: Registry) -> Secret:
    encoded = base64.b64encode(registry.random_bytes(SECRET_BYTES)).decode()
    return Secret(text=f"whsec_{encoded}")
