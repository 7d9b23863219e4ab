"""Callbacks: a platform answers a batch at the URL it was sent, signed with its secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import Conflict, Gone, NotVerified
from core.ports import Clock, SecretBox, Signer, Store, Tickets
from core.requests import NewLabel
from core.webhooks import Ticket, WebhookEndpoint, signing


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A verified message: who sent it, for which batch, and its id."""

    endpoint: WebhookEndpoint
    ticket: Ticket
    message_id: str


def open_callback(
    token: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    store: Store,
    clock: Clock,
    signer: Signer,
    box: SecretBox,
    tickets: Tickets,
) -> Callback:
    """Who sent this, or a refusal.

    Raises NotVerified where the token, the signature or its time is not good, and only
    then Gone ``callback-expired``: a stranger learns nothing about the batch. Header
    names are in lower case.
    """
    ticket = tickets.read(token)
    with store.read() as tx:
        endpoint = tx.webhooks.find(ticket.endpoint_id)
    if endpoint is None:
        raise NotVerified("this callback URL is not good", code="callback-refused")
    secrets = signing(box.open(endpoint.secrets), now=clock.now())
    message_id = signer.verify(headers, body=body, secrets=secrets, now=clock.now())
    if ticket.expires_at <= clock.now():
        raise Gone(
            "the callback URL has expired; send late answers with a key",
            code="callback-expired",
            extras={"batch_id": ticket.batch_id},
        )
    return Callback(endpoint=endpoint, ticket=ticket, message_id=message_id)


def answers_for(
    callback: Callback, answers: Sequence[NewLabel], *, store: Store
) -> Sequence[NewLabel]:
    """The answers, each tied to the callback's batch.

    Raises Conflict ``wrong-batch`` (with their places) when any is about another item.
    """
    ticket = callback.ticket
    with store.read() as tx:
        batch = tx.batches.get(ticket.session_id, ticket.batch_id)
    ids = {item.item_id for item in batch.items}
    external = {item.external_id for item in batch.items}
    strangers = [
        index
        for index, answer in enumerate(answers)
        if (answer.item_id not in ids and answer.external_id not in external)
        or answer.batch_id not in {None, batch.id}
    ]
    if strangers:
        raise Conflict(
            "some answers are not about items of this batch",
            code="wrong-batch",
            extras={"batch_id": batch.id, "indexes": strangers},
        )
    return [replace(answer, batch_id=batch.id) for answer in answers]
