"""Who is calling: bearer keys, their scopes, and the one session some keys are bound to."""

from __future__ import annotations

from flask import Request

from api.errors import Forbidden, NotAuthenticated
from core.access import Caller, allows, key_caller, key_matches, split_token
from core.errors import NotFound
from core.ports import Store

QUERY_NAMES = frozenset({"key", "api_key", "apikey", "token", "access_token", "authorization"})


def refuse_key_in_query(request: Request) -> None:
    """A key in a URL ends up in logs and histories, so it is never accepted there."""
    named = QUERY_NAMES & {name.lower() for name in request.args}
    valued = any(split_token(value) for value in request.args.values())
    if named or valued:
        detail = "send the key in the Authorization header; revoke a key that was put in a URL"
        raise NotAuthenticated(detail, code="key-in-query")


def authenticate(request: Request, *, store: Store) -> Caller:
    """Whose key this is; raises NotAuthenticated without saying what was wrong with it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    parts = split_token(token.strip()) if scheme.lower() == "bearer" else None
    if parts is None:
        detail = "send your API key as: Authorization: Bearer tw_..."
        raise NotAuthenticated(detail)
    key_id, secret = parts
    with store.read() as tx:
        key = tx.access.get_key(key_id)
    if key is None or not key_matches(key, secret):
        raise NotAuthenticated("this API key is unknown or was revoked", code="key-refused")
    return key_caller(key)


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
