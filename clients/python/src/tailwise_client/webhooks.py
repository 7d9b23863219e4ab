"""Webhooks that arrive: only what the service signed becomes an event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from tailwise_client.errors import InvalidSignature, UnexpectedAnswer
from tailwise_client.reading import read
from tailwise_client.records.models import Event


def verify(headers: Mapping[str, str], body: bytes | str, secret: str | Sequence[str]) -> Event:
    """The event in a webhook's body, once its signature holds.

    ``body`` is the body as it came: parsed and written again it has another signature.
    ``secret`` starts with whsec_; several are tried in turn, for your own change of secrets.
    The event's ``id`` is the webhook's: the same on every attempt, so keep the ones you have
    handled. Raises InvalidSignature (wrong, missing, or older or newer than five minutes) and
    UnexpectedAnswer.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    given = {name.lower(): value for name, value in headers.items()}
    if not any(_signed(given, body, each) for each in secrets):
        raise InvalidSignature("the webhook was not signed with this secret just now")
    try:
        document = json.loads(body)
        data = document["data"]
        known = {"session_id": data.get("session_id"), "sequence": data.get("sequence", 0)}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UnexpectedAnswer("the body is no event") from None
    return read(Event, {**known, **document, "id": given["webhook-id"]})


def sign(body: str, secret: str, *, id: str | None = None, now: datetime) -> dict[str, str]:
    """The headers that make ``body`` a Standard Webhook, sent now."""
    name = id or f"msg_{uuid4().hex}"
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, now, body),
    }


def _signed(headers: Mapping[str, str], body: bytes | str, secret: str) -> bool:
    """The library raises ValueError too, for a header or secret that is no base64."""
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):
        return False
    return True
