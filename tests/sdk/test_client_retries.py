"""Requests that are sent again: which, when, and that the service notices no difference."""

from __future__ import annotations

import logging
import random

import pytest

from tailwise_client import (
    Conflict,
    ConnectionFailed,
    LeaseExpired,
    NotAllowed,
    NotConfigured,
    ProblemError,
    RateLimited,
    Retries,
    ServerFault,
    Tailwise,
    TimedOut,
    Unavailable,
    UnexpectedAnswer,
)
from tailwise_client.errors import Problem, error_for
from tailwise_client.retrying import retry_after
from tests.sdk.scripted import DROP, Told, problem

KEY = "tw_key_very-secret"
BATCH = {
    "id": "bat_1",
    "round": 1,
    "state": "open",
    "strategy": "guided",
    "requested": 0,
    "selected": 0,
    "items": [],
    "created_at": "2026-11-22T12:00:00Z",
}
PAGE = {"data": [], "next_cursor": None, "has_more": False}


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(connect, loopback, slept):
    """Against the scripted server; sleeps are heard of and take no time."""
    return connect(
        loopback.url,
        KEY,
        sleep=slept.append,
        chance=random.Random(7),
        retries=Retries(attempts=4, first_s=1.0, most_s=3.0),
        timeout=5.0,
    )


def keys(loopback):
    return [asked.headers.get("idempotency-key") for asked in loopback.asked]


def test_a_dropped_post_is_repeated_with_the_same_key(client, loopback, slept):
    loopback.script = [DROP, DROP, Told(status=201, document=BATCH)]
    assert client.session("ses_1").select().id == "bat_1"
    assert len(set(keys(loopback))) == 1
    assert keys(loopback)[0]
    assert len({asked.body for asked in loopback.asked}) == 1
    assert len(slept) == 2


def test_two_posts_have_two_keys(client, loopback):
    loopback.script = [Told(status=201, document=BATCH)] * 2
    client.session("ses_1").select()
    client.session("ses_1").select()
    assert len(set(keys(loopback))) == 2


def test_the_service_is_left_alone_for_as_long_as_it_says(client, loopback, slept):
    loopback.script = [
        problem(429, "rate-limited", retryable=True, retry_after=11),
        Told(document=PAGE),
    ]
    assert list(client.sessions()) == []
    [wait] = slept
    assert 11.0 <= wait <= 11.0 * 1.25


def test_waits_grow_to_a_bound_and_are_spread(client, loopback, slept):
    loopback.script = [Told(status=502, content=b"<html>")] * 4
    with pytest.raises(Unavailable) as caught:
        list(client.sessions())
    assert caught.value.code == "http-502"
    assert len(loopback.asked) == 4
    for wait, grown in zip(slept, (1.0, 2.0, 3.0), strict=True):
        assert grown / 2 <= wait <= grown


def test_the_same_chance_gives_the_same_waits(connect, loopback):
    heard: list[list[float]] = [[], []]
    for waits in heard:
        loopback.script = [DROP, DROP, Told(document=PAGE)]
        client = connect(loopback.url, KEY, sleep=waits.append, chance=random.Random(3))
        list(client.sessions())
    assert heard[0] == heard[1]


def test_a_refusal_that_says_so_is_retried(client, loopback, slept):
    loopback.script = [
        problem(409, "idempotency-in-progress", retryable=True, retry_after=1),
        Told(status=201, document=BATCH),
    ]
    assert client.session("ses_1").select().id == "bat_1"
    assert len(slept) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422, 500])
def test_other_refusals_are_raised_at_once(client, loopback, status):
    loopback.script = [problem(status, "for-good")]
    with pytest.raises(ProblemError):
        client.session("ses_1").select()
    assert len(loopback.asked) == 1


def test_a_wait_that_is_too_long_is_not_waited_for(client, loopback, slept):
    loopback.script = [problem(503, "unavailable", retryable=True, retry_after=3600)]
    with pytest.raises(Unavailable):
        list(client.sessions())
    assert slept == []


@pytest.mark.parametrize("lost", [DROP, Told(status=504)])
def test_what_would_happen_twice_is_not_repeated(client, loopback, lost):
    loopback.script = [lost]
    with pytest.raises((ConnectionFailed, Unavailable)):
        client.create_key("reader", scopes=["predict"])
    assert len(loopback.asked) == 1
    assert keys(loopback) == [None]


def test_what_the_service_did_not_begin_is_repeated_all_the_same(client, loopback):
    made = {"id": "key_1", "name": "r", "scopes": [], "created_at": "2026-11-22T12:00:00Z"}
    loopback.script = [
        problem(503, "unavailable", retryable=True, retry_after=1),
        Told(status=201, document=made),
    ]
    assert client.create_key("r", scopes=["predict"]).id == "key_1"


def test_an_unreachable_service_is_named_without_the_key(connect, slept):
    client = connect("http://127.0.0.1:9", KEY, sleep=slept.append, retries=Retries(attempts=2))
    with pytest.raises(ConnectionFailed) as caught:
        list(client.sessions())
    assert "GET /v1/sessions" in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(slept) == 1


def test_a_file_is_sent_from_its_beginning_again(client, loopback, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text\nfirst\n")
    operation = {
        "id": "op_1",
        "kind": "import",
        "session_id": "ses_1",
        "state": "succeeded",
        "done": True,
        "created_at": "2026-11-22T12:00:00Z",
        "progress": {"phase": "", "done": 0, "total": 0},
        "result": {"created": 1},
    }
    loopback.script = [
        DROP,
        Told(status=202, document=operation),
        Told(document=operation),
    ]
    assert client.session("ses_1").upload(path).created == 1
    assert [asked.body for asked in loopback.asked[:2]] == [path.read_bytes()] * 2
    assert keys(loopback)[0] == keys(loopback)[1]
    assert "chunked" not in loopback.asked[0].headers.get("transfer-encoding", "")


def test_a_download_with_another_digest_is_not_kept(client, loopback, tmp_path):
    wrong = {"Content-Digest": "sha-256=:AAAA:", "Content-Type": "text/csv"}
    loopback.script = [Told(content=b"a,b\n", headers=wrong)]
    with pytest.raises(UnexpectedAnswer):
        client.session("ses_1").download_export("op_1", to=tmp_path / "e.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_is_begun_again_or_leaves_nothing(client, loopback, tmp_path):
    cut = Told(content=b"a,b", headers={"Content-Length": "8", "Connection": "close"})
    loopback.script = [cut, Told(content=b"a,b\n1,2\n")]
    whole = client.session("ses_1").download_export("op_1", to=tmp_path / "whole.csv")
    loopback.script = [cut] * 4
    with pytest.raises(ConnectionFailed):
        client.session("ses_1").download_export("op_1", to=tmp_path / "cut.csv")
    assert whole.read_bytes() == b"a,b\n1,2\n"
    assert list(tmp_path.iterdir()) == [whole]


def test_a_wait_ends_after_its_time_and_leaves_the_operation(connect, loopback):
    clock = iter(range(0, 100, 4))
    client = connect(loopback.url, KEY, monotonic=lambda: float(next(clock)))
    running = {
        "id": "op_1",
        "kind": "retrain",
        "session_id": "ses_1",
        "state": "running",
        "done": False,
        "created_at": "2026-11-22T12:00:00Z",
        "progress": {"phase": "fit", "done": 1, "total": 5},
    }
    loopback.otherwise = lambda asked: Told(document=running)
    heard = []
    with pytest.raises(TimedOut, match="still running"):
        client.wait("op_1", timeout=10.0, on_progress=heard.append)
    assert heard
    assert all(asked.method == "GET" for asked in loopback.asked)


def test_an_answer_of_something_else_is_no_answer(client, loopback):
    loopback.script = [Told(content=b"<html>hello</html>"), Told(document={"data": [{"a": 1}]})]
    for _ in range(2):
        with pytest.raises(UnexpectedAnswer):
            list(client.sessions())


def test_what_a_newer_service_adds_is_ignored(client, loopback):
    loopback.script = [Told(document={**BATCH, "mood": "bright", "items": []})]
    assert client.session("ses_1").batch("bat_1").id == "bat_1"


def test_the_key_is_in_no_text_and_no_log(client, loopback, caplog):
    caplog.set_level(logging.DEBUG)
    loopback.script = [DROP, problem(403, "scope-missing")]
    with pytest.raises(NotAllowed) as caught:
        list(client.sessions())
    assert "sending GET /v1/sessions again" in caplog.text
    shown = caplog.text + repr(caught.value) + repr(caught.value.problem)
    assert KEY not in shown
    assert "very-secret" not in shown


def test_no_client_shows_its_key():
    with Tailwise("http://127.0.0.1:9/", KEY) as client:
        shown = f"{client!r} {client.session('ses_1')!r} {client._driver._http.headers!r}"
    assert "very-secret" not in shown
    assert "http://127.0.0.1:9'" in shown


def test_address_and_key_come_from_the_environment(monkeypatch, loopback):
    monkeypatch.setenv("TAILWISE_URL", loopback.url)
    monkeypatch.setenv("TAILWISE_API_KEY", KEY)
    loopback.script = [Told(document=PAGE)]
    with Tailwise() as client:
        assert list(client.sessions()) == []
    assert loopback.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_client_without_a_key_is_not_made(monkeypatch):
    monkeypatch.delenv("TAILWISE_API_KEY", raising=False)
    with pytest.raises(NotConfigured, match="TAILWISE_API_KEY"):
        Tailwise("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "lease-expired", LeaseExpired),
        (409, "a-new-one", Conflict),
        (429, "rate-limited", RateLimited),
        (418, "teapot", ProblemError),
        (500, "lease-expired", ServerFault),
    ],
)
def test_a_problem_has_the_class_of_its_code_or_status(status, code, kind):
    error = error_for(Problem(status=status, code=code, detail="why", extras={"limit": 3}))
    assert type(error) is kind or (kind is ProblemError and isinstance(error, kind))
    assert (error.status, error.code, error.detail, error.extras["limit"]) == (
        status,
        code,
        "why",
        3,
    )


def test_codes_are_looked_up():
    assert ProblemError.by_code["lease-expired"] is LeaseExpired


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Mon, 23 Nov 2026 10:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header, seconds):
    headers = {"retry-after": header, "date": "Mon, 23 Nov 2026 10:00:00 GMT"}
    assert retry_after(headers) == seconds
