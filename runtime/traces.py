"""Traces for whoever collects them: off unless the standard variables name a collector.

Spans name routes, operations and ids, and never a URL, a header or a text. The code writes
them through OpenTelemetry's interface, which does nothing until ``configure_traces``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from core.errors import NotInstalled
from runtime.settings import Settings

NAME: Final = "tailwise"


def configure_traces(settings: Settings, *, process: str) -> None:
    """Send spans of this process to the collector; call it once, after a fork.

    Everything else (headers, sampling, attributes) is the library's own standard variables.
    Raises NotInstalled where a collector is named and the extra is missing.
    """
    if not settings.otlp_endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise NotInstalled(
            "traces need an extra: pip install 'tailwise[otel]'", code="extra-missing"
        ) from error
    endpoint = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
    provider = TracerProvider(
        resource=Resource.create({"service.name": NAME, "service.instance.id": process})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)


@contextmanager
def operation_span(kind: str, *, operation_id: str, session_id: str) -> Iterator[Span]:
    """A span around one execution of an operation; what escapes is named by its class alone."""
    facts = {"tailwise.operation_id": operation_id, "tailwise.session_id": session_id}
    with trace.get_tracer(NAME).start_as_current_span(
        f"operation {kind}",
        kind=SpanKind.CONSUMER,
        attributes=facts,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span


def mark(span: Span, *, failed: bool, code: str | None = None) -> None:
    """Say how it ended; ``code`` is the stable slug of a failure."""
    if code is not None:
        span.set_attribute("tailwise.code", code)
    if failed:
        span.set_status(Status(StatusCode.ERROR))
