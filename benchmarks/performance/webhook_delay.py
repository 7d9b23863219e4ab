"""How long a webhook takes to arrive while another receiver hangs, against when none does."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import httpx2

from benchmarks.performance.serving import key, prepared, serving
from benchmarks.performance.table import Row
from core.access import SCOPES
from runtime.settings import load_settings

EVENTS = 30
PATIENCE = 30.0
CLASSES = [{"id": "a"}, {"id": "b"}]


def run() -> list[Row]:
    """The slowest of 30 deliveries to a receiver that answers, on one worker."""
    arrived: Queue[float] = Queue()
    hang = threading.Event()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        good = stack.enter_context(_receiver(lambda: arrived.put(time.monotonic())))
        dead = stack.enter_context(_receiver(lambda: hang.wait(60)))
        stack.callback(hang.set)
        settings = load_settings(
            {
                "TAILWISE_DATA_DIR": folder,
                "TAILWISE_METRICS_PORT": "0",
                "TAILWISE_WEBHOOK_ALLOW": f"127.0.0.1:{good},127.0.0.1:{dead}",
            }
        )
        _, token = key(prepared(settings), SCOPES)
        url = stack.enter_context(serving(settings, api_only=False))
        headers = {"Authorization": f"Bearer {token}"}
        client = stack.enter_context(
            httpx2.Client(base_url=url, headers=headers, timeout=30, trust_env=False)
        )
        document = {"name": "webhooks", "task": {"labels": CLASSES}}
        session = _made(client, "/v1/sessions", document)["id"]
        _made(client, "/v1/webhook-endpoints", {"url": f"http://127.0.0.1:{good}/"})
        alone = _slowest(client, session, arrived)
        _made(client, "/v1/webhook-endpoints", {"url": f"http://127.0.0.1:{dead}/"})
        beside = _slowest(client, session, arrived)
    return [
        Row(
            name=f"slowest of {EVENTS} webhooks beside a receiver that hangs",
            ours_seconds=beside,
            reference_seconds=alone,
            ratio=beside / alone,
            target="less than a second more",
            note=f"{beside - alone:+.2f} s; reference: without that receiver",
        )
    ]


def _made(client: httpx2.Client, path: str, document: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=document)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _slowest(client: httpx2.Client, session: str, arrived: Queue[float]) -> float:
    """Seconds from the answer that made an event to its arrival."""
    delays = []
    for number in range(EVENTS):
        path, changes = f"/v1/sessions/{session}", {"name": f"name {number}"}
        client.patch(path, json=changes, headers={"If-Match": "*"}).raise_for_status()
        happened = time.monotonic()
        delays.append(arrived.get(timeout=PATIENCE) - happened)
    return max(delays)


@contextmanager
def _receiver(on_message: Any) -> Iterator[int]:
    """A webhook receiver that does this before it answers; its port."""

    class Route(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            on_message()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Route)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
