"""The same POST sent twice has one effect and one answer."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from api.app import create_app
from tests.unit.api.conftest import rows, session_document

REQUIRED = ["select", "generate", "retrain", "imports", "exports"]


def test_a_repeated_post_is_answered_from_memory(caller):
    first = caller.post("/v1/sessions", session_document(), Idempotency_Key="one")
    second = caller.post("/v1/sessions", session_document(), Idempotency_Key="one")
    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["ETag"] == first.headers["ETag"]
    assert "Idempotency-Replayed" not in first.headers
    assert len(caller.get("/v1/sessions").json["data"]) == 1


def test_another_body_under_the_same_key_is_refused(caller):
    caller.post("/v1/sessions", session_document(), Idempotency_Key="one")
    response = caller.post("/v1/sessions", session_document(seed=2), Idempotency_Key="one")
    assert (response.status_code, response.json["code"]) == (422, "idempotency-key-reused")


def test_the_same_key_at_another_url_or_by_another_caller_is_another_request(
    caller, caller_with, session_url
):
    caller.post(f"{session_url}/items", {"items": rows(1)}, Idempotency_Key="one")
    response = caller.post("/v1/sessions", session_document(), Idempotency_Key="one")
    assert response.status_code == 201
    other = caller_with("admin").post("/v1/sessions", session_document(), Idempotency_Key="one")
    assert "Idempotency-Replayed" not in other.headers
    assert other.json["id"] != response.json["id"]


@pytest.mark.parametrize("verb", REQUIRED)
def test_verbs_that_must_not_happen_twice_require_a_key(caller, pool_url, verb):
    response = caller.post(
        f"{pool_url}/{verb}",
        b"text" if verb == "imports" else {},
        Idempotency_Key="",
        Content_Type="text/csv" if verb == "imports" else "application/json",
    )
    assert (response.status_code, response.json["code"]) == (400, "idempotency-key-required")


@pytest.mark.parametrize("key", [" ", "x" * 256, "käse"])
def test_a_malformed_key_is_refused(caller, key):
    response = caller.post("/v1/sessions", session_document(), Idempotency_Key=key)
    assert (response.status_code, response.json["code"]) == (400, "idempotency-key-invalid")


def test_refusals_are_not_kept(caller):
    refused = caller.post("/v1/sessions", {"name": "x"}, Idempotency_Key="one")
    accepted = caller.post("/v1/sessions", session_document(), Idempotency_Key="one")
    assert (refused.status_code, accepted.status_code) == (422, 201)


def test_faults_of_ours_are_not_kept(service, caller):
    broken = create_app(replace(service, ids=Broken(service.ids, prefix="ses")))
    caller.client = broken.test_client()
    failed = caller.post("/v1/sessions", session_document(), Idempotency_Key="one")
    caller.client = create_app(service).test_client()
    retried = caller.post("/v1/sessions", session_document(), Idempotency_Key="one")
    assert (failed.status_code, retried.status_code) == (500, 201)


def test_a_request_that_still_runs_is_a_conflict_until_it_is_stale(service, caller):
    clock = Moved(service.clock)
    waiting = Waiting(service.ids)
    app = create_app(replace(service, clock=clock, ids=waiting))
    caller.client = app.test_client()
    slow = threading.Thread(
        target=lambda: app.test_client().post(
            "/v1/sessions",
            json=session_document(),
            headers={"Authorization": f"Bearer {caller.token}", "Idempotency-Key": "one"},
        )
    )
    waiting.hold = True
    slow.start()
    waiting.reached.wait(30)
    try:
        running = caller.send("POST", "/v1/sessions", session_body(), Idempotency_Key="one")
        clock.by = timedelta(seconds=61)
        waiting.hold = False
        stale = caller.send("POST", "/v1/sessions", session_body(), Idempotency_Key="one")
    finally:
        waiting.go.set()
        slow.join(30)
    assert (running.status_code, running.json["code"]) == (409, "idempotency-in-progress")
    assert running.headers["Retry-After"] == "1"
    assert 1 <= running.json["free_after_s"] <= 60
    assert f"free in {running.json['free_after_s']} s" in running.json["detail"]
    assert stale.status_code == 201


def test_two_threads_with_one_key_make_one_thing(service, caller):
    app = create_app(service)
    start = threading.Barrier(2)
    answers = []

    def send() -> None:
        client = app.test_client()
        start.wait(30)
        answers.append(
            client.post(
                "/v1/sessions",
                json=session_document(),
                headers={"Authorization": f"Bearer {caller.token}", "Idempotency-Key": "one"},
            )
        )

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(caller.get("/v1/sessions").json["data"]) == 1


def test_an_effect_whose_answer_was_lost_is_found_again(service, caller, pool_url):
    first = caller.post(f"{pool_url}/select", {}, Idempotency_Key="one")
    with service.store.write() as tx:
        tx.replies.expire(before=service.clock.now() + timedelta(days=1))
    second = caller.post(f"{pool_url}/select", {}, Idempotency_Key="one")
    assert "Idempotency-Replayed" not in second.headers
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json["id"] == first.json["id"]


def test_an_answer_with_a_secret_is_never_stored(caller):
    document = {"name": "k", "scopes": ["predict"]}
    refused = caller.post("/v1/keys", document, Idempotency_Key="one")
    made = caller.post("/v1/keys", document, Idempotency_Key="")
    assert (refused.status_code, refused.json["code"]) == (400, "idempotency-key-refused")
    assert made.status_code == 201


def session_body() -> bytes:
    """As the test client of the other thread writes it."""
    from flask import json

    return json.dumps(session_document()).encode()


class Broken:
    """Fails for ids of one kind."""

    def __init__(self, ids, *, prefix):
        self.ids, self.prefix = ids, prefix

    def new(self, prefix):
        if prefix == self.prefix:
            raise RuntimeError("canary: no ids left")
        return self.ids.new(prefix)


class Moved:
    """A clock that can be put forward."""

    def __init__(self, clock):
        self.clock, self.by = clock, timedelta(0)

    def now(self):
        return self.clock.now() + self.by


class Waiting:
    """Holds up whoever asks for a session id while ``hold`` is set."""

    def __init__(self, ids):
        self.ids, self.hold = ids, False
        self.reached, self.go = threading.Event(), threading.Event()

    def new(self, prefix):
        if prefix == "ses" and self.hold:
            self.reached.set()
            self.go.wait(60)
        return self.ids.new(prefix)
