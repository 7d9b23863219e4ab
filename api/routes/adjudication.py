"""Adjudication: what people answered differently, and who decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify

from api.answers import may_read_content
from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.pagination import paged
from api.schemas.adjudication import (
    AdjudicationRequestSchema,
    AdjudicationSchema,
    ConflictPageSchema,
    ConflictQuery,
    conflict_schema,
)
from core.records import Page
from core.rounds.adjudicate import Contested

blueprint = Blueprint(
    "adjudication",
    prefix="/v1/sessions/<id:session_id>",
    description="Where people disagree, somebody decides, without knowing whose answer is whose.",
)


@blueprint.get(
    "/conflicts", scope="review", query=ConflictQuery, answer=ConflictPageSchema, refuses=(410,)
)
def list_conflicts(query: Mapping[str, Any]) -> Response:
    """List items that people answered differently, by position."""
    session = current_session()

    def fetch(page: Page) -> Sequence[Contested]:
        return services().conflicts(session, page)

    shown = session.settings.people.metadata_shown
    schema = conflict_schema(shown, content=may_read_content(caller()))
    return paged(query, fetch, key=lambda found: str(found.item.position), schema=schema)


@blueprint.post(
    "/items/<id:item_id>/adjudicate",
    scope="review",
    body=AdjudicationRequestSchema,
    answer=AdjudicationSchema,
    refuses=(409, 410),
)
def adjudicate(decision: Mapping[str, Any], item_id: str) -> Response:
    """Decide an item in conflict; the answer names who had answered what."""
    decided = services().adjudicate(
        current_session(),
        item_id,
        decision["labels"],
        note=decision["note"],
        adjudicator=caller().id,
    )
    hidden = () if may_read_content(caller()) else ("answers.note",)
    return jsonify(AdjudicationSchema(exclude=hidden).dump(decided))
