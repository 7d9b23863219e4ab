"""Webhook endpoints: addresses that hear of events, and what became of each message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tailwise_client.asking import as_document
from tailwise_client.binding import Described, listing, verb
from tailwise_client.records.service import Delivery, Endpoint, EndpointSecret, Requeued
from tailwise_client.sending import Call
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.within import if_match, patch_call

ENDPOINTS = "/v1/webhook-endpoints"


class EndpointVerbs(Described):
    """Webhook endpoints of the tenant; needs the scope webhooks:write."""

    @verb
    def create_endpoint(
        self,
        url: str,
        *,
        description: str = "",
        types: Sequence[str] = (),
        session_id: str | None = None,
        payload: str = "thin",
    ) -> Flow[Endpoint]:
        """A new endpoint with its ``secret``, told this once; a lost answer is not repeated.

        ``types`` empty = every event; ``session_id`` None = every session.
        """
        document = as_document(
            {
                "url": url,
                "description": description,
                "types": list(types),
                "session_id": session_id,
                "payload": payload,
            }
        )
        return self._call(Endpoint, Call(method="POST", path=ENDPOINTS, document=document))

    @listing
    def endpoints(self, *, limit: int = 50) -> Stream[Endpoint]:
        """Endpoints, without their secrets."""
        return self._pages(Endpoint, ENDPOINTS, limit=limit)

    @verb
    def endpoint(self, endpoint_id: str) -> Flow[Endpoint]:
        """Read an endpoint."""
        return self._get(Endpoint, f"{ENDPOINTS}/{endpoint_id}")

    @verb
    def update_endpoint(
        self, endpoint_id: str, changes: Mapping[str, Any], *, revision: int | None = None
    ) -> Flow[Endpoint]:
        """Change url, description, types, payload or state."""
        path = f"{ENDPOINTS}/{endpoint_id}"
        return self._call(Endpoint, patch_call(path, changes, revision=revision))

    @verb
    def delete_endpoint(self, endpoint_id: str, *, revision: int | None = None) -> Flow[None]:
        """Tell it nothing any more."""
        path = f"{ENDPOINTS}/{endpoint_id}"
        yield from self._sender.send(Call(method="DELETE", path=path, headers=if_match(revision)))

    @verb
    def rotate_secret(self, endpoint_id: str) -> Flow[str]:
        """The new secret; for a day the old one signs too."""
        call = Call(method="POST", path=f"{ENDPOINTS}/{endpoint_id}/rotate-secret")
        found = yield from self._call(EndpointSecret, call)
        return found.secret

    @verb
    def test_endpoint(self, endpoint_id: str) -> Flow[Delivery]:
        """Send it an event of type endpoint.test."""
        return self._post(Delivery, f"{ENDPOINTS}/{endpoint_id}/test")

    @listing
    def deliveries(
        self, endpoint_id: str, *, state: str | None = None, limit: int = 50
    ) -> Stream[Delivery]:
        """What became of each message; ``state``: pending, delivered, dead or discarded."""
        path = f"{ENDPOINTS}/{endpoint_id}/deliveries"
        return self._pages(Delivery, path, state=state, limit=limit)

    @verb
    def redeliver(self, delivery_id: str) -> Flow[Delivery]:
        """Try a message again."""
        return self._post(Delivery, f"/v1/deliveries/{delivery_id}/redeliver")

    @verb
    def recover(self, endpoint_id: str, *, since: datetime) -> Flow[int]:
        """Try everything again that failed since then; how many."""
        document = {"since": since.isoformat()}
        path = f"{ENDPOINTS}/{endpoint_id}/recover"
        found = yield from self._post(Requeued, path, document)
        return found.requeued
