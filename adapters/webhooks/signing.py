"""Signs and verifies messages as Standard Webhooks says, by its published library."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

from core.errors import NotVerified

TOLERANCE: Final = timedelta(minutes=5)
MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
SECONDS: Final = re.compile(r"[0-9]{1,11}")
MOST_SIGNATURES: Final = 20


class StandardSigner:
    """Secrets are ``whsec_`` and base64; a message is signed once per secret."""

    def sign(
        self, message_id: str, *, at: datetime, body: bytes, secrets: Sequence[str]
    ) -> Mapping[str, str]:
        signatures = [_signature(secret, message_id, at, body) for secret in secrets]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def verify(
        self, headers: Mapping[str, str], *, body: bytes, secrets: Sequence[str], now: datetime
    ) -> str:
        """The message id.

        The library's own ``verify`` reads the machine's clock, so the time is checked here
        and the signature compared, in constant time, with what the library would sign.
        """
        message_id = headers.get("webhook-id", "")
        seconds = headers.get("webhook-timestamp", "")
        if not MESSAGE_ID.fullmatch(message_id) or not SECONDS.fullmatch(seconds):
            raise NotVerified(
                "send webhook-id, webhook-timestamp and webhook-signature",
                code="signature-missing",
            )
        at = datetime.fromtimestamp(int(seconds), tz=UTC)
        if abs(now - at) > TOLERANCE:
            raise NotVerified("the signature is too old or too new", code="signature-too-old")
        if not _is_text(body):
            raise NotVerified("the signature does not fit")
        given = _given(headers.get("webhook-signature", ""))
        expected = [_raw(_signature(secret, message_id, at, body)) for secret in secrets]
        matches = [hmac.compare_digest(one, other) for one in given for other in expected]
        if not any(matches):
            raise NotVerified("the signature does not fit")
        return message_id


def _signature(secret: str, message_id: str, at: datetime, body: bytes) -> str:
    return Webhook(secret).sign(msg_id=message_id, timestamp=at, data=body.decode())


def _is_text(body: bytes) -> bool:
    """What is signed is text, as far as the library goes."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _given(header: str) -> list[bytes]:
    """The version 1 signatures of the header; others are not ours to judge."""
    parts = header.split(" ")[:MOST_SIGNATURES]
    return [_raw(part) for part in parts if part.startswith("v1,")]


def _raw(signature: str) -> bytes:
    try:
        return base64.b64decode(signature.removeprefix("v1,"), validate=True)
    except (binascii.Error, ValueError):
        return b""
