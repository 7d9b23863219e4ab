"""Webhooks that arrive are believed only with the service's signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from tailwise_client import InvalidSignature, UnexpectedAnswer, verify

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
OTHER = "whsec_" + "b3RoZXItb3RoZXItb3RoZXItb3RoZXI="
BODY = json.dumps(
    {
        "type": "batch.ready",
        "timestamp": "2026-11-22T12:52:41Z",
        "tenant_id": "ten_1",
        "data": {"session_id": "ses_1", "sequence": 7, "batch_id": "bat_1", "round": 3},
        "added_later": True,
    }
).encode()


def signed(body: bytes = BODY, *, secret: str = SECRET, ago: float = 0.0) -> dict[str, str]:
    then = datetime.now(UTC) - timedelta(seconds=ago)
    return {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(then.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("evt_1", then, body.decode()),
    }


def test_a_signed_webhook_is_a_typed_event():
    event = verify(signed(), BODY, SECRET)
    assert (event.id, event.type, event.sequence) == ("evt_1", "batch.ready", 7)
    assert (event.session_id, event.tenant_id) == ("ses_1", "ten_1")
    assert event.data["batch_id"] == "bat_1"
    assert event.timestamp == datetime(2026, 11, 22, 12, 52, 41, tzinfo=UTC)


def test_either_of_two_secrets_will_do():
    assert verify(signed(secret=OTHER), BODY, [SECRET, OTHER]).id == "evt_1"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (lambda: signed(secret=OTHER), BODY),
        (signed, BODY + b" "),
        (lambda: signed(ago=400), BODY),
        (lambda: signed(ago=-400), BODY),
        (dict, BODY),
        (lambda: {**signed(), "Webhook-Signature": "nonsense"}, BODY),
        (lambda: {**signed(), "Webhook-Signature": "v1,$$$"}, BODY),
        (lambda: {**signed(), "Webhook-Timestamp": "yesterday"}, BODY),
        (signed, b"\xff\xfe"),
    ],
)
def test_anything_else_is_refused(headers, body):
    with pytest.raises(InvalidSignature):
        verify(headers(), body, SECRET)


@pytest.mark.parametrize("body", [b"[]", b"hello", b'{"data": 3}', b'{"data": {}}'])
def test_a_signed_body_that_is_no_event_is_unexpected(body):
    with pytest.raises(UnexpectedAnswer):
        verify(signed(body), body, SECRET)


def test_a_secret_that_is_none_verifies_nothing():
    with pytest.raises(InvalidSignature):
        verify(signed(), BODY, "")
