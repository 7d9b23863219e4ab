"""The demo's client against a scripted server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from benchmarks.demo.client import DemoClient, ServiceRefusal
from benchmarks.demo.options import DemoRefused


class Script(ThreadingHTTPServer):
    """Answers requests from a list and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, Any]] = []
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Script

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        status, document = self.server.answers.pop(0)
        raw = json.dumps(document).encode()
        self.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_args: Any) -> None:
        """Quiet."""


@pytest.fixture
def script() -> Iterator[Script]:
    server = Script()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(script) -> Iterator[DemoClient]:
    made = DemoClient(script.url, "tw_key")
    yield made
    made.close()


def test_every_request_carries_the_key(client, script):
    script.answers = [(200, {"a": 1})]
    assert client.get("/v1/sessions") == {"a": 1}
    assert script.seen[0][2]["authorization"] == "Bearer tw_key"


def test_two_posts_carry_two_idempotency_keys(client, script):
    script.answers = [(201, {}), (201, {})]
    client.post("/v1/sessions", {"name": "a"})
    client.post("/v1/sessions", {"name": "a"})
    keys = [headers["idempotency-key"] for _, _, headers, _ in script.seen]
    assert len(set(keys)) == 2


def test_a_refusal_is_one_line_with_its_code(client, script):
    script.answers = [(409, {"code": "batch-open", "detail": "finish the batch first"})]
    with pytest.raises(ServiceRefusal) as refused:
        client.post("/v1/sessions/ses_1/select")
    assert refused.value.code == "batch-open"
    assert str(refused.value) == (
        "POST /v1/sessions/ses_1/select was refused (409 batch-open): finish the batch first"
    )


def test_an_operation_is_polled_until_it_is_done(client, script):
    running = {"id": "op_1", "kind": "index", "done": False, "state": "running"}
    script.answers = [(200, running), (200, {**running, "done": True, "state": "succeeded"})]
    heard: list[str] = []
    ended = client.finished(running, watch=lambda o: heard.append(o["state"]))
    assert ended["state"] == "succeeded"
    assert heard == ["running", "succeeded"]
    assert [path for _, path, _, _ in script.seen] == ["/v1/operations/op_1?wait=2"] * 2


def test_an_operation_that_is_done_is_not_asked_again(client, script):
    done = {"id": "op_1", "kind": "index", "done": True, "state": "succeeded"}
    assert client.finished(done) == done
    assert script.seen == []


def test_a_failed_operation_says_why(client):
    error = {"code": "no-valid-rows", "detail": "no row of the file was valid"}
    failed = {"id": "op_1", "kind": "import", "done": True, "state": "failed", "error": error}
    with pytest.raises(DemoRefused, match="the import operation failed: no row of the file"):
        client.finished(failed)


def test_a_file_is_streamed_with_its_type_and_length(client, script, tmp_path):
    file = tmp_path / "rows.csv.gz"
    file.write_bytes(b"packed" * 1000)
    script.answers = [(202, {"id": "op_1"})]
    client.upload(
        "/v1/sessions/ses_1/imports",
        file,
        media_type="text/csv",
        gzip=True,
        params={"text_column": "text"},
    )
    method, path, headers, body = script.seen[0]
    assert (method, path) == ("POST", "/v1/sessions/ses_1/imports?text_column=text")
    assert (headers["content-type"], headers["content-encoding"]) == ("text/csv", "gzip")
    assert (headers["content-length"], body) == ("6000", b"packed" * 1000)


def test_listings_are_read_to_their_end(client, script):
    script.answers = [
        (200, {"data": [{"id": 1}], "next_cursor": "c", "has_more": True}),
        (200, {"data": [{"id": 2}], "next_cursor": None, "has_more": False}),
    ]
    assert [row["id"] for row in client.rows("/v1/things", state="proposed")] == [1, 2]
    assert "cursor=c" in script.seen[1][1]


def test_a_server_that_is_gone_is_one_line(script):
    gone = DemoClient("http://127.0.0.1:9", "tw_key")
    with pytest.raises(DemoRefused, match="the server does not answer GET /v1/sessions"):
        gone.get("/v1/sessions")
    gone.close()
