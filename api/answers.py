"""The few shapes of answers that routes give besides a dumped document."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any

from flask import Response, jsonify, request

from api.context import caller
from api.errors import Forbidden
from api.schemas.documents import Answer
from core.access import Caller, allows
from core.errors import NotFound
from core.records import Operation, Session

CONTENT = "content:read"


def created(document: Any, *, location: str) -> Response:
    """201 with where the new thing is."""
    response = jsonify(document)
    response.status_code = 201
    response.headers["Location"] = location
    return response


def no_content() -> Response:
    """204."""
    return Response(status=204)


def streamed(chunks: Iterable[bytes], *, media_type: str) -> Response:
    """Chunks as they come; the first is taken before the status is sent, so that it can fail."""
    iterator: Iterator[bytes] = iter(chunks)
    first = next(iterator, b"")
    return Response(chain([first], iterator), content_type=media_type)


def downloaded(response: Response, *, size: int, sha256: str, filename: str) -> Response:
    """A file with strong ETag and Content-Digest; answers Range (206) and If-None-Match (304)."""
    response.set_etag(sha256)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.content_length = size
    response.make_conditional(request, accept_ranges=True, complete_length=size)
    if response.status_code == HTTPStatus.OK:
        encoded = base64.b64encode(bytes.fromhex(sha256)).decode()
        response.headers["Content-Digest"] = f"sha-256=:{encoded}:"
    return response


def file_bytes(data: bytes, *, media_type: str, filename: str) -> Response:
    """Bytes in memory as a download."""
    response = Response(data, content_type=media_type)
    sha256 = hashlib.sha256(data).hexdigest()
    return downloaded(response, size=len(data), sha256=sha256, filename=filename)


def may_read_content(caller: Caller) -> bool:
    """Whether the caller may see texts."""
    return allows(caller, CONTENT)


def without_content(schema: type[Answer]) -> Answer:
    """The schema as this caller may see it: fields with texts need the scope content:read."""
    return schema() if may_read_content(caller()) else schema(exclude=schema.sometimes)


def require_content(what: str) -> None:
    """Raises Forbidden unless the caller may read texts."""
    if not may_read_content(caller()):
        raise Forbidden(f"{what} needs the scope {CONTENT}", extras={"scope": CONTENT})


def own(operation: Operation, session: Session, *, kind: str | None = None) -> Operation:
    """The operation, if it is this session's (and of this kind); otherwise it does not exist."""
    if operation.session_id != session.id or kind not in {None, operation.kind}:
        raise NotFound("there is no such operation", code="unknown-operation")
    return operation
