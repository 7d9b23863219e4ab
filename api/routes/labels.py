"""Label: answers by people or by an oracle, and the events they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify

from api.answers import without_content
from api.auth import require_scope
from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.errors import Forbidden
from api.pagination import fed
from api.schemas.labels import (
    LabelEventSchema,
    LabelFeedSchema,
    LabelQuery,
    LabelRequestSchema,
    LabelResultSchema,
    MineQuery,
    MyLabelsSchema,
    SeenLabelSchema,
)
from core.access import allows
from core.blinding import SeenLabel
from core.errors import Conflict
from core.records import Page, Session
from core.requests import LabelResult, NewLabel

blueprint = Blueprint(
    "labels",
    prefix="/v1/sessions/<id:session_id>",
    description="Answers are appended, never edited; the sequence number is the watermark.",
)


@blueprint.post(
    "/label",
    scope="annotate",
    body=LabelRequestSchema,
    answer=LabelResultSchema,
    refuses=(404, 409, 410),
)
def label(asked: Mapping[str, Any]) -> LabelResult:
    """Store answers, or have the session's oracle answer a batch."""
    if "oracle" in asked:
        return _ask(current_session(), asked)
    answers: Sequence[NewLabel] = asked["labels"]
    if not all(answer.lease_token for answer in answers):
        require_scope(caller(), "labels:write")
    return services().label(
        current_session(),
        answers,
        annotator_id=_annotator(asked),
        mode="atomic" if len(answers) == 1 else asked["mode"],
        allow_unsolicited=asked["allow_unsolicited"],
        allow_extra=asked["allow_extra"],
    )


@blueprint.get("/labels", query=LabelQuery, answer=LabelFeedSchema, refuses=(410,))
def list_labels(query: Mapping[str, Any]) -> Response:
    """List label events by sequence number, without names where somebody may have to decide."""

    def fetch(after: int, limit: int) -> Sequence[SeenLabel]:
        page = Page(limit=limit, after=str(after))
        return services().label_events(
            current_session(), page, item_id=query.get("item_id"), viewer=_viewer()
        )

    schema = without_content(SeenLabelSchema)
    return fed(query, fetch, key=lambda seen: seen.event.seq, schema=schema)


@blueprint.get(
    "/labels/mine", scope="annotate", query=MineQuery, answer=MyLabelsSchema, refuses=(410,)
)
def list_my_labels(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """List your own latest answers, newest first."""
    session, who = current_session(), caller().id
    return {"data": services().latest_labels(session, annotator_id=who, limit=query["limit"])}


@blueprint.post(
    "/labels/<id:label_id>/undo",
    scope="annotate",
    answer=LabelEventSchema,
    refuses=(409, 410),
)
def undo_label(label_id: str) -> Response:
    """Take an answer of yours back; a person, one of the last ten."""
    event = services().undo_label(current_session(), label_id, annotator_id=caller().id)
    return jsonify(without_content(LabelEventSchema).dump(event))


def _viewer() -> str | None:
    """Who must not learn whose answers they are; None for leads, who see the people anyway."""
    return None if allows(caller(), "people:write") else caller().id


def _annotator(asked: Mapping[str, Any]) -> str:
    """Who answers: the caller, unless a caller who may speak for others names somebody."""
    named: str = asked.get("annotator_id", caller().id)
    if named != caller().id and not allows(caller(), "oracle"):
        detail = "annotator_id must be your own id; the scope oracle may name somebody else"
        raise Forbidden(detail, code="annotator-mismatch", extras={"scope": "oracle"})
    return named


def _ask(session: Session, asked: Mapping[str, Any]) -> LabelResult:
    for scope in ("labels:write", "oracle"):
        require_scope(caller(), scope)
    if asked["oracle"] != session.settings.oracle.name:
        raise Conflict(
            "the session's settings name another oracle",
            code="oracle-mismatch",
            extras={"oracle": session.settings.oracle.name},
        )
    return services().label_by_oracle(session, asked["batch_id"], noise=asked.get("noise"))
