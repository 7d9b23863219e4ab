"""Server-sent events over a real socket: order, coming again, caps and slots."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from api.app import create_app
from api.streaming import STREAMS, Pace, Streams
from core.records import Operation, Progress
from tests.unit.api.conftest import session_document

PACE = Pace(look=0.01, ping=0.05, most=60.0)
PATIENCE = 20.0


@contextmanager
def served(service, *, each: int = 4, most: int = 16, pace: Pace = PACE):
    app = create_app(service)
    app.extensions[STREAMS] = Streams(each=each, most=most, pace=pace)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, app.extensions[STREAMS]
    finally:
        app.extensions[STREAMS].serving = lambda: False
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


class Stream:
    """One open stream of a caller."""

    def __init__(self, port: int, caller, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        sent = {"Authorization": f"Bearer {caller.token}", "Accept": "text/event-stream"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("GET", path, headers=sent)
        self.answer = self._connection.getresponse()

    def lines(self) -> Iterator[str]:
        while line := self.answer.readline():
            yield line.decode().rstrip("\n")

    def messages(self) -> Iterator[dict[str, str]]:
        """Fields of each message; pings and the retry line are none."""
        fields: dict[str, str] = {}
        for line in self.lines():
            if not line:
                if "data" in fields:
                    yield fields
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value

    def hang_up(self) -> None:
        self.answer.close()
        self._connection.close()


@pytest.fixture
def opened(service) -> Iterator[Callable[..., Stream]]:
    """Streams from one server; all are hung up in the end."""
    streams: list[Stream] = []
    with served(service) as (server, slots):

        def open_one(caller, path: str, **headers: str) -> Stream:
            streams.append(Stream(server.port, caller, path, **headers))
            return streams[-1]

        open_one.slots = slots
        yield open_one
        for stream in streams:
            stream.hang_up()


def take(stream: Stream, count: int) -> list[dict[str, str]]:
    messages = stream.messages()
    return [next(messages) for _ in range(count)]


def happen(service, caller, session_url: str, *, times: int) -> None:
    with service.store.write() as tx:
        for n in range(times):
            tx.events.add(
                tenant_id=caller.tenant_id,
                session_id=session_url.rpartition("/")[2],
                type="thing.happened",
                data={"n": n},
                now=service.clock.now(),
            )


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def test_a_stream_of_a_session_is_its_feed_in_order(opened, service, caller, session_url):
    happen(service, caller, session_url, times=3)
    feed = caller.get(f"{session_url}/events").json["data"]
    stream = opened(caller, f"{session_url}/events")
    assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
    messages = take(stream, len(feed))
    assert [json.loads(message["data"]) for message in messages] == feed
    assert [message["id"] for message in messages] == [str(row["sequence"]) for row in feed]


def test_what_happens_later_is_said_when_it_happens(opened, service, caller, session_url):
    stream = opened(caller, f"{session_url}/events", Last_Event_ID="1")
    happen(service, caller, session_url, times=1)
    [message] = take(stream, 1)
    assert json.loads(message["data"])["sequence"] == 2


def test_coming_again_loses_and_doubles_nothing(opened, service, caller, session_url):
    """A client reads three, hangs up, and comes again with the last id it saw."""
    heard: list[int] = []
    last = "0"
    for _ in range(4):
        happen(service, caller, session_url, times=5)
        stream = opened(caller, f"{session_url}/events", Last_Event_ID=last)
        taken = take(stream, 3)
        stream.hang_up()
        heard += [json.loads(message["data"])["sequence"] for message in taken]
        last = taken[-1]["id"]
    rest = take(opened(caller, f"{session_url}/events?after=2", Last_Event_ID=last), 9)
    assert heard + [int(message["id"]) for message in rest] == list(range(1, 22))


def test_an_id_that_is_none_is_refused(opened, caller, session_url):
    stream = opened(caller, f"{session_url}/events", Last_Event_ID="evt_1")
    body = json.loads(stream.answer.read())
    assert (stream.answer.status, body["code"]) == (400, "invalid-last-event-id")


def test_only_the_types_asked_for_are_said(opened, service, caller, session_url):
    happen(service, caller, session_url, times=1)
    stream = opened(caller, f"{session_url}/events?types=thing.happened")
    assert json.loads(take(stream, 1)[0]["data"])["type"] == "thing.happened"


def test_without_the_header_the_feed_is_a_page(caller, session_url):
    assert caller.get(f"{session_url}/events").json["has_more"] is False
    assert caller.get(f"{session_url}/events", Accept="*/*").is_json


def test_a_quiet_stream_pings(opened, caller, session_url):
    stream = opened(caller, f"{session_url}/events", Last_Event_ID="1")
    assert next(line for line in stream.lines() if line.startswith(":")) == ": ping"


def test_a_stream_ends_when_its_time_is_up(service, caller, session_url):
    with served(service, pace=Pace(look=0.01, ping=9.0, most=0.05)) as (server, slots):
        stream = Stream(server.port, caller, f"{session_url}/events")
        assert len(list(stream.messages())) == 1
        assert until(lambda: slots.in_use(caller.tenant_id) == 0)
        stream.hang_up()


def test_a_stream_ends_when_the_key_is_revoked(opened, service, caller, session_url):
    stream = opened(caller, f"{session_url}/events")
    take(stream, 1)
    with service.store.write() as tx:
        tx.access.revoke_key(caller.tenant_id, caller.key_id, now=service.clock.now())
    assert list(stream.messages()) == []


def test_more_streams_than_allowed_are_refused(service, caller, session_url):
    with served(service, each=1) as (server, _):
        first = Stream(server.port, caller, f"{session_url}/events")
        take(first, 1)
        second = Stream(server.port, caller, f"{session_url}/events")
        body = json.loads(second.answer.read())
        assert (second.answer.status, body["code"]) == (429, "too-many-streams")
        assert int(second.answer.headers["Retry-After"]) > 0
        assert body["retryable"] is True
        for stream in (first, second):
            stream.hang_up()


def test_a_client_that_goes_away_frees_its_slot(opened, caller, session_url):
    stream = opened(caller, f"{session_url}/events", Last_Event_ID="1")
    assert opened.slots.in_use(caller.tenant_id) == 1
    stream.hang_up()
    assert until(lambda: opened.slots.in_use(caller.tenant_id) == 0)


def test_a_refused_stream_takes_no_slot(opened, caller, session_url):
    opened(caller, f"{session_url}/events", Last_Event_ID="x").answer.read()
    assert opened.slots.in_use(caller.tenant_id) == 0


def test_another_tenants_session_has_no_stream(opened, caller_with, session_url):
    stranger = caller_with("admin", tenant="ten_streams_stranger")
    assert opened(stranger, f"{session_url}/events").answer.status == 404


@pytest.fixture
def operation(service, caller, session_url) -> str:
    """The id of an operation that no worker takes."""
    made = Operation(
        id=f"opr_{caller.tenant_id}",
        tenant_id=caller.tenant_id,
        session_id=session_url.rpartition("/")[2],
        kind="retrain",
        state="queued",
        input={},
        created_at=service.clock.now(),
    )
    with service.store.write() as tx:
        tx.operations.add(made)
    return made.id


def test_an_operation_is_followed_to_its_end(opened, service, caller, operation):
    messages = opened(caller, f"/v1/operations/{operation}/events").messages()
    heard = [next(messages), next(messages)]
    with service.store.write() as tx:
        tx.operations.start(operation, now=service.clock.now())
        tx.operations.progress(operation, Progress(phase="fit", done=1, total=2))
    heard += [next(messages), next(messages)]
    with service.store.write() as tx:
        tx.operations.finish(
            operation, "succeeded", result={"n": 1}, error=None, now=service.clock.now()
        )
    heard += list(messages)
    said = [(message["event"], json.loads(message["data"])) for message in heard]
    assert [name for name, _ in said] == ["progress", "state", "progress", "state", "state"]
    assert said[2][1] == {"phase": "fit", "done": 1, "total": 2}
    assert said[-1][1] == caller.get(f"/v1/operations/{operation}").json
    assert len({message["id"] for message in heard}) == len(heard)


def test_who_comes_again_hears_of_an_operation_only_what_changed(
    opened, service, caller, operation
):
    first = opened(caller, f"/v1/operations/{operation}/events")
    known = take(first, 1)[-1]
    first.hang_up()
    with service.store.write() as tx:
        tx.operations.finish(operation, "failed", result=None, error={}, now=service.clock.now())
    again = opened(caller, f"/v1/operations/{operation}/events", Last_Event_ID=known["id"])
    assert [message["event"] for message in again.messages()] == ["state"]


def test_who_knows_the_end_is_told_not_to_come_again(opened, service, caller, operation):
    with service.store.write() as tx:
        tx.operations.finish(operation, "failed", result=None, error={}, now=service.clock.now())
    path = f"/v1/operations/{operation}/events"
    *_, last = opened(caller, path).messages()
    assert opened(caller, path, Last_Event_ID=last["id"]).answer.status == 204


def test_an_operation_of_another_session_has_no_stream(opened, caller_with, caller, operation):
    other = caller.post("/v1/sessions", session_document()).json["id"]
    bound = caller_with("read", session_id=other)
    assert opened(bound, f"/v1/operations/{operation}/events").answer.status == 404


def test_all_tenants_together_leave_threads_for_others(service, caller, operation, caller_with):
    with served(service, most=1) as (server, _):
        path = f"/v1/operations/{operation}/events"
        first = Stream(server.port, caller, path)
        take(first, 1)
        second = Stream(server.port, caller, path)
        assert second.answer.status == 429
        for stream in (first, second):
            stream.hang_up()
