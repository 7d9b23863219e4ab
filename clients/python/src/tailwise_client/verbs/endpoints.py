"""Webhook endpoints: addresses that hear of events, and what became of each message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tailwise_client.asking import NewLabel, as_document
from tailwise_client.binding import Described, listing, verb
from tailwise_client.files import Bytes
from tailwise_client.records.rounds import LabelResult
from tailwise_client.records.service import Delivery, Endpoint, EndpointSecret, Requeued
from tailwise_client.sending import Call
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.within import if_match, patch_call
from tailwise_client.webhooks import sign

ENDPOINTS = "/v1/webhook-endpoints"
CALLBACKS = "/v1/callbacks/"


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
    def update_endpoint(self, endpoint_id: str, changes: Mapping[str, Any]) -> Flow[Endpoint]:
        """Change url, description, types, payload or state."""
        path = f"{ENDPOINTS}/{endpoint_id}"
        return self._call(Endpoint, patch_call(path, changes, revision=None))

    @verb
    def delete_endpoint(self, endpoint_id: str) -> Flow[None]:
        """Tell it nothing any more."""
        path = f"{ENDPOINTS}/{endpoint_id}"
        yield from self._sender.send(Call(method="DELETE", path=path, headers=if_match(None)))

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
    def answer_callback(
        self,
        callback_url: str,
        labels: Iterable[NewLabel | Mapping[str, Any]],
        *,
        secret: str,
        annotator_id: str | None = None,
        message_id: str | None = None,
    ) -> Flow[LabelResult]:
        """Answer a batch at the ``callback_url`` of its webhook, signed with the endpoint's
        ``secret`` instead of a key's scope. The same ``message_id`` again is stored once.

        Raises NotAuthenticated (signature), Gone (the URL ran out), Conflict (another batch).
        """
        rows = [as_document(label) for label in labels]
        document = as_document({"labels": rows, "annotator_id": annotator_id})
        body = json.dumps(document, allow_nan=False)
        call = Call(
            method="POST",
            path=_callback_path(callback_url),
            headers=sign(body, secret, id=message_id, now=self._sender.wall()),
            body=Bytes(body.encode()),
            repeatable=True,
        )
        return self._call(LabelResult, call)

    @verb
    def recover(self, endpoint_id: str, *, since: datetime) -> Flow[int]:
        """Try everything again that failed since then; how many."""
        document = {"since": since.isoformat()}
        path = f"{ENDPOINTS}/{endpoint_id}/recover"
        found = yield from self._post(Requeued, path, document)
        return found.requeued


def _callback_path(url: str) -> str:
    """Its path on this service: the key goes nowhere else, whatever the URL says."""
    path = urlsplit(url).path
    if not path.startswith(CALLBACKS):
        message = f"a callback URL has the path {CALLBACKS}..."
        raise ValueError(message)
    return path
