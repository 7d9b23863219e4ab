"""Access keys: made once, shown once, kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core.errors import InvalidInput
from core.ports import Ids
from core.records import ApiKey

SCOPES: Final = frozenset(
    {
        "sessions:write",
        "items:write",
        "labels:write",
        "oracle",
        "review",
        "generate",
        "train",
        "models:read",
        "predict",
        "export",
        "content:read",
        "admin",
    }
)
"""``admin`` includes every other scope."""

SECRET_BYTES: Final = 32
PREFIX: Final = "tw"
DEFAULT_TENANT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedKey:
    """A new key's record, and the token that is shown once and stored nowhere."""

    key: ApiKey
    token: str = field(repr=False)


def mint_key(
    *,
    tenant_id: str,
    name: str,
    scopes: Iterable[str],
    session_id: str | None,
    ids: Ids,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> MintedKey:
    """A key whose token is ``tw_<id>_<secret>``, the secret 256 bits in hex.

    Raises InvalidInput ``unknown-scope`` for a scope that does not exist.
    """
    granted = frozenset(scopes)
    for scope in sorted(granted - SCOPES):
        raise InvalidInput.at(
            "/scopes",
            f"{scope!r} is not a scope; known: {', '.join(sorted(SCOPES))}",
            code="unknown-scope",
            allowed=sorted(SCOPES),
        )
    secret = random_bytes(SECRET_BYTES).hex()
    key = ApiKey(
        id=ids.new("key"),
        tenant_id=tenant_id,
        name=name,
        secret_sha256=_digest(secret),
        scopes=granted,
        session_id=session_id,
        created_at=now,
    )
    return MintedKey(key=key, token=f"{PREFIX}_{key.id.removeprefix('key_')}_{secret}")


def split_token(token: str) -> tuple[str, str] | None:
    """(key id, secret) of a well-formed token, None for anything else."""
    prefix, _, rest = token.partition("_")
    number, _, secret = rest.partition("_")
    well_formed = prefix == PREFIX and number.isascii() and number.isalnum()
    if not well_formed or len(secret) != 2 * SECRET_BYTES:
        return None
    return f"key_{number}", secret


def key_matches(key: ApiKey, secret: str) -> bool:
    """Whether the secret belongs to this key and the key still counts; constant time."""
    same = secrets.compare_digest(key.secret_sha256, _digest(secret))
    return same and key.revoked_at is None


def allows(key: ApiKey, scope: str) -> bool:
    """Whether the key has the scope itself or through ``admin``."""
    return scope in key.scopes or "admin" in key.scopes


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
