"""The one place where refusals become HTTP: a status per error, RFC 9457 problem documents.

TailwiseError
└── Refused                what only HTTP can refuse; carries its status
    ├── NotAuthenticated   401 with WWW-Authenticate
    ├── Forbidden          403: the key lacks a scope
    ├── PreconditionMissing 428: If-Match is required
    └── TooManyRequests    429 with Retry-After
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus

import structlog
from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestedRangeNotSatisfiable

from api.context import request_id
from core.errors import (
    Conflict,
    FieldError,
    Gone,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotInstalled,
    NotVerified,
    PreconditionFailed,
    TailwiseError,
    Unavailable,
)

PROBLEM_JSON = "application/problem+json"
CHALLENGE = 'Bearer realm="tailwise"'
logger = structlog.get_logger("tailwise.api")


class Refused(TailwiseError):
    """Something only the HTTP layer refuses."""

    status = 400
    headers: Mapping[str, str] = {}


class NotAuthenticated(Refused):
    code = "not-authenticated"
    status = 401


class Forbidden(Refused):
    code = "scope-missing"
    status = 403


class NotAcceptable(Refused):
    code = "not-acceptable"
    status = 406


class LengthRequired(Refused):
    code = "length-required"
    status = 411


class PreconditionMissing(Refused):
    code = "if-match-required"
    status = 428


class TooManyRequests(Refused):
    code = "rate-limited"
    status = 429


STATUS_BY_CODE = {
    "malformed-json": 400,
    "invalid-cursor": 400,
    "invalid-query": 400,
    "invalid-last-event-id": 400,
    "idempotency-key-required": 400,
    "idempotency-key-invalid": 400,
    "idempotency-key-refused": 400,
    "payload-too-large": 413,
    "unsupported-media-type": 415,
}
STATUS_BY_CLASS: Mapping[type[TailwiseError], int] = {
    InvalidInput: 422,
    NotFound: 404,
    Gone: 410,
    Conflict: 409,
    NotAllowed: 403,
    NotVerified: 401,
    PreconditionFailed: 412,
    Unavailable: 503,
    NotInstalled: 503,
}
CODE_BY_STATUS = {
    400: "malformed-request",
    404: "unknown-url",
    405: "method-not-allowed",
    411: "length-required",
    413: "payload-too-large",
    415: "unsupported-media-type",
    416: "range-not-satisfiable",
    500: "internal",
}
SENTENCES = {
    400: "the request could not be understood",
    404: "there is nothing at this URL",
    405: "this URL does not take that method; the Allow header lists what it takes",
    413: "the body is larger than allowed",
    416: "the requested range lies outside the content",
}
RETRY_AFTER = {
    "operation-in-progress": 2,
    "idempotency-in-progress": 1,
    "disk-full": 60,
    "not-installed": 60,
}
RETRYABLE_STATUS = frozenset({429, 503})
RESERVED = frozenset(
    {"type", "title", "status", "detail", "instance", "code", "request_id", "retryable", "errors"}
)


def status_of(error: TailwiseError) -> int:
    """The HTTP status an error is answered with."""
    if isinstance(error, Refused):
        return error.status
    by_class = next((s for c, s in STATUS_BY_CLASS.items() if isinstance(error, c)), 500)
    return (
        STATUS_BY_CODE.get(error.code, by_class)
        if by_class == HTTPStatus.UNPROCESSABLE_ENTITY
        else by_class
    )


def problem(
    status: int,
    *,
    code: str,
    detail: str,
    errors: tuple[FieldError, ...] = (),
    extras: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; ``extras`` are typed members that never replace the standard ones."""
    retry_after = RETRY_AFTER.get(code, 5 if status == HTTPStatus.SERVICE_UNAVAILABLE else None)
    facts = {k: v for k, v in (extras or {}).items() if k not in RESERVED}
    if "operation" in facts:
        facts["url"] = f"/v1/operations/{facts['operation']}"
    document = {
        "type": f"urn:tailwise:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": request_id(),
        "retryable": status in RETRYABLE_STATUS or code in RETRY_AFTER,
        "errors": [asdict(error) for error in errors],
        **facts,
    }
    response = Response(json.dumps(document), status=status, content_type=PROBLEM_JSON)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    response.headers.update(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers.setdefault("WWW-Authenticate", CHALLENGE)
    return response


def answer_refusal(error: TailwiseError) -> Response:
    """Any error of the tree."""
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request_failed", code=error.code, error=type(error).__name__)
    return problem(
        status,
        code=error.code,
        detail=error.detail,
        errors=error.errors,
        extras=error.extras,
        headers=error.headers if isinstance(error, Refused) else None,
    )


def answer_http_exception(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse: unknown URLs, methods, sizes, ranges."""
    status = error.code or 500
    if status < HTTPStatus.BAD_REQUEST:
        return Response(status=status, headers=dict(error.get_headers()))
    code = CODE_BY_STATUS.get(status, HTTPStatus(status).phrase.lower().replace(" ", "-"))
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, RequestedRangeNotSatisfiable) and error.length is not None:
        headers["Content-Range"] = f"bytes */{error.length}"
    extras = (
        {"limit": request.max_content_length}
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        else {}
    )
    detail = SENTENCES.get(status, HTTPStatus(status).phrase)
    return problem(status, code=code, detail=detail, extras=extras, headers=headers)


def answer_unexpected(error: Exception) -> Response:
    """A fault of ours: the caller gets an id, the log the place, nobody the message."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    logger.error(
        "unexpected_error", error=type(error).__name__, file=frame.filename, line=frame.lineno
    )
    detail = "something went wrong here; quote the request id when you report it"
    return problem(500, code="internal", detail=detail)


def register_errors(app: Flask) -> None:
    """Nothing leaves the app unanswered."""
    app.register_error_handler(TailwiseError, answer_refusal)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(Exception, answer_unexpected)
