"""A loopback server that speaks the Message Batches protocol and keeps its batches.

A batch stays in progress until ``release`` (or from the start, where ``released``); then
every call gets its fate, and answers come in an order of their own. Beside that it answers
single messages, and faults are injected by ``before`` and ``after`` hooks.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from tests.messages_server import KEY, message, variations

ROOT = "/v1/messages/batches"
Fate: TypeAlias = Callable[[str, dict[str, Any]], dict[str, Any]]
"""(custom id, the call's parameters) to the result of its line."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch as the provider has it."""

    id: str
    requests: list[dict[str, Any]]
    created_at: datetime
    status: str = "in_progress"
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def custom_ids(self) -> list[str]:
        return [request["custom_id"] for request in self.requests]


def succeeded(text: str) -> dict[str, Any]:
    return {"type": "succeeded", "message": message(text)}


def errored(kind: str = "api_error") -> dict[str, Any]:
    error = {"type": "error", "error": {"type": kind, "message": "no"}, "request_id": None}
    return {"type": "errored", "error": error}


def well(custom_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """Ten texts that name their call."""
    return succeeded(variations([f"a text number {n} for {custom_id}" for n in range(10)]))


@dataclass(kw_only=True)
class BatchesServer:
    """``paid`` are the custom ids whose answers were written, as often as they were."""

    fate: Fate = well
    released: bool = True
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    before: Callable[[str, str], int | None] = lambda _method, _path: None
    """(method, path) to an HTTP status to answer instead, or None."""
    after: Callable[[str, str], bool] = lambda _method, _path: False
    """Whether to hang up after the work was done, before a word is answered."""
    url: str = ""
    batches: dict[str, Batch] = field(default_factory=dict)
    paid: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def create(self, requests: list[dict[str, Any]], *, foreign: str = "") -> Batch:
        with self.lock:
            number = len(self.batches) + len(self.erased) + 1
            batch = Batch(
                id=f"msgbatch_{foreign}{number:03d}", requests=requests, created_at=self.now()
            )
            self.batches[batch.id] = batch
            if self.released:
                self.end(batch)
            return batch

    def release(self) -> None:
        """Every batch ends, and so does each one that comes."""
        with self.lock:
            self.released = True
            for batch in self.batches.values():
                self.end(batch)

    def end(self, batch: Batch, *, share: float = 1.0) -> None:
        """Each call meets its fate; past ``share`` of them they are canceled."""
        if batch.status == "ended":
            return
        for place, request in enumerate(batch.requests):
            custom_id = request["custom_id"]
            done = place < share * len(batch.requests)
            result = self.fate(custom_id, request["params"]) if done else {"type": "canceled"}
            batch.results[custom_id] = result
            if result["type"] == "succeeded":
                self.paid.append(custom_id)
        batch.status = "ended"

    def shown(self, batch: Batch) -> dict[str, Any]:
        kinds = [result["type"] for result in batch.results.values()]
        counts = {k: kinds.count(k) for k in ("succeeded", "errored", "canceled", "expired")}
        counts["processing"] = len(batch.requests) - len(kinds)
        ended = batch.status == "ended"
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": counts,
            "created_at": batch.created_at.isoformat(),
            "expires_at": (batch.created_at + timedelta(hours=24)).isoformat(),
            "ended_at": batch.created_at.isoformat() if ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{self.url}{ROOT}/{batch.id}/results" if ended else None,
        }

    def lines(self, batch: Batch) -> bytes:
        """In no order of the requests."""
        rows = [{"custom_id": k, "result": result} for k, result in batch.results.items()]
        random.Random(batch.id).shuffle(rows)
        return "".join(json.dumps(row) + "\n" for row in rows).encode()


class Handler(BaseHTTPRequestHandler):
    """Routes of the protocol."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    fake: BatchesServer

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def do_DELETE(self) -> None:
        self._serve(self._delete)

    def _serve(self, work: Callable[[list[str], dict[str, Any]], tuple[int, bytes]]) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path).path
        self.fake.seen.append((self.command, path))
        status = self.fake.before(self.command, path)
        if self.headers.get("authorization") != f"Bearer {KEY}":
            status = 401
        if status is not None:
            self._say(status, _error("overloaded_error" if status > 401 else "no"))
            return
        parts = path.removeprefix(ROOT).strip("/").split("/")
        with self.fake.lock:
            status, answer = work([p for p in parts if p], json.loads(body) if body else {})
        if self.fake.after(self.command, path):
            self.close_connection = True
            return
        self._say(status, answer)

    def _post(self, parts: list[str], body: dict[str, Any]) -> tuple[int, bytes]:
        if not parts:
            return 200, _json(self.fake.shown(self.fake.create(body["requests"])))
        batch = self.fake.batches.get(parts[0])
        if batch is None:
            return 404, _error("not_found_error")
        if batch.status == "ended":
            return 400, _error("invalid_request_error")
        self.fake.end(batch, share=0.5)
        return 200, _json({**self.fake.shown(batch), "processing_status": "canceling"})

    def _get(self, parts: list[str], _body: dict[str, Any]) -> tuple[int, bytes]:
        if not parts:
            return 200, _json(self._listed(parse_qs(urlsplit(self.path).query)))
        batch = self.fake.batches.get(parts[0])
        if batch is None:
            return 404, _error("not_found_error")
        if parts[1:] == ["results"]:
            return 200, self.fake.lines(batch)
        return 200, _json(self.fake.shown(batch))

    def _listed(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """Two at a time, newest first, whatever the limit: there are always more pages."""
        newest = list(reversed(self.fake.batches.values()))
        after = query.get("after_id", [""])[0]
        ids = [batch.id for batch in newest]
        start = ids.index(after) + 1 if after else 0
        page = newest[start : start + 2]
        return {
            "data": [self.fake.shown(batch) for batch in page],
            "has_more": start + 2 < len(newest),
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }

    def _delete(self, parts: list[str], _body: dict[str, Any]) -> tuple[int, bytes]:
        batch = self.fake.batches.get(parts[0])
        if batch is None:
            return 404, _error("not_found_error")
        if batch.status != "ended":
            return 400, _error("invalid_request_error")
        del self.fake.batches[batch.id]
        self.fake.erased.append(batch.id)
        return 200, _json({"id": batch.id, "type": "message_batch_deleted"})

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("request-id", f"req_{len(self.fake.seen)}")
        self.end_headers()
        self.wfile.write(body)


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _error(kind: str) -> bytes:
    return _json({"type": "error", "error": {"type": kind, "message": "no"}})


@contextmanager
def batches_server(**settings: Any) -> Iterator[BatchesServer]:
    """On a free loopback port."""
    fake = BatchesServer(**settings)
    handler = type("BatchesHandler", (Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
