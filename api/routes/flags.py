"""Flags: what people found wrong with items, and the decisions about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify

from api.answers import without_content
from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.pagination import paged
from api.schemas.flags import FlagPageSchema, FlagQuery, FlagRowSchema, ResolutionSchema
from core.records import Page
from core.rounds.flags import Flagged

blueprint = Blueprint(
    "flags",
    prefix="/v1/sessions/<id:session_id>/flags",
    description="A flagged item waits, out of the queue, for somebody to decide.",
)


@blueprint.get("", scope="review", query=FlagQuery, answer=FlagPageSchema, refuses=(410,))
def list_flags(query: Mapping[str, Any]) -> Response:
    """List flags, oldest first."""

    def fetch(page: Page) -> Sequence[Flagged]:
        return services().list_flags(current_session(), page, state=query.get("state"))

    schema = without_content(FlagRowSchema)
    return paged(query, fetch, key=lambda found: found.flag.id, schema=schema)


@blueprint.post(
    "/<id:flag_id>/resolve",
    scope="review",
    body=ResolutionSchema,
    answer=FlagRowSchema,
    refuses=(409, 410),
)
def resolve_flag(decision: Mapping[str, Any], flag_id: str) -> Response:
    """Put the item back to where it waited, or leave it out."""
    found = services().resolve_flag(
        current_session(),
        flag_id,
        decision["resolution"],
        note=decision["note"] or None,
        resolver=caller().id,
    )
    return jsonify(without_content(FlagRowSchema).dump(found))
