"""The queue: claim items, hold them longer, hand them back, skip or flag them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, jsonify

from api.answers import no_content
from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.schemas.leases import (
    ClaimedSchema,
    ClaimRequestSchema,
    FlaggedSchema,
    FlagSchema,
    HeartbeatSchema,
    HeldSchema,
    ReleaseSchema,
    SkippedSchema,
    SkipSchema,
    claimed_document,
)
from core.people import Assignment
from core.rounds.desk import wishes
from core.rounds.holding import Holder
from core.rounds.lease import ClaimRequest

blueprint = Blueprint(
    "leases",
    prefix="/v1/sessions/<id:session_id>",
    description="People hold items while they answer; a lease that ran out frees its item.",
)
LEASE: Mapping[str, Any] = {"scope": "annotate", "idempotency": "none", "refuses": (409, 410)}


@blueprint.post("/leases", body=ClaimRequestSchema, answer=ClaimedSchema, **LEASE)
def claim_leases(asked: ClaimRequest) -> Response:
    """Claim items; those that you still hold come first, under new tokens."""
    wished = wishes(caller(), languages=asked.languages, avoid_topics=asked.avoid_topics)
    request = replace(asked, languages=wished.languages, avoid_topics=wished.avoid_topics)
    claimed = services().claim(current_session(), request, annotator_id=caller().id)
    response = jsonify(ClaimedSchema().dump(claimed_document(current_session(), claimed)))
    response.headers["Cache-Control"] = "no-store"
    if claimed.retry_after_s is not None:
        response.headers["Retry-After"] = str(claimed.retry_after_s)
    return response


@blueprint.post(
    "/assignments/<id:assignment_id>/heartbeat", body=HeartbeatSchema, answer=HeldSchema, **LEASE
)
def heartbeat_lease(asked: Mapping[str, Any], assignment_id: str) -> Assignment:
    """Hold an item longer; a lease that ran out goes on where nobody took the item."""
    holder = _holder(asked, assignment_id)
    return services().heartbeat(current_session(), holder, ttl_s=asked["ttl_s"])


@blueprint.post("/assignments/<id:assignment_id>/release", body=ReleaseSchema, status=204, **LEASE)
def release_lease(asked: Mapping[str, Any], assignment_id: str) -> Response:
    """Hand an item back without a word; it counts for nothing."""
    services().release(current_session(), _holder(asked, assignment_id))
    return no_content()


@blueprint.post(
    "/assignments/<id:assignment_id>/skip", body=SkipSchema, answer=SkippedSchema, **LEASE
)
def skip_lease(asked: Mapping[str, Any], assignment_id: str) -> Mapping[str, Any]:
    """Decline an item; you do not get it again."""
    holder = _holder(asked, assignment_id)
    reason = asked["reason"] or None
    return {"item_state": services().skip(current_session(), holder, reason=reason)}


@blueprint.post(
    "/assignments/<id:assignment_id>/flag", body=FlagSchema, answer=FlaggedSchema, **LEASE
)
def flag_lease(asked: Mapping[str, Any], assignment_id: str) -> Mapping[str, Any]:
    """Say that something is wrong with an item: nobody gets it until that is decided."""
    holder = _holder(asked, assignment_id)
    reason, note = asked["reason"], asked["note"] or None
    flag = services().flag(current_session(), holder, reason=reason, note=note)
    return {"flag_id": flag.id, "item_state": "excluded"}


def _holder(asked: Mapping[str, Any], assignment_id: str) -> Holder:
    return Holder(assignment_id=assignment_id, token=asked["lease_token"], annotator_id=caller().id)
