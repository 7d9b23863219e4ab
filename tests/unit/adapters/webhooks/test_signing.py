"""Signatures, against the published library's own verification."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.webhooks.signing import StandardSigner
from core.errors import NotVerified

NEW, OLD = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
BODY = json.dumps({"type": "batch.ready", "data": {"note": "ä\u202e"}}).encode()
NOW = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
SIGNER = StandardSigner()


def signed(*, at: datetime = NOW, secrets=(NEW,), id: str = "evt_1") -> dict[str, str]:
    return dict(SIGNER.sign(id, at=at, body=BODY, secrets=secrets))


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_the_library_verifies_a_message_with_either_secret_of_a_rotation(secret):
    headers = signed(at=datetime.now(UTC), secrets=[NEW, OLD])
    assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)


def test_the_library_refuses_a_flipped_byte_and_an_old_time():
    headers = signed(at=datetime.now(UTC))
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY.replace(b"ready", b"reads"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY, signed())


def test_a_message_signed_with_any_living_secret_is_taken():
    assert SIGNER.verify(signed(secrets=[OLD]), body=BODY, secrets=[NEW, OLD], now=NOW) == "evt_1"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,???"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1a,AAAA v2,BBBB"},
        {"webhook-signature": ""},
        {"webhook-id": ""},
        {"webhook-id": "evt.1"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "NaN"},
        {"webhook-timestamp": "-1"},
    ],
    ids=str,
)
def test_a_changed_header_is_refused(change):
    with pytest.raises(NotVerified):
        SIGNER.verify({**signed(), **change}, body=BODY, secrets=[NEW], now=NOW)


def test_a_changed_body_is_refused():
    with pytest.raises(NotVerified):
        SIGNER.verify(signed(), body=BODY + b" ", secrets=[NEW], now=NOW)


def test_a_body_that_is_no_text_is_refused():
    with pytest.raises(NotVerified):
        SIGNER.verify(signed(), body=b"\xff\xfe", secrets=[NEW], now=NOW)


def test_another_secret_is_refused():
    with pytest.raises(NotVerified):
        SIGNER.verify(signed(), body=BODY, secrets=[OLD], now=NOW)


@pytest.mark.parametrize("seconds", [-301, 302])
def test_a_message_more_than_five_minutes_off_is_refused(seconds):
    headers = signed(at=NOW + timedelta(seconds=seconds))
    with pytest.raises(NotVerified) as refused:
        SIGNER.verify(headers, body=BODY, secrets=[NEW], now=NOW)
    assert refused.value.code == "signature-too-old"


@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_message_within_five_minutes_is_taken(seconds):
    headers = signed(at=NOW + timedelta(seconds=seconds))
    assert SIGNER.verify(headers, body=BODY, secrets=[NEW], now=NOW) == "evt_1"
