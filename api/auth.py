"""Who is calling: a key, or a person by cookie; what they may do, and what they see."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Request

from api.cookies import COOKIE, refuse_cross_site
from api.errors import Forbidden, NotAuthenticated
from core.access import (
    Caller,
    allows,
    digest,
    key_caller,
    key_matches,
    person_caller,
    split_token,
)
from core.errors import NotFound
from core.ports import Clock, Repositories, Store

QUERY_NAMES = frozenset({"key", "api_key", "apikey", "token", "access_token", "authorization"})


def refuse_key_in_query(request: Request) -> None:
    """A key in a URL ends up in logs and histories, so it is never accepted there."""
    named = QUERY_NAMES & {name.lower() for name in request.args}
    valued = any(split_token(value) for value in request.args.values())
    if named or valued:
        detail = "send the key in the Authorization header; revoke a key that was put in a URL"
        raise NotAuthenticated(detail, code="key-in-query")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a request shows of its caller: the parts of a key, or else a cookie."""

    key: tuple[str, str] | None = field(default=None, repr=False)
    cookie: str = field(default="", repr=False)


def authenticate(request: Request, *, store: Store, clock: Clock) -> Caller:
    """Who sent the request; see ``shown_by`` and ``recognise`` for what is refused."""
    shown = shown_by(request)
    with store.read() as tx:
        return recognise(tx, shown, clock=clock)


def shown_by(request: Request) -> Shown:
    """A cookie counts only without an Authorization header.

    Raises NotAuthenticated where there is neither, and Forbidden ``cross-site`` for a
    cookie that a page of another site made the browser send.
    """
    cookie = request.cookies.get(COOKIE)
    if cookie is not None and "Authorization" not in request.headers:
        refuse_cross_site(request)
        return Shown(cookie=cookie)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    parts = split_token(token.strip()) if scheme.lower() == "bearer" else None
    if parts is None:
        detail = "send your API key as: Authorization: Bearer tw_..."
        raise NotAuthenticated(detail)
    return Shown(key=parts)


def recognise(tx: Repositories, shown: Shown, *, clock: Clock) -> Caller:
    """Whose key or cookie it is; read anew each time, so that a revocation counts at once.

    Raises NotAuthenticated without saying what was wrong.
    """
    if shown.key is None:
        return _by_cookie(tx, shown.cookie, clock=clock)
    key_id, secret = shown.key
    key = tx.access.get_key(key_id)
    if key is None or not key_matches(key, secret):
        raise NotAuthenticated("this API key is unknown or was revoked", code="key-refused")
    return key_caller(key)


def _by_cookie(tx: Repositories, token: str, *, clock: Clock) -> Caller:
    found = tx.people.sign_in_by_token(digest(token))
    person = None if found is None else tx.people.get_person(found.person_id)
    if (
        found is None
        or found.revoked_at is not None
        or clock.now() >= found.expires_at
        or person is None
        or person.revoked_at is not None
    ):
        raise NotAuthenticated("you are signed out; open a new link", code="signed-out")
    return person_caller(person, sign_in_id=found.id)


def require_scope(caller: Caller, scope: str) -> None:
    """Raises Forbidden that names the scope."""
    if not allows(caller, scope):
        detail = f"this caller lacks the scope {scope}"
        raise Forbidden(detail, extras={"scope": scope})


def require_tenant_wide(caller: Caller) -> None:
    """Refuse a caller who is bound to one session where the whole tenant is concerned."""
    if caller.session_id is not None:
        detail = "this caller is bound to one session and cannot do this"
        raise Forbidden(detail, code="key-bound-to-session")


def require_visible(caller: Caller, session_id: str) -> None:
    """Another session does not exist for a bound caller."""
    if caller.session_id not in {None, session_id}:
        raise NotFound("there is no such session", code="unknown-session")
