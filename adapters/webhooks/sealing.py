"""Secrets at rest and callback tokens, both under keys derived from the server's one secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadData, URLSafeSerializer

from core.errors import InvalidInput, NotVerified, Unavailable
from core.webhooks import Secret, Ticket

SEALS: Final = "tailwise webhook secrets"
TICKETS: Final = "tailwise callback tickets"
PREFIX: Final = "cb_"
LONGEST_TOKEN: Final = 400


def derived(secret: str, *, purpose: str) -> bytes:
    """32 bytes for one purpose; raises InvalidInput ``missing-setting`` without a secret."""
    if not secret:
        raise InvalidInput(
            "TAILWISE_CURSOR_SECRET must be set, the same for every process of this server:"
            " webhook secrets are sealed with a key made from it",
            code="missing-setting",
        )
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(
        secret.encode()
    )


class SealedSecrets:
    """Signing secrets as one sealed text: Fernet, which is AES-128-CBC with HMAC-SHA256."""

    def __init__(self, server_secret: str) -> None:
        self._server_secret = server_secret

    def seal(self, secrets: Sequence[Secret]) -> str:
        rows = [[s.text, s.until.timestamp() if s.until else None] for s in secrets]
        return self._fernet().encrypt(json.dumps(rows).encode()).decode()

    def open(self, sealed: str) -> Sequence[Secret]:
        try:
            rows = json.loads(self._fernet().decrypt(sealed.encode()))
        except InvalidToken:
            raise Unavailable(
                "the webhook secrets were sealed under another TAILWISE_CURSOR_SECRET;"
                " set that one again, or rotate the endpoint's secret",
                code="secrets-sealed",
            ) from None
        return [Secret(text=text, until=_moment(until)) for text, until in rows]

    def _fernet(self) -> Fernet:
        key = derived(self._server_secret, purpose=SEALS)
        return Fernet(base64.urlsafe_b64encode(key))


class SignedTickets:
    """Callback tokens: ``cb_``, the ticket in the open, and an HMAC-SHA256 over it."""

    def __init__(self, server_secret: str) -> None:
        self._server_secret = server_secret

    def write(self, ticket: Ticket) -> str:
        expiry = ticket.expires_at.timestamp()
        facts = [ticket.endpoint_id, ticket.session_id, ticket.batch_id, expiry]
        return PREFIX + str(self._serializer().dumps(facts))

    def read(self, token: str) -> Ticket:
        refused = NotVerified("this callback URL is not good", code="callback-refused")
        if not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
            raise refused
        try:
            facts = self._serializer().loads(token.removeprefix(PREFIX))
        except BadData:
            raise refused from None
        endpoint_id, session_id, batch_id, expiry = facts
        return Ticket(
            endpoint_id=endpoint_id,
            session_id=session_id,
            batch_id=batch_id,
            expires_at=datetime.fromtimestamp(expiry, tz=UTC),
        )

    def _serializer(self) -> URLSafeSerializer:
        key = derived(self._server_secret, purpose=TICKETS)
        return URLSafeSerializer(key, salt=TICKETS, signer_kwargs={"digest_method": sha256})


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)
