"""Pages of a listing: signed cursors, so that a cursor only continues the listing it came from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, jsonify, request

from api.context import settings, tenant_id
from api.schemas.documents import Answer
from core.errors import InvalidInput
from core.records import Page

T = TypeVar("T")
SIGNATURE_BYTES = 16


def paged(
    query: Mapping[str, Any],
    fetch: Callable[[Page], Sequence[T]],
    *,
    key: Callable[[T], str],
    schema: Answer,
) -> Response:
    """One page of what ``fetch`` lists; ``key`` is the sort key of a row as ``Page.after``."""
    limit: int = query["limit"]
    listing = _listing(query)
    after = read_cursor(query["cursor"], listing=listing) if query.get("cursor") else None
    rows = fetch(Page(limit=limit + 1, after=after))
    has_more = len(rows) > limit
    cursor = write_cursor(key(rows[limit - 1]), listing=listing) if has_more else None
    document = {
        "data": schema.dump(rows[:limit], many=True),
        "next_cursor": cursor,
        "has_more": has_more,
    }
    return _linked(document, {"cursor": cursor} if cursor else None)


def fed(
    query: Mapping[str, Any],
    fetch: Callable[[int, int], Sequence[T]],
    *,
    key: Callable[[T], int],
    schema: Answer,
) -> Response:
    """A feed read by sequence number: ``fetch(after, limit)``; ``next_after`` continues it."""
    limit, after = query["limit"], query["after"]
    rows = fetch(after, limit + 1)
    has_more = len(rows) > limit
    last = key(rows[:limit][-1]) if rows else after
    document = {
        "data": schema.dump(rows[:limit], many=True),
        "next_after": last,
        "has_more": has_more,
    }
    return _linked(document, {"after": str(last)} if has_more else None)


def write_cursor(after: str, *, listing: str) -> str:
    """An opaque token for the row to continue after."""
    payload = json.dumps([after], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(payload, listing) + payload).decode().rstrip("=")


def read_cursor(cursor: str, *, listing: str) -> str:
    """Raises InvalidInput ``invalid-cursor`` for anything this listing did not hand out."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not payload or not hmac.compare_digest(signature, _sign(payload, listing)):
        detail = "the cursor is not one that this listing handed out"
        raise InvalidInput(detail, code="invalid-cursor")
    [after] = json.loads(payload)
    return str(after)


def _listing(query: Mapping[str, Any]) -> str:
    """What a cursor belongs to: tenant, path and filters, but not the page size."""
    filters = {k: str(v) for k, v in query.items() if k not in {"cursor", "limit"}}
    return json.dumps([tenant_id(), request.path, sorted(filters.items())])


def _sign(payload: bytes, listing: str) -> bytes:
    secret = settings().cursor_secret.encode()
    message = listing.encode() + b"\0" + payload
    return hmac.new(secret, message, hashlib.sha256).digest()[:SIGNATURE_BYTES]


def _linked(document: Mapping[str, Any], changes: Mapping[str, str] | None) -> Response:
    response = jsonify(document)
    if changes is not None:
        arguments = urlencode({**request.args.to_dict(), **changes})
        response.headers["Link"] = f'<{request.path}?{arguments}>; rel="next"'
    return response
