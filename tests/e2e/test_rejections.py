"""What must be refused, and how: one test per row, over HTTP, and nothing is half-stored."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.rejection_people import call_back
from tests.e2e.rejection_rows import UNKNOWN
from tests.e2e.rejection_rows_hooks import CALLBACKS, WEBHOOKS
from tests.e2e.rejection_rows_people import DECISIONS, LEASES, LINKS, MODERATION
from tests.e2e.rejection_rows_pool import FILES, ITEMS
from tests.e2e.rejection_rows_requests import BODIES, CONDITIONS
from tests.e2e.rejection_rows_round import LABELS, MODELS, ROUNDS, VARIATIONS
from tests.e2e.rejection_stage import Stage, place, sent, staged
from tests.e2e.running import Caller, rows, running, session_document

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("rejections") / "data") as found:
        yield found


PEOPLE = {**LEASES, **DECISIONS, **LINKS, **MODERATION, **WEBHOOKS, **CALLBACKS}
ROUND = {**LABELS, **ROUNDS, **VARIATIONS, **MODELS}
ROWS = {**BODIES, **ROUND, **ITEMS, **FILES, **CONDITIONS, **PEOPLE}


@pytest.mark.parametrize("name", ROWS)
def test_it_is_refused_with_its_code_and_changes_nothing(stage: Stage, name: str) -> None:
    row = ROWS[name]
    path = stage.paths[row.on]
    before = stage.state(path)
    answer = row.ask(stage, path)
    problem = refusal(answer, status=row.status, code=row.code)
    if row.pointer is not None:
        assert problem["errors"][0]["pointer"] == row.pointer
        assert problem["errors"][0]["detail"]
    for extra, value in row.extras.items():
        assert extra in problem
        assert value is None or problem[extra] == named(value, stage)
    assert stage.state(path) == before


def named(value: Any, stage: Stage) -> Any:
    """The value with every ``$name`` in it replaced, also within a longer string."""
    if isinstance(value, list):
        return [named(one, stage) for one in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    head, _, name = value.partition("$")
    return head + stage.ids[name]


def refusal(answer: Any, *, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that refuses as it should."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"].endswith(code)
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert problem["detail"]
    assert problem["title"]
    assert problem["instance"]
    if problem["retryable"]:
        assert int(answer.headers["Retry-After"]) > 0
    if status == 405:
        assert "POST" in answer.headers["Allow"]
    return problem


def test_bad_answers_of_many_are_reported_one_by_one(stage: Stage) -> None:
    path = stage.paths["human"]
    before = stage.state(path)
    answers = [
        {"item_id": UNKNOWN, "label": "garden"},
        {"item_id": stage.ids["mine"], "label": "garden"},
        {"item_id": stage.ids["free"], "label": "space"},
    ]
    found = stage.caller.made(f"{path}/label", {"labels": answers})
    assert (found["accepted"], found["replayed"], found["rejected"]) == (0, 1, 2)
    assert [row["status"] for row in found["results"]] == ["rejected", "replayed", "rejected"]
    codes = [row["error"] and row["error"]["code"] for row in found["results"]]
    assert codes == ["unknown-item", None, "label-not-in-schema"]
    assert found["results"][1]["label_id"] == stage.ids["my_label"]
    assert found["results"][2]["error"]["pointer"] == "/labels/2/labels"
    assert stage.state(path) == before


def test_one_bad_answer_of_many_stops_them_all_where_asked_to(stage: Stage) -> None:
    path = stage.paths["human"]
    before = stage.state(path)
    answers = [
        {"item_id": stage.ids["free"], "label": "garden"},
        {"item_id": UNKNOWN, "label": "garden"},
    ]
    answer = stage.caller.post(f"{path}/label", {"labels": answers, "mode": "atomic"})
    refusal(answer, status=404, code="unknown-item")
    assert stage.state(path) == before


def test_the_same_answer_by_the_same_annotator_is_replayed(stage: Stage) -> None:
    path = stage.paths["human"]
    before = stage.state(path)
    again = {"labels": [{"item_id": stage.ids["mine"], "label": "garden"}]}
    found = stage.caller.made(f"{path}/label", again)
    assert found["results"][0]["status"] == "replayed"
    assert stage.state(path) == before


def test_an_identical_row_is_unchanged_and_a_different_one_may_be_skipped(stage: Stage) -> None:
    path = stage.paths["human"]
    before = stage.state(path)
    found = stage.caller.made(f"{path}/items", {"items": rows()})
    assert (found["unchanged"], found["created"]) == (len(rows()), 0)
    other = [{"text": "different", "external_id": "garden-20"}]
    skipped = stage.caller.made(f"{path}/items", {"items": other, "on_conflict": "skip"})
    assert skipped["results"][0]["status"] == "skipped"
    assert stage.state(path) == before


def test_good_rows_are_stored_and_bad_ones_reported_where_asked_to(stage: Stage) -> None:
    path = "/v1/sessions/" + stage.caller.made("/v1/sessions", session_document())["id"]
    mixed = [{"text": "good"}, {"text": ""}, {"text": "bad", "gold": "space"}]
    found = stage.caller.made(f"{path}/items", {"items": mixed, "mode": "partial"})
    assert (found["created"], found["rejected"]) == (1, 2)
    assert [row["error"] and row["error"]["pointer"] for row in found["results"]] == [
        None,
        "/items/1/text",
        "/items/2/gold",
    ]
    assert len(stage.caller.read(f"{path}/items")["data"]) == 1


def test_fewer_than_asked_for_is_a_shortfall_and_no_error(stage: Stage) -> None:
    path = stage.paths["bare"]
    document = {"size": 100, "allow_parallel": True}
    answer = stage.caller.post(f"{path}/select", document)
    batch = answer.json()
    assert answer.status_code == 201
    assert batch["selected"] + batch["shortfall"] == 100
    assert batch["shortfall"] > 0
    assert batch["shortfall_reason"]
    stage.caller.made(f"{path}/batches/{batch['id']}/cancel")


def test_a_callback_that_comes_twice_is_answered_the_same(stage: Stage) -> None:
    first, again = (call_back(stage, "called", "called_item", id="msg_twice") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert again.content == first.content
    assert len(stage.caller.read(f"{stage.paths['called']}/labels")["data"]) == 1


def test_a_training_that_runs_may_be_joined(stage: Stage) -> None:
    path = stage.paths["training"]
    answer = stage.caller.post(f"{path}/retrain?if_running=join")
    assert (answer.status_code, answer.json()["id"]) == (202, stage.ids["running"])
    assert answer.headers["Location"] == f"/v1/operations/{stage.ids['running']}"


def test_of_two_trainings_started_at_once_one_is_refused(stage: Stage) -> None:
    path = stage.paths["lost"]
    answers = at_once(
        lambda: stage.caller.post(f"{path}/retrain", {"force": True}),
        lambda: stage.other.post(f"{path}/retrain", {"force": True}),
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 202
    problem = refusal(lost, status=409, code="operation-in-progress")
    assert problem["operation"] == won.json()["id"]
    stage.caller.made(f"/v1/operations/{won.json()['id']}/cancel")


def test_of_two_batches_selected_at_once_one_is_refused(stage: Stage) -> None:
    path = stage.paths["fresh"]
    answers = at_once(
        lambda: stage.caller.post(f"{path}/select", {"size": 2}),
        lambda: stage.other.post(f"{path}/select", {"size": 2}),
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 201
    assert refusal(lost, status=409, code="batch-open")["batch_id"] == won.json()["id"]
    assert len(stage.caller.read(f"{path}/batches", params={"state": "open"})["data"]) == 1
    stage.caller.made(f"{path}/batches/{won.json()['id']}/cancel")


def test_of_two_different_answers_given_at_once_one_is_refused(stage: Stage) -> None:
    path = stage.paths["cancelled"]
    batch = stage.caller.made(f"{path}/select", {"size": 1})
    item = batch["items"][0]["id"]

    def give(caller: Caller, label: str) -> Any:
        return caller.post(f"{path}/label", {"labels": [{"item_id": item, "label": label}]})

    answers = at_once(lambda: give(stage.caller, "garden"), lambda: give(stage.other, "kitchen"))
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 200
    kept = refusal(lost, status=409, code="overlap-reached")["label_id"]
    assert kept == won.json()["results"][0]["label_id"]
    events = stage.caller.read(f"{path}/labels", params={"item_id": item})["data"]
    assert [event["id"] for event in events] == [kept]


def test_an_idempotency_key_answers_once_and_then_repeats_itself(stage: Stage) -> None:
    path = stage.paths["cancelled"]
    first = stage.caller.post(f"{path}/select", {"size": 1}, key="k1")
    again = stage.caller.post(f"{path}/select", {"size": 1}, key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    reused = stage.caller.post(f"{path}/select", {"size": 2}, key="k1")
    refusal(reused, status=422, code="idempotency-key-reused")
    open_batches = stage.caller.read(f"{path}/batches", params={"state": "open"})["data"]
    assert [batch["id"] for batch in open_batches] == [first.json()["id"]]
    stage.caller.made(f"{path}/batches/{first.json()['id']}/cancel")


def test_an_idempotency_key_of_a_request_that_runs_is_refused_until_it_ends(
    stage: Stage,
) -> None:
    path = f"{stage.paths['imported']}/imports"
    body = b"external_id,text\nslow-1,words that come slowly\n"
    with closing(socket.create_connection(place(stage.server), timeout=30.0)) as line:
        line.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {stage.caller.token}\r\nContent-Type: text/csv\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"
            "Idempotency-Key: slow\r\nConnection: close\r\n\r\n".encode()
        )
        assert b" 100 " in line.recv(100)
        line.sendall(body[:20])
        held = ask_until_held(stage, path, body)
        problem = refusal(held, status=409, code="idempotency-in-progress")
        assert problem["retryable"]
        line.sendall(body[20:])
        raw = b"".join(iter(lambda: line.recv(65_536), b""))
    assert raw.startswith(b"HTTP/1.1 202")
    again = stage.caller.post(path, **sent(body), key="slow")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert again.content in raw


def ask_until_held(stage: Stage, path: str, body: bytes) -> Any:
    """Another key shows that requests sent later are answered; then the same key is asked."""
    assert stage.caller.get("/v1/version").status_code == 200
    assert stage.caller.post(path, **sent(b""), key="other").status_code == 422
    return stage.caller.post(path, **sent(body), key="slow")


@pytest.mark.parametrize(
    ("name", "code"), [("bomb", "decompression-bomb"), ("torn", "unreadable-file")]
)
def test_a_file_that_turns_out_to_be_bad_fails_and_leaves_nothing(
    stage: Stage, name: str, code: str
) -> None:
    operation = stage.failed[name]
    assert (operation["state"], operation["error"]["code"]) == ("failed", code)
    held = stage.caller.read(stage.paths["imported"])["counts"]
    assert held["pool"] + held["test"] + held["reserve"] == len(rows())


def test_a_row_whose_quote_never_ends_is_named_and_the_others_are_good(stage: Stage) -> None:
    operation = stage.failed["cut"]
    assert operation["state"] == "succeeded"
    assert [error["code"] for error in operation["result"]["errors"]] == ["malformed-row"]


def test_ragged_rows_among_good_ones_are_named_in_the_errors_file(stage: Stage) -> None:
    operation = stage.failed["ragged"]
    assert operation["state"] == "succeeded"
    assert operation["result"]["rejected"] == 2
    path = f"{stage.paths['imported']}/imports/{operation['id']}/errors"
    lines = [json.loads(line) for line in stage.caller.get(path).text.splitlines()]
    assert [line["row"] for line in lines] == [1501, 1502]
    assert {line["code"] for line in lines} == {"ragged-row"}


def at_once(*asks: Callable[[], Any]) -> list[Any]:
    """What each of several requests sent at the same moment is answered."""
    start = threading.Barrier(len(asks))
    answers: list[Any] = []

    def run(ask: Callable[[], Any]) -> None:
        start.wait()
        answers.append(ask())

    threads = [threading.Thread(target=run, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(asks)
    return answers


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path_factory: Any) -> None:
    settings = {
        "requests_per_minute": 20,
        "predict_texts_per_minute": 3,
        "anthropic_api_key": "not-a-key",
        "anthropic_base_url": "http://127.0.0.1:9",
    }
    with running(tmp_path_factory.mktemp("limited") / "data", **settings) as server:
        caller = server.caller()
        path = "/v1/sessions/" + caller.made("/v1/sessions", session_document())["id"]
        greedy = caller.post(f"{path}/predict", {"inputs": [{"text": "bread"}] * 4})
        problem = refusal(greedy, status=429, code="rate-limited")
        assert (problem["limit"], problem["budget"]) == (3, "texts")
        assert 0 < int(greedy.headers["Retry-After"]) <= 60
        hasty = server.caller(server.key("admin"))
        answers = [hasty.get(path) for _ in range(45)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) >= 5
        problem = refusal(refused[0], status=429, code="rate-limited")
        assert (problem["limit"], problem["budget"]) == (20, "requests")
        assert 0 < int(refused[0].headers["Retry-After"]) <= 60
        assert caller.get(path).status_code == 200


def test_paid_variations_are_refused_once_the_dollars_are_spent(tmp_path_factory: Any) -> None:
    from tests.e2e.running import labelled, opened

    settings = {
        "anthropic_api_key": "not-a-key",
        "anthropic_base_url": "http://127.0.0.1:9",
    }
    with running(tmp_path_factory.mktemp("spent") / "data", **settings) as server:
        caller = server.caller()
        path = opened(caller, budget={"dollars": 0})
        labelled(caller, path, size=6)
        answer = caller.post(f"{path}/generate", {"generator": "anthropic"})
        problem = refusal(answer, status=409, code="budget-exceeded")
        assert (problem["spent"], problem["limit"]) == (0, 0)
        assert caller.read(f"{path}/generations")["data"] == []
