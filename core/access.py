"""Who may do what: scopes, roles, callers, and access keys that are kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from core.errors import InvalidInput
from core.people import Person, Role
from core.ports import Ids
from core.records import ApiKey

SCOPES: Final = frozenset(
    {
        "annotate",
        "read",
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
        "people:write",
        "webhooks:write",
        "admin",
    }
)
"""``admin`` includes every other scope, ``labels:write`` includes ``annotate``, and every
scope but ``annotate`` includes ``read``: see ``allows``."""

ROLES: Final[Mapping[Role, frozenset[str]]] = MappingProxyType(
    {
        "annotator": frozenset({"annotate"}),
        "reviewer": frozenset({"annotate", "review", "content:read"}),
        "lead": SCOPES - {"admin", "oracle", "webhooks:write"},
        "admin": frozenset({"admin"}),
    }
)
"""What a person of each role may do."""

SECRET_BYTES: Final = 32
PREFIX: Final = "tw"
DEFAULT_TENANT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who a request comes from: a key, or a person who signed in.

    ``id`` is the key's or the person's, and the annotator id of what the caller answers.
    ``session_id`` is the only session the caller sees, None = every one of the tenant.
    ``sign_in_id`` is the browser of a person.
    """

    id: str
    tenant_id: str
    name: str
    scopes: frozenset[str]
    session_id: str | None
    person: Person | None = None
    sign_in_id: str | None = None


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
        secret_sha256=digest(secret),
        scopes=granted,
        session_id=session_id,
        created_at=now,
    )
    return MintedKey(key=key, token=f"{PREFIX}_{key.id.removeprefix('key_')}_{secret}")


def new_token(
    kind: str, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[str, str]:
    """(token, its SHA-256) with 256 bits of chance; the kind in front lets scanners find it."""
    token = f"{PREFIX}{kind}_{random_bytes(SECRET_BYTES).hex()}"
    return token, digest(token)


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
    same = secrets.compare_digest(key.secret_sha256, digest(secret))
    return same and key.revoked_at is None


def key_caller(key: ApiKey) -> Caller:
    """The caller behind a key whose secret was checked."""
    return Caller(
        id=key.id,
        tenant_id=key.tenant_id,
        name=key.name,
        scopes=key.scopes,
        session_id=key.session_id,
    )


def person_caller(person: Person, *, sign_in_id: str) -> Caller:
    """The caller behind a sign-in that counts, with the scopes of the person's role."""
    return Caller(
        id=person.id,
        tenant_id=person.tenant_id,
        name=person.name,
        scopes=ROLES[person.role],
        session_id=person.session_id,
        person=person,
        sign_in_id=sign_in_id,
    )


def allows(caller: Caller, scope: str) -> bool:
    """Whether the caller has the scope, itself or through one that includes it."""
    if scope in caller.scopes or "admin" in caller.scopes:
        return True
    if scope == "read":
        return bool(caller.scopes - {"annotate"})
    return scope == "annotate" and "labels:write" in caller.scopes


def may_give(caller: Caller, role: Role) -> bool:
    """Whether the caller may do all that the role may: nobody hands out more than they have."""
    return all(allows(caller, scope) for scope in ROLES[role])


def effective(caller: Caller) -> list[str]:
    """Every scope the caller has, included ones too, in order."""
    return sorted(scope for scope in SCOPES if allows(caller, scope))


def digest(secret: str) -> str:
    """SHA-256 in hex; enough for secrets of high entropy, and they are found by it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
