"""Desks: what those who label see of their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.schemas.desk import DeskSchema, DesksSchema, desk_document, row_document

blueprint = Blueprint(
    "desk",
    prefix="/v1",
    description="What people need for labelling, and nothing that could sway them.",
)


@blueprint.get("/desks", scope="annotate", answer=DesksSchema)
def list_desks() -> Mapping[str, Any]:
    """List the sessions you can work in."""
    return {"data": [row_document(row) for row in services().desks(caller())]}


@blueprint.get(
    "/sessions/<id:session_id>/desk", scope="annotate", answer=DeskSchema, refuses=(410,)
)
def get_desk() -> Mapping[str, Any]:
    """Get what a person who labels works with: classes, guidelines, own numbers."""
    session = current_session()
    return desk_document(session, services().own_work(session, annotator_id=caller().id))
