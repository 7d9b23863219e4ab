"""Predictions in the shapes of other services, asked by their own client where there is one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import openai
import pytest
from conftest import TOPICS, Caller, session_document
from flask import Flask
from werkzeug.serving import make_server


@pytest.fixture
def trained_url(caller: Caller) -> str:
    """A session with an active model, in which one class is benign."""
    document = session_document()
    document["task"]["labels"][0]["benign"] = True
    url = str(caller.post("/v1/sessions", document).headers["Location"])
    texts = [
        {
            "external_id": f"{n}",
            "text": f"{TOPICS[n % 3]} {n} {TOPICS[n % 3]}",
            "gold": TOPICS[n % 3],
        }
        for n in range(30)
    ]
    assert caller.post(f"{url}/items", {"items": texts}).status_code == 200
    batch = caller.post(f"{url}/select", {"size": 30}).json["id"]
    assert caller.post(f"{url}/label", {"oracle": "gold", "batch_id": batch}).status_code == 200
    assert caller.post(f"{url}/retrain", {}).status_code == 202
    return url


@pytest.fixture
def base_url(app: Flask) -> Iterator[str]:
    """The application behind a real socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_openai_client_reads_our_moderation(
    caller: Caller, trained_url: str, base_url: str
) -> None:
    path = "/v1/" + trained_url.partition("/v1/")[2]
    with openai.OpenAI(base_url=base_url + path, api_key=caller.token, max_retries=0) as client:
        answer = client.moderations.create(
            input=["harbour 1 harbour", "garden 2 garden"], model="omni-moderation-latest"
        )
    harbour, garden = answer.results
    assert (harbour.flagged, garden.flagged) == (True, False)
    assert (harbour.categories.model_extra or {})["harbour"] is True
    assert sum((garden.category_scores.model_extra or {}).values()) == pytest.approx(1.0, abs=1e-5)
    assert answer.model.startswith("mdl_")


def test_one_text_is_judged_like_a_list_of_one(caller: Caller, trained_url: str) -> None:
    one = caller.post(f"{trained_url}/moderations", {"input": "harbour"}).json["results"]
    several = caller.post(f"{trained_url}/moderations", {"input": ["harbour"]}).json["results"]
    assert one == several


def test_a_perspective_request_gets_the_scores_it_asks_for(
    caller: Caller, trained_url: str
) -> None:
    asked = {
        "comment": {"text": "harbour 1 harbour"},
        "requestedAttributes": {"harbour": {}, "garden": {}},
        "doNotStore": True,
        "clientToken": "c-1",
    }
    answer = caller.post(f"{trained_url}/comments:analyze", asked).json
    scores = {n: s["summaryScore"]["value"] for n, s in answer["attributeScores"].items()}
    assert set(scores) == {"harbour", "garden"}
    assert scores["harbour"] > scores["garden"]
    assert answer["clientToken"] == "c-1"


def test_an_attribute_that_is_no_class_is_refused(caller: Caller, trained_url: str) -> None:
    asked = {"comment": {"text": "x"}, "requestedAttributes": {"TOXICITY": {}}}
    answer = caller.post(f"{trained_url}/comments:analyze", asked)
    assert (answer.status_code, answer.json["code"]) == (422, "label-not-in-schema")


@pytest.mark.parametrize("input", [[], "", 7, [["x"]], [{"type": "text", "text": "x"}]])
def test_input_is_a_text_or_texts(caller: Caller, trained_url: str, input: object) -> None:
    answer = caller.post(f"{trained_url}/moderations", {"input": input})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"].startswith("/input")
