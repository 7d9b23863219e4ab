"""Conditional requests: an ETag is ``"<revision>.<digest>"``.

The digest covers the representation, which holds computed fields and depends on the
key's scopes, so that 304 never hides a change. If-Match compares the revision alone:
that is what a writer may lose; a bare ``"<revision>"`` is accepted too.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, json, jsonify, request

from api.errors import PreconditionMissing
from core.errors import PreconditionFailed


def tag(revision: int, document: Any) -> str:
    """The opaque part of the ETag of a dumped record."""
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return f"{revision}.{digest[:16]}"


def tagged(document: Any, *, revision: int, status: int = 200) -> Response:
    """The document with its ETag, or 304 where the caller already has it."""
    etag = tag(revision, document)
    if request.method in {"GET", "HEAD"} and request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    else:
        response = jsonify(document)
        response.status_code = status
    response.set_etag(etag)
    return response


def expected_revision(current: int) -> int:
    """The revision that If-Match names, given the stored one.

    Raises PreconditionMissing (428) without the header and PreconditionFailed (412)
    when it names another revision.
    """
    if "If-Match" not in request.headers:
        detail = "send If-Match with the ETag you last saw, so that no change is lost"
        raise PreconditionMissing(detail)
    if not _matches(current):
        detail = "it has changed since you read it; read it again and repeat your change"
        raise PreconditionFailed(detail, extras={"revision": current})
    return current


def optional_revision(current: int) -> int | None:
    """As ``expected_revision``, but None where the caller did not ask for the check."""
    return expected_revision(current) if "If-Match" in request.headers else None


def _matches(current: int) -> bool:
    if request.if_match.star_tag:
        return True
    return str(current) in {etag.partition(".")[0] for etag in request.if_match.as_set()}
