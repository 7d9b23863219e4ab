"""The webhook verbs with their collaborators bound, for routes and for the sender."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import psutil

from adapters.webhooks.address_guard import Resolve, WebhookGuard, resolve
from adapters.webhooks.allow_list import parse_allow_list
from adapters.webhooks.sealing import SealedSecrets, SignedTickets
from adapters.webhooks.signing import StandardSigner
from core.ports import Clock, Ids, Store
from core.records import Page
from core.requests import NewLabel
from core.retries import Chance
from core.rounds import callbacks, webhooks
from core.rounds.deliver import Desk
from core.webhooks import Delivery, WebhookEndpoint
from runtime.settings import Settings


@dataclass(frozen=True, kw_only=True)
class WebhookVerbs:
    """Made by ``webhook_verbs``; everything belongs to the tenant that is named first."""

    registry: webhooks.Registry
    guard: WebhookGuard
    box: SealedSecrets
    tickets: SignedTickets
    signer: StandardSigner

    def create(
        self, tenant_id: str, new: webhooks.NewEndpoint, *, own: str | None
    ) -> tuple[WebhookEndpoint, str]:
        """The endpoint and its secret, told this once; ``own`` is the host[:port] of this server.

        Raises InvalidInput ``url-not-allowed`` or ``unknown-event-type``, and Conflict
        ``limit-reached``.
        """
        return webhooks.create_endpoint(tenant_id, new, own=own, registry=self.registry)

    def get(self, tenant_id: str, endpoint_id: str) -> WebhookEndpoint:
        with self.registry.store.read() as tx:
            return tx.webhooks.get(tenant_id, endpoint_id)

    def list(self, tenant_id: str, page: Page) -> Sequence[WebhookEndpoint]:
        with self.registry.store.read() as tx:
            return tx.webhooks.list(tenant_id, page)

    def change(
        self,
        tenant_id: str,
        endpoint_id: str,
        changes: Mapping[str, Any],
        *,
        expected_revision: int,
        own: str | None,
    ) -> WebhookEndpoint:
        """Change url, description, types, payload or state; enabling clears why it was disabled."""
        return webhooks.change_endpoint(
            tenant_id,
            endpoint_id,
            changes,
            expected_revision=expected_revision,
            own=own,
            registry=self.registry,
        )

    def delete(self, tenant_id: str, endpoint_id: str, *, expected_revision: int) -> None:
        webhooks.delete_endpoint(
            tenant_id, endpoint_id, expected_revision=expected_revision, registry=self.registry
        )

    def rotate(self, tenant_id: str, endpoint_id: str) -> tuple[WebhookEndpoint, str]:
        """A new secret, told this once; the present one signs too for another 24 hours."""
        return webhooks.rotate_secret(tenant_id, endpoint_id, registry=self.registry)

    def test(self, tenant_id: str, endpoint_id: str) -> Delivery:
        """Queue a message of type ``endpoint.test``; raises Conflict ``endpoint-disabled``."""
        return webhooks.send_test(tenant_id, endpoint_id, registry=self.registry)

    def deliveries(
        self, tenant_id: str, endpoint_id: str, page: Page, *, state: str | None
    ) -> Sequence[Delivery]:
        with self.registry.store.read() as tx:
            tx.webhooks.get(tenant_id, endpoint_id)
            return tx.webhooks.deliveries(tenant_id, endpoint_id, page, state=state)

    def delivery(self, tenant_id: str, delivery_id: str) -> Delivery:
        with self.registry.store.read() as tx:
            return tx.webhooks.delivery(tenant_id, delivery_id)

    def redeliver(self, tenant_id: str, delivery_id: str) -> Delivery:
        return webhooks.redeliver(tenant_id, delivery_id, registry=self.registry)

    def recover(self, tenant_id: str, endpoint_id: str, *, since: datetime) -> int:
        return webhooks.recover(tenant_id, endpoint_id, since=since, registry=self.registry)

    def open_callback(
        self, token: str, headers: Mapping[str, str], body: bytes
    ) -> callbacks.Callback:
        """Who sent a callback; raises NotVerified, and only for what is verified Gone
        ``callback-expired``."""
        return callbacks.open_callback(
            token,
            headers,
            body,
            store=self.registry.store,
            clock=self.registry.clock,
            signer=self.signer,
            box=self.box,
            tickets=self.tickets,
        )

    def answers_for(
        self, callback: callbacks.Callback, answers: Sequence[NewLabel]
    ) -> Sequence[NewLabel]:
        """The answers, tied to the callback's batch; raises Conflict ``wrong-batch``."""
        return callbacks.answers_for(callback, answers, store=self.registry.store)

    def desk(self, *, chance: Chance | None = None) -> Desk:
        """What attempts need; made in the process that sends."""
        from adapters.webhooks.delivery import HttpCourier  # noqa: PLC0415 -- loads TLS roots

        return Desk(
            store=self.registry.store,
            clock=self.registry.clock,
            courier=HttpCourier(guard=self.guard, clock=self.registry.clock),
            signer=self.signer,
            box=self.box,
            tickets=self.tickets,
            chance=chance or np.random.default_rng().random,
        )


def webhook_verbs(
    settings: Settings,
    *,
    store: Store,
    clock: Clock,
    ids: Ids,
    resolver: Resolve = resolve,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> WebhookVerbs:
    """Without a secret of the server, only what seals and opens secrets is refused."""
    guard = WebhookGuard(
        allow=parse_allow_list(settings.webhook_allow),
        resolve=resolver,
        own=frozenset({(settings.host.lower(), settings.port)}),
        interfaces=_interfaces,
    )
    box = SealedSecrets(settings.cursor_secret)
    make = partial(webhooks.Registry, store=store, clock=clock, ids=ids)
    return WebhookVerbs(
        registry=make(guard=guard, box=box, random_bytes=random_bytes),
        guard=guard,
        box=box,
        tickets=SignedTickets(settings.cursor_secret),
        signer=StandardSigner(),
    )


def _interfaces() -> frozenset[str]:
    """This machine's addresses, without zones."""
    found = psutil.net_if_addrs().values()
    return frozenset(place.address.partition("%")[0] for places in found for place in places)
