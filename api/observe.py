"""Every request gets an id, a log line, a metric and the headers that keep browsers honest."""

from __future__ import annotations

import re
import time
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import CollectorRegistry, Counter, Histogram

from api.context import services

VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_POLICY,
}
REGISTRY = "tailwise_metrics"
logger = structlog.get_logger("tailwise.api")


class HttpMetrics:
    """Counts and durations by method and route template; ids never become labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "tailwise_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "tailwise_http_request_duration_seconds",
            "Time from the first byte read to the answer made.",
            ["method", "route"],
            registry=registry,
        )

    def count(self, *, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


def register_observation(app: Flask) -> None:
    """First to see a request and last to see its answer; register it before other hooks."""
    registry = CollectorRegistry()
    metrics = HttpMetrics(registry)
    app.extensions[REGISTRY] = registry

    def observe(response: Response) -> Response:
        finish(response, metrics)
        return response

    app.before_request(start)
    app.after_request(observe)
    app.teardown_request(_leave)


def start() -> None:
    """Name the request and start its clock."""
    given = request.headers.get("X-Request-Id", "")
    valid = VALID_REQUEST_ID.fullmatch(given) is not None
    g.request_id = given if valid else services().ids.new("req")
    g.started = time.perf_counter()
    g.span = trace.get_tracer("tailwise").start_span(
        request.method if request.url_rule is not None else "HTTP",
        context=extract(request.headers),
        kind=SpanKind.SERVER,
        attributes={"tailwise.request_id": g.request_id},
    )
    g.span_token = attach(trace.set_span_in_context(g.span))
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def finish(response: Response, metrics: HttpMetrics) -> None:
    """Count, log and put the headers on; what a view set itself stays."""
    seconds = time.perf_counter() - g.started
    route = request.url_rule.rule if request.url_rule is not None else "(none)"
    method = request.method if request.url_rule is not None else "(other)"
    metrics.count(method=method, route=route, status=response.status_code, seconds=seconds)
    _end_span(f"{method} {route}", method=method, route=route, status=response.status_code)
    logger.info(
        "http_request",
        method=method,
        route=route,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
    )
    response.headers["X-Request-Id"] = g.request_id
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _end_span(name: str, *, method: str, route: str, status: int) -> None:
    """The route's template and never the URL, which may hold a secret."""
    g.span.update_name(name)
    facts = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
    }
    g.span.set_attributes(facts)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        g.span.set_status(Status(StatusCode.ERROR))
    g.span.end()
    detach(g.pop("span_token"))


def _leave(_error: BaseException | None) -> None:
    """Leave nothing of this request to the thread's next one, whatever went wrong."""
    structlog.contextvars.unbind_contextvars("request_id")
    if "span_token" in g:
        detach(g.pop("span_token"))
