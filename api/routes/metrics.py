"""Figures, pictures and events of a session."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from flask import Response, jsonify

from api.blueprint import JSON, Blueprint
from api.context import caller, current_session, services
from api.pagination import fed
from api.schemas.feeds import EventFeedSchema, EventQuery, EventSchema
from api.schemas.figures import MapQuery
from api.streaming import EVENT_STREAM, Look, Message, last_event_id, stream, wants_stream
from core.errors import InvalidInput
from core.records import Event

blueprint = Blueprint(
    "metrics",
    prefix="/v1/sessions/<id:session_id>",
    description="How the session is doing; ids and numbers, never texts.",
)
FIGURES = {
    "type": "object",
    "additionalProperties": True,
    "description": "Figures by name; the guide describes each.",
}
PICTURES = {"svg": "image/svg+xml", "png": "image/png"}
PLOTS = "any(balance,curve,clusters,evenness,entropy,cost,funnel)"
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@blueprint.get("/metrics", answer=FIGURES, refuses=(410,))
def get_metrics() -> Response:
    """Counts, balance, evenness, coverage, cost and warnings."""
    return jsonify(services().metrics(current_session()))


@blueprint.get("/metrics/learning-curve", answer=FIGURES, refuses=(410,))
def get_learning_curve() -> Response:
    """Quality with its interval against labels bought, beside a random choice where one was
    simulated."""
    alone = caller().session_id is not None
    return jsonify(services().learning_curve(current_session(), alone=alone))


@blueprint.get("/metrics/models", answer=FIGURES, refuses=(410,))
def get_model_figures() -> Response:
    """Confusions, figures by class and calibration of every model."""
    return jsonify(services().quality_of_models(current_session()))


@blueprint.get("/metrics/cost", answer=FIGURES, refuses=(410,))
def get_cost() -> Response:
    """Dollars and minutes by round, and what a point of macro-F1 cost."""
    return jsonify(services().cost_figures(current_session()))


@blueprint.get("/metrics/clusters", query=MapQuery, answer=FIGURES, refuses=(410,))
def get_clusters(query: Mapping[str, Any]) -> Response:
    """Each cluster's size, labels and uncertainty, and a map of rows by id."""
    return jsonify(services().clusters(current_session(), batch_id=query.get("batch_id")))


@blueprint.get(
    f"/plots/<{PLOTS}:name>.<any(svg,png):format>",
    produces=tuple(PICTURES.values()),
    refuses=(409, 410),
)
def get_plot(name: str, format: Literal["svg", "png"]) -> Response:
    """A picture of the session, as SVG or PNG."""
    picture = services().plot(current_session(), name, format=format)
    response = Response(picture, content_type=PICTURES[format])
    response.headers["Content-Security-Policy"] = SVG_POLICY
    return response


@blueprint.get(
    "/events",
    query=EventQuery,
    answer=EventFeedSchema,
    produces=(JSON, EVENT_STREAM),
    refuses=(410,),
)
def list_events(query: Mapping[str, Any]) -> Response:
    """What happened, by sequence number; poll it with the last ``next_after``.

    Asked for text/event-stream, it goes on with the same rows as server-sent events, whose
    ids are sequence numbers.
    """
    session, store, types = current_session(), services().store, query.get("types", ())

    def fetch(after: int, limit: int) -> Sequence[Event]:
        with store.read() as tx:
            tx.sessions.get(session.tenant_id, session.id)  # a deleted one ends its stream
            return tx.events.list(session.id, after=after, limit=limit, types=types)

    if wants_stream():
        return stream(_following(fetch, after=_seen(query["after"]), limit=query["limit"]))
    return fed(query, fetch, key=lambda event: event.sequence, schema=EventSchema())


def _following(fetch: Callable[[int, int], Sequence[Event]], *, after: int, limit: int) -> Look:
    """Rows since the last look, ``limit`` at a time; a session's events have no end but its own."""

    def look() -> tuple[Sequence[Message], bool]:
        nonlocal after
        rows = fetch(after, limit)
        after = rows[-1].sequence if rows else after
        shown = EventSchema().dump(rows, many=True)
        return [
            Message(id=str(row.sequence), data=data) for row, data in zip(rows, shown, strict=True)
        ], False

    return look


def _seen(after: int) -> int:
    """The sequence number to go on from: a client that comes again knows best."""
    last = last_event_id()
    if last is None:
        return after
    if not re.fullmatch(r"[0-9]{1,15}", last):
        detail = "Last-Event-ID must be an id that this stream sent"
        raise InvalidInput(detail, code="invalid-last-event-id")
    return int(last)
