"""What every request passes before its view runs, in this order.

Caller, rate, scope, session, media types, query, body size, Idempotency-Key: a caller who
may not see a session learns nothing from the order of refusals.
"""

from __future__ import annotations

from flask import Flask, Request, Response, current_app, g, request

from api import auth, idempotency
from api.blueprint import RULES, Rules
from api.context import EXTENSION, services, settings
from api.errors import LengthRequired, NotAcceptable
from api.ratelimit import RateLimits
from core.access import Caller
from core.errors import InvalidInput
from core.ports import Repositories

RATE_LIMITS = "tailwise_rate_limits"


def register_guard(app: Flask) -> None:
    """Install the guard; ``app`` already knows its services."""
    rate = RateLimits(
        app.extensions[EXTENSION].settings,
        now=lambda: app.extensions[EXTENSION].clock.now().timestamp(),
    )
    app.extensions[RATE_LIMITS] = rate
    app.before_request(guard)


def guard() -> Response | None:
    """Refuse, or let the view run; a replayed answer ends the request here."""
    auth.refuse_key_in_query(request)
    if request.routing_exception is not None or request.method == "OPTIONS":
        return None
    rules: Rules | None = getattr(current_app.view_functions[request.endpoint or ""], RULES, None)
    if rules is None:
        return None
    caller = None if rules.public else _identify(rules)
    _require_acceptable(request, rules)
    _refuse_stray_query(request, rules)
    _bound_body(request, rules)
    return idempotency.begin(request, rules, caller) if caller is not None else None


def _identify(rules: Rules) -> Caller:
    """The caller, who may use this route and sees the session it names.

    One look at the database answers both; only a caller who passed meets the session.
    """
    shown = auth.shown_by(request)
    with services().store.read() as tx:
        caller = g.caller = auth.recognise(tx, shown, clock=services().clock)
        rate_limits().spend("requests", caller)
        if rules.scope is not None:
            auth.require_scope(caller, rules.scope)
        if not rules.bound_keys:
            auth.require_tenant_wide(caller)
        _open_session(tx, request, caller)
    return caller


def rate_limits() -> RateLimits:
    """The budgets of the app that answers this request."""
    limits: RateLimits = current_app.extensions[RATE_LIMITS]
    return limits


def _open_session(tx: Repositories, request: Request, caller: Caller) -> None:
    """Replace the id in the path by the caller's session, so that no route can forget to."""
    arguments = request.view_args or {}
    if "session_id" not in arguments:
        return
    session_id = arguments.pop("session_id")
    auth.require_visible(caller, session_id)
    g.session = tx.sessions.get(caller.tenant_id, session_id)


def _require_acceptable(request: Request, rules: Rules) -> None:
    accepted = request.accept_mimetypes
    if accepted and accepted.best_match(list(rules.produces)) is None:
        detail = f"this answers {', '.join(rules.produces)}"
        raise NotAcceptable(detail, extras={"available": list(rules.produces)})


def _refuse_stray_query(request: Request, rules: Rules) -> None:
    if request.args and rules.query is None:
        raise InvalidInput("this URL takes no query parameters", code="invalid-query")


def _bound_body(request: Request, rules: Rules) -> None:
    """Refuse a body by its announced size, before any of it is read."""
    limit = settings().max_import_bytes if rules.upload else settings().max_body_bytes
    request.max_content_length = limit
    if rules.upload and request.content_length is None:
        detail = "send Content-Length; an upload of unknown length is not taken"
        raise LengthRequired(detail)
    if request.content_length is not None and request.content_length > limit:
        detail = f"the body may have at most {limit} bytes"
        raise InvalidInput(detail, code="payload-too-large", extras={"limit": limit})
