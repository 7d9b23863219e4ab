"""Documents made to hurt: each is refused, and the one thread that refused it goes on working."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psutil
import pytest

from tests.e2e.running import Caller, Running, running, session_document

pytestmark = pytest.mark.slow

JSON = "application/json"
GOOD = json.dumps(session_document())
DEEP = 100_000
GROWTH_BYTES = 50_000_000
PATIENCE = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One web process with one thread: who blocks it or breaks it, blocks or breaks everything."""
    with running(
        tmp_path_factory.mktemp("hostile") / "data", threads=1, web_processes=1
    ) as started:
        yield started


@pytest.fixture(scope="module")
def caller(server: Running) -> Caller:
    return server.caller()


def named(name: str) -> bytes:
    """A session document whose name is the given JSON text."""
    return GOOD.replace('"topics"', name, 1).encode()


def seeded(seed: str) -> bytes:
    """A session document whose seed is the given JSON text."""
    return GOOD.replace('"batch_size": 12', f'"seed": {seed}', 1).encode()


def many_keys(count: int) -> bytes:
    return json.dumps({f"{n:x}": 0 for n in range(count)}, separators=(",", ":")).encode()


BODIES: dict[str, tuple[Callable[[], bytes], int, str, str | None]] = {
    "nested lists": (lambda: b"[" * DEEP + b"]" * DEEP, 400, "malformed-json", None),
    "nested objects": (lambda: b'{"a":' * DEEP + b"1" + b"}" * DEEP, 400, "malformed-json", None),
    "nesting never closed": (lambda: b"[" * DEEP, 400, "malformed-json", None),
    "nesting in a field": (
        lambda: seeded("[" * DEEP + "]" * DEEP),
        400,
        "malformed-json",
        None,
    ),
    "nesting of 70": (lambda: seeded("[" * 70 + "]" * 70), 400, "malformed-json", None),
    "lone surrogate": (lambda: named(r'"\ud800"'), 422, "invalid-text", "/name"),
    "lone low surrogate": (lambda: named(r'"a\udc00b"'), 422, "invalid-text", "/name"),
    "surrogates as bytes": (
        lambda: named('"X"').replace(b"X", b"\xed\xa0\x80"),
        400,
        "malformed-json",
        None,
    ),
    "NUL escaped": (lambda: named(r'"a\u0000b"'), 422, "invalid-text", "/name"),
    "NUL raw": (lambda: named('"a\0b"'), 400, "malformed-json", None),
    "2^63": (lambda: seeded(str(2**63)), 422, "invalid-number", "/settings/seed"),
    "-2^63 - 1": (lambda: seeded(str(-(2**63) - 1)), 422, "invalid-number", "/settings/seed"),
    "5,000 digits": (lambda: seeded("7" * 5_000), 422, "invalid-number", "/settings/seed"),
    "a million digits": (lambda: seeded("7" * 1_000_000), 422, "invalid-number", "/settings/seed"),
    "1e400": (lambda: seeded("1e400"), 422, "invalid-number", "/settings/seed"),
    "NaN": (lambda: seeded("NaN"), 400, "malformed-json", None),
    "Infinity": (lambda: seeded("-Infinity"), 400, "malformed-json", None),
    "null": (lambda: b"null", 422, "invalid-type", ""),
    "a list": (lambda: b"[]", 422, "invalid-type", ""),
    "a string": (lambda: b'"x"', 422, "invalid-type", ""),
    "a number": (lambda: b"1", 422, "invalid-type", ""),
    "the same key twice": (lambda: b'{"name":"a","name":"b"}', 400, "malformed-json", None),
    "two documents": (lambda: b"{} {}", 400, "malformed-json", None),
    "nothing": (lambda: b"", 400, "malformed-json", None),
    "not JSON": (lambda: b"{'name': 1}", 400, "malformed-json", None),
    "UTF-16": (lambda: GOOD.encode("utf-16"), 400, "malformed-json", None),
    "UTF-16 without mark": (lambda: GOOD.encode("utf-16-le"), 400, "malformed-json", None),
    "a byte order mark": (lambda: b"\xef\xbb\xbf" + GOOD.encode(), 400, "malformed-json", None),
    "Latin-1": (lambda: named('"é"').decode().encode("latin-1"), 400, "malformed-json", None),
    "90,000 keys": (lambda: many_keys(90_000), 422, "invalid-input", None),
    "400,000 keys": (lambda: many_keys(400_000), 422, "too-many-values", None),
    "a million keys": (lambda: many_keys(1_000_000), 413, "payload-too-large", None),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_document_is_refused_and_the_next_good_one_is_not(
    caller: Caller, name: str
) -> None:
    make, status, code, pointer = BODIES[name]
    answer = caller.post("/v1/sessions", content=make(), headers={"Content-Type": JSON}, key=None)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
    assert len(answer.content) < 50_000
    assert caller.made("/v1/sessions", session_document(), key=None)["state"] == "draft"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "text/json"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/merge-patch+json"},
        {"Content-Type": "nonsense"},
        {},
        {"Content-Type": JSON, "Content-Encoding": "gzip"},
        {"Content-Type": JSON, "Content-Encoding": "deflate"},
    ],
    ids=lambda headers: " ".join(headers.values()) or "none",
)
def test_another_media_type_is_refused(caller: Caller, headers: dict[str, str]) -> None:
    body = GOOD.encode()
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.compress(body)
    answer = caller.post("/v1/sessions", content=body, headers=headers, key=None)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert caller.read("/v1/version")["name"] == "tailwise"


def test_a_gigabyte_that_is_only_announced_is_refused_by_its_length(
    server: Running, caller: Caller
) -> None:
    for path in ("/v1/sessions", "/v1/sessions/ses_unknown/items"):
        with closing(connected(server)) as line:
            line.sendall(head(caller, path, "Content-Length: 1000000000"))
            status, problem = answered(line)
        assert (status, problem["code"]) in [(413, "payload-too-large"), (404, "unknown-session")]
        assert caller.read("/v1/version")["name"] == "tailwise"


def test_a_body_without_end_is_refused_once_it_is_too_large(
    server: Running, caller: Caller
) -> None:
    block = b"%x\r\n" % 65_536 + b" " * 65_536 + b"\r\n"
    with closing(connected(server)) as line:
        line.sendall(head(caller, "/v1/sessions", "Transfer-Encoding: chunked"))
        try:
            for _ in range(10_000):
                line.sendall(block)
        except OSError:
            hung_up = True
        else:
            hung_up = False
    assert hung_up
    assert caller.read("/v1/version")["name"] == "tailwise"


def test_a_chunked_body_past_the_limit_is_answered_413(server: Running, caller: Caller) -> None:
    size = 5_000_001
    with closing(connected(server)) as line:
        line.sendall(head(caller, "/v1/sessions", "Transfer-Encoding: chunked"))
        line.sendall(b"%x\r\n" % size + b" " * size)
        status, problem = answered(line)
    assert (status, problem["code"], problem["limit"]) == (413, "payload-too-large", 5_000_000)


def test_an_import_of_unknown_length_is_refused_before_it_is_read(
    server: Running, caller: Caller
) -> None:
    session = caller.made("/v1/sessions", session_document())
    path = f"/v1/sessions/{session['id']}/imports"
    with closing(connected(server)) as line:
        headers = ("Transfer-Encoding: chunked", "Idempotency-Key: endless")
        line.sendall(head(caller, path, *headers, content_type="text/csv"))
        status, problem = answered(line)
    assert (status, problem["code"]) == (411, "length-required")
    assert caller.read(f"/v1/operations?session_id={session['id']}")["data"] == []


def test_the_web_process_does_not_grow_under_hostile_documents(
    server: Running, caller: Caller
) -> None:
    def storm() -> None:
        for make, status, _, _ in BODIES.values():
            answer = caller.post(
                "/v1/sessions", content=make(), headers={"Content-Type": JSON}, key=None
            )
            assert answer.status_code == status

    storm()
    before = resident(server)
    for _ in range(3):
        storm()
    assert resident(server) - before < GROWTH_BYTES


def resident(server: Running) -> int:
    """Bytes that the server's web processes hold in memory."""
    family = psutil.Process(server.process.pid).children(recursive=True)
    web = [child for child in family if "gunicorn" in " ".join(child.cmdline())]
    assert web
    return sum(child.memory_info().rss for child in web)


def connected(server: Running) -> socket.socket:
    place = urlsplit(server.url)
    return socket.create_connection((place.hostname or "", place.port or 0), timeout=PATIENCE)


def head(caller: Caller, path: str, *headers: str, content_type: str = JSON) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {caller.token}",
        f"Content-Type: {content_type}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def answered(line: socket.socket) -> tuple[int, dict[str, object]]:
    """The status and the document of the answer on a connection whose request is unfinished."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += received(line)
    start, _, body = raw.partition(b"\r\n\r\n")
    found = [part for part in start.lower().split(b"\r\n") if part.startswith(b"content-length:")]
    length = int(found[0].split(b":")[1])
    while len(body) < length:
        body += received(line)
    return int(start.split()[1]), json.loads(body)


def received(line: socket.socket) -> bytes:
    data = line.recv(65_536)
    assert data, "the server hung up without an answer"
    return data
