"""Deliver: one attempt at telling one endpoint of one event, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from core.envelopes import encode, envelope
from core.errors import NotFound, Unavailable
from core.ports import Clock, Courier, Repositories, SecretBox, Signer, Store, Tickets
from core.records import Event
from core.retries import Chance, concluded, reason_to_disable
from core.webhooks import Delivery, Outcome, Ticket, WebhookEndpoint, signing

TICKET_DAYS: Final = timedelta(days=30)
"""How long a callback URL works for a batch that does not expire."""

MOST_TEXT: Final = 1_000_000
"""Bytes of a body with texts; a batch with more is sent without them."""

Due = tuple[Delivery, WebhookEndpoint, Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an attempt needs; several threads share one."""

    store: Store
    clock: Clock
    courier: Courier
    signer: Signer
    box: SecretBox
    tickets: Tickets
    chance: Chance


def deliver(due: Due, *, desk: Desk) -> Outcome | None:
    """Try once and store what came of it; None where the endpoint no longer wants it.

    A process that dies in between leaves the row locked, and it is tried again, with the
    same id, once the lock has run out: at least once, never certainly once.
    """
    delivery, endpoint, event = due
    if endpoint.state != "enabled":
        _discard(delivery, desk=desk)
        return None
    outcome = _attempt(endpoint, event, desk=desk)
    _conclude(delivery, outcome, desk=desk)
    return outcome


def _attempt(endpoint: WebhookEndpoint, event: Event, *, desk: Desk) -> Outcome:
    """The id is the event's, the time this attempt's; both are signed."""
    body = body_for(endpoint, event, desk=desk)
    now = desk.clock.now()
    try:
        secrets = signing(desk.box.open(endpoint.secrets), now=now)
    except Unavailable as error:
        return Outcome(error=error.code)
    headers = desk.signer.sign(event.id, at=now, body=body, secrets=secrets)
    return desk.courier.post(endpoint.url, headers=headers, body=body)


def body_for(endpoint: WebhookEndpoint, event: Event, *, desk: Desk) -> bytes:
    """The feed's envelope; ``batch.ready`` also says where to send the answers."""
    document = envelope(event)
    if event.type != "batch.ready":
        return encode(document)
    data = document["data"] = dict(document["data"])
    data["callback_url"] = f"/v1/callbacks/{desk.tickets.write(_ticket(endpoint, event, desk))}"
    thin = encode(document)
    if endpoint.payload == "thin":
        return thin
    data["items"] = _items(event, desk=desk)
    full = encode(document)
    return full if len(full) <= MOST_TEXT else thin


def _ticket(endpoint: WebhookEndpoint, event: Event, desk: Desk) -> Ticket:
    batch_id = str(event.data["batch_id"])
    with desk.store.read() as tx:
        try:
            expires_at = tx.batches.get(event.session_id, batch_id).expires_at
        except NotFound:
            expires_at = event.created_at
    return Ticket(
        endpoint_id=endpoint.id,
        session_id=event.session_id,
        batch_id=batch_id,
        expires_at=expires_at or event.created_at + TICKET_DAYS,
    )


def _items(event: Event, *, desk: Desk) -> list[dict[str, Any]]:
    with desk.store.read() as tx:
        try:
            batch = tx.batches.get(event.session_id, str(event.data["batch_id"]))
        except NotFound:
            return []
        found = tx.items.by_ids(event.session_id, [item.item_id for item in batch.items])
    rows = [found[item.item_id] for item in batch.items if item.item_id in found]
    return [{"id": row.id, "external_id": row.external_id, "text": row.text} for row in rows]


def _discard(delivery: Delivery, *, desk: Desk) -> None:
    with desk.store.write() as tx:
        current = _present(tx, delivery)
        if current is not None and current.state == "pending":
            tx.webhooks.save_delivery(replace(current, state="discarded", locked_until=None))


def _conclude(delivery: Delivery, outcome: Outcome, *, desk: Desk) -> None:
    """Write the result, unless the endpoint was deleted meanwhile."""
    now = desk.clock.now()
    with desk.store.write() as tx:
        current = _present(tx, delivery)
        endpoint = tx.webhooks.find(delivery.endpoint_id)
        if current is None or endpoint is None or current.state != "pending":
            return
        reason = reason_to_disable(endpoint, outcome, now=now)
        if reason is not None and tx.webhooks.disable(endpoint.id, reason=reason):
            _tell(tx, current, reason=reason, desk=desk)
        tx.webhooks.save_delivery(concluded(current, outcome, now=now, chance=desk.chance))
        tx.webhooks.note_result(endpoint.id, succeeded=outcome.delivered, now=now)


def _tell(tx: Repositories, delivery: Delivery, *, reason: str, desk: Desk) -> None:
    """In the feed of the session whose message was refused; a test message has none."""
    if delivery.session_id is None:
        return
    tx.events.add(
        tenant_id=delivery.tenant_id,
        session_id=delivery.session_id,
        type="endpoint.disabled",
        data={"endpoint_id": delivery.endpoint_id, "reason": reason},
        now=desk.clock.now(),
    )


def _present(tx: Repositories, delivery: Delivery) -> Delivery | None:
    try:
        return tx.webhooks.delivery(delivery.tenant_id, delivery.id)
    except NotFound:
        return None
