"""Answers that are operations: 202 at once, or the finished one for ``Prefer: wait=N``."""

from __future__ import annotations

import re

from flask import Response, jsonify, request

from api.context import services, tenant_id
from api.schemas.operations import OperationSchema
from core.records import Operation

LONGEST_WAIT = 30


def preferred_wait() -> int | None:
    """Seconds the caller is willing to wait (at most 30); None for an answer at once."""
    wishes = request.headers.get("Prefer", "")
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?=$|[,;\s])", wishes, re.IGNORECASE)
    if found is None or re.search(r"(?:^|[,;\s])respond-async(?=$|[,;\s])", wishes, re.IGNORECASE):
        return None
    return min(int(found[1]), LONGEST_WAIT)


def accepted(operation: Operation) -> Response:
    """202 with the operation and where to follow it; 200 when it ended while we waited."""
    seconds = preferred_wait()
    if seconds is not None and not operation.done:
        operation = services().wait(tenant_id(), operation.id, seconds=seconds)
    response = jsonify(OperationSchema().dump(operation))
    response.headers["Location"] = f"/v1/operations/{operation.id}"
    if seconds is not None:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    if seconds is None or not operation.done:
        response.status_code = 202
        response.headers["Retry-After"] = "1"
    return response
