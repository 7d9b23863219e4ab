"""Traces reach a collector, follow the caller's, and hold no texts, URLs or keys."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.running import running

pytestmark = pytest.mark.slow

CANARY = "canary-of-the-trace-test"
PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"
LABELS = [{"id": "a"}, {"id": "b"}]


class Collector(BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        zipped = self.headers.get("Content-Encoding") == "gzip"
        self.bodies.append(gzip.decompress(body) if zipped else body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """What a collector got of a session made, filled and indexed; complete once stopped."""
    handler = type("Handler", (Collector,), {"bodies": []})
    collector = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{collector.server_port}"
    folder: Path = tmp_path_factory.mktemp("traces")
    with running(folder / "data", environ={"OTEL_EXPORTER_OTLP_ENDPOINT": address}) as server:
        caller = server.caller()
        document = {
            "name": CANARY,
            "task": {"labels": LABELS},
            "settings": {"encoder": "hashing"},
        }
        headers = {"traceparent": f"00-{PARENT}-00f067aa0ba902b7-01"}
        session = caller.made("/v1/sessions", document, headers=headers)
        rows = [{"text": f"{CANARY} {n}"} for n in range(8)]
        added = caller.made(f"/v1/sessions/{session['id']}/items", {"items": rows})
        caller.ended(added["operation"])
        caller.get(f"/v1/sessions/{CANARY}")
    collector.shutdown()
    thread.join()
    collector.server_close()
    return handler.bodies


def spans(bodies: list[bytes]) -> list[Any]:
    requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    return [
        span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_requests_and_operations_have_spans(collected: list[bytes]) -> None:
    names = {span.name for span in spans(collected)}
    assert {"POST /v1/sessions", "operation index"} <= names


def test_a_request_belongs_to_the_trace_of_its_caller(collected: list[bytes]) -> None:
    [made] = [span for span in spans(collected) if span.name == "POST /v1/sessions"]
    assert made.trace_id.hex() == PARENT


def test_no_text_url_or_key_is_in_a_trace(collected: list[bytes]) -> None:
    whole = b"".join(collected)
    assert whole
    assert CANARY.encode() not in whole
    assert b"Bearer" not in whole
