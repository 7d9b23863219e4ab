"""Idempotency-Key: the same POST sent twice has one effect and one answer.

An answer is kept only when it is a success: refusals may be repeated once their cause is
gone, and faults of ours may be retried. The scope of a key is tenant, caller, method
and path; its hash is also what the verbs remember, so that an effect whose answer was
lost is found again.
"""

from __future__ import annotations

import hashlib
import math
import re
from datetime import datetime, timedelta

from flask import Request, Response, g

from api.blueprint import Rules
from api.context import services
from core.access import Caller
from core.errors import Conflict, InvalidInput
from core.records import SavedReply

STALE = timedelta(seconds=60)
SUCCESS = 2
KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Retry-After", "Preference-Applied")
VALID = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def begin(request: Request, rules: Rules, caller: Caller) -> Response | None:
    """Take hold of the request's key; returns the first answer where there is one.

    Raises InvalidInput (400 required/invalid/refused, 422 ``idempotency-key-reused``) and
    Conflict ``idempotency-in-progress``.
    """
    given = _given(request, rules)
    if given is None:
        return None
    scope = _hash(caller.tenant_id, caller.id, request.method, request.path, given)
    return _hold(scope, fingerprint(request, rules))


def hold_message(caller: Caller, message_id: str, request: Request) -> Response | None:
    """Take hold of a callback's webhook-id, as ``begin`` does of a key: a message that is
    sent again, with a new time and signature, gets the first answer."""
    body = hashlib.sha256(request.get_data(cache=True)).hexdigest()
    scope = _hash("webhook-id", caller.tenant_id, caller.id, request.path, message_id)
    return _hold(scope, _hash(body))


def _hold(scope: str, print_: str) -> Response | None:
    now = services().clock.now()
    with services().store.write() as tx:
        saved = tx.replies.begin(
            scope,
            fingerprint=print_,
            now=now,
            stale=now - STALE,
            session_id=g.session.id if "session" in g else None,
        )
    if saved is not None:
        return _replay(saved, print_, now=now)
    g.request_key = g.idempotency_scope = scope
    return None


def finish(response: Response) -> Response:
    """Keep a success for the next time, let go of anything else."""
    scope = g.pop("idempotency_scope", None)
    if scope is None:
        return response
    with services().store.write() as tx:
        if response.status_code // 100 == SUCCESS:
            headers = {
                name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
            }
            body = response.get_data()
            tx.replies.finish(
                scope,
                status=response.status_code,
                body=body,
                headers=headers,
                session_id=g.session.id if "session" in g else None,
            )
        else:
            tx.replies.forget(scope)
    return response


def fingerprint(request: Request, rules: Rules) -> str:
    """What must be equal for two requests to be the same one.

    A streamed upload is not read ahead: its media type, length and digest header stand
    for the body.
    """
    query = request.query_string.decode("latin-1")
    if rules.upload:
        about = ("Content-Type", "Content-Encoding", "Content-Length", "Content-Digest")
        return _hash(query, *(request.headers.get(name, "") for name in about))
    body = hashlib.sha256(request.get_data(cache=True)).hexdigest()
    return _hash(query, body)


def _given(request: Request, rules: Rules) -> str | None:
    given = request.headers.get("Idempotency-Key")
    if rules.idempotency == "none" or (given is None and rules.idempotency != "required"):
        return None
    if given is None:
        detail = "send an Idempotency-Key header, so that a retry cannot do this twice"
        raise InvalidInput(detail, code="idempotency-key-required")
    if rules.idempotency == "refused":
        detail = "this answer holds a secret and is never stored, so it cannot be replayed"
        raise InvalidInput(detail, code="idempotency-key-refused")
    if not VALID.fullmatch(given):
        detail = "an Idempotency-Key has 1 to 255 printable ASCII characters"
        raise InvalidInput(detail, code="idempotency-key-invalid")
    return given


def _replay(saved: SavedReply, print_: str, *, now: datetime) -> Response:
    if saved.fingerprint != print_:
        detail = "this Idempotency-Key (or webhook-id) was used with another request"
        raise InvalidInput(detail, code="idempotency-key-reused")
    if saved.status == 0:
        seconds = max(1, math.ceil((saved.created_at + STALE - now).total_seconds()))
        detail = (
            "the first request with this Idempotency-Key (or webhook-id) is still running; if its"
            f" process has died, the key is free in {seconds} s"
        )
        extras = {"free_after_s": seconds}
        raise Conflict(detail, code="idempotency-in-progress", extras=extras)
    response = Response(saved.body, status=saved.status, headers=dict(saved.headers))
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _hash(*parts: str) -> str:
    """A hash whose parts cannot run into one another."""
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode("utf-8", "surrogateescape")).hexdigest()
