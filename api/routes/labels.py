"""Label: answers by people or by an oracle, and the events they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify

from api.answers import without_content
from api.auth import require_scope
from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.pagination import fed
from api.schemas.labels import (
    LabelEventSchema,
    LabelFeedSchema,
    LabelQuery,
    LabelRequestSchema,
    LabelResultSchema,
)
from core.errors import Conflict
from core.records import LabelEvent, Page, Session
from core.requests import LabelResult

blueprint = Blueprint(
    "labels",
    prefix="/v1/sessions/<id:session_id>",
    description="Answers are appended, never edited; the sequence number is the watermark.",
)


@blueprint.post(
    "/label",
    scope="labels:write",
    body=LabelRequestSchema,
    answer=LabelResultSchema,
    refuses=(404, 409, 410),
)
def label(asked: Mapping[str, Any]) -> LabelResult:
    """Store answers, or have the session's oracle answer a batch."""
    if "oracle" in asked:
        return _ask(current_session(), asked)
    annotator = caller().id
    if "annotator_id" in asked:
        require_scope(caller(), "oracle")
        annotator = asked["annotator_id"]
    alone = len(asked["labels"]) == 1
    return services().label(
        current_session(),
        asked["labels"],
        annotator_id=annotator,
        mode="atomic" if alone else asked["mode"],
        allow_unsolicited=asked["allow_unsolicited"],
    )


@blueprint.get("/labels", query=LabelQuery, answer=LabelFeedSchema, refuses=(410,))
def list_labels(query: Mapping[str, Any]) -> Response:
    """List label events by sequence number."""

    def fetch(after: int, limit: int) -> Sequence[LabelEvent]:
        page = Page(limit=limit, after=str(after))
        with services().store.read() as tx:
            return tx.labels.list(current_session().id, page, item_id=query.get("item_id"))

    schema = without_content(LabelEventSchema)
    return fed(query, fetch, key=lambda event: event.seq, schema=schema)


@blueprint.post(
    "/labels/<id:label_id>/undo",
    scope="labels:write",
    answer=LabelEventSchema,
    refuses=(409, 410),
)
def undo_label(label_id: str) -> Response:
    """Take an answer of yours back."""
    event = services().undo_label(current_session(), label_id, annotator_id=caller().id)
    return jsonify(without_content(LabelEventSchema).dump(event))


def _ask(session: Session, asked: Mapping[str, Any]) -> LabelResult:
    require_scope(caller(), "oracle")
    if asked["oracle"] != session.settings.oracle.name:
        raise Conflict(
            "the session's settings name another oracle",
            code="oracle-mismatch",
            extras={"oracle": session.settings.oracle.name},
        )
    return services().label_by_oracle(session, asked["batch_id"], noise=asked.get("noise"))
