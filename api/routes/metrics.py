"""Figures, pictures and events of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from flask import Response, jsonify

from api.blueprint import Blueprint
from api.context import caller, current_session, services
from api.pagination import fed
from api.schemas.feeds import EventFeedSchema, EventQuery, EventSchema
from api.schemas.figures import MapQuery
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


@blueprint.get("/events", query=EventQuery, answer=EventFeedSchema, refuses=(410,))
def list_events(query: Mapping[str, Any]) -> Response:
    """What happened, by sequence number; poll it with the last ``next_after``."""

    def fetch(after: int, limit: int) -> Sequence[Event]:
        types = query.get("types", ())
        with services().store.read() as tx:
            return tx.events.list(current_session().id, after=after, limit=limit, types=types)

    return fed(query, fetch, key=lambda event: event.sequence, schema=EventSchema())
