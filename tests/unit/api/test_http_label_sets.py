"""A multi-label session over HTTP: gold and answers are sets, predictions name sets."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from tests.multi_corpus import items
from tests.unit.api.conftest import session_document

SIZE = 24


def multi_document(**settings):
    document = session_document(**settings)
    return {**document, "task": {**document["task"], "type": "multi"}}


def rows():
    """Texts on up to two topics, with gold."""
    return [
        {"external_id": i.external_id, "text": i.text, "gold": list(i.gold), "split": i.split}
        for i in items()
    ]


def opened(caller, **settings):
    response = caller.post("/v1/sessions", multi_document(**settings))
    assert response.status_code == 201, response.json
    url = response.headers["Location"]
    assert caller.post(f"{url}/items", {"items": rows()}).status_code == 200
    return url


def select(caller, url):
    response = caller.post(f"{url}/select", {"size": SIZE})
    assert response.status_code == 201, response.json
    return response.json


@pytest.fixture
def human_url(caller):
    """A session with a pool whose labels people give."""
    return opened(caller, oracle="human")


def trained(caller, url):
    """The result of a round by gold."""
    batch = select(caller, url)
    given = caller.post(f"{url}/label", {"oracle": "gold", "batch_id": batch["id"]})
    assert given.json["accepted"] == SIZE, given.json
    made = caller.post(f"{url}/retrain", {}, Prefer="wait=30").json
    assert made["state"] == "succeeded", made
    return made["result"]


def test_a_round_of_sets_goes_from_items_to_export(caller):
    url = opened(caller, generator="simulated")
    result = trained(caller, url)
    assert caller.get(url).json["task"]["type"] == "multi"
    assert {"macro_f1", "micro_f1", "subset_accuracy", "hamming_loss"} <= set(result["metrics"])
    made = caller.post(f"{url}/generate", {"variations": 2}, Prefer="wait=30").json
    assert made["result"]["proposed"] > 0, made
    proposed = caller.get(f"{url}/generations?state=proposed").json["data"]
    decisions = [{"generation_id": row["id"], "decision": "accept"} for row in proposed]
    done = caller.post(f"{url}/generations/review", {"decisions": decisions}).json
    assert done["accepted"] == len(proposed)
    again = caller.post(f"{url}/retrain", {}, Prefer="wait=30").json["result"]
    assert sum(again["generated_counts"].values()) >= len(proposed)
    wish = {"what": "labels", "format": "jsonl"}
    export = caller.post(f"{url}/exports", wish, Prefer="wait=30").json
    lines = caller.get(f"{url}/exports/{export['id']}/content").data.splitlines()
    assert [] in [json.loads(line)["labels"] for line in lines]


def test_predictions_name_sets_and_their_thresholds(caller):
    url = opened(caller)
    result = trained(caller, url)
    inputs = [{"text": "about garden and kitchen"}, {"text": "about nothing"}]
    body = caller.post(f"{url}/predict", {"inputs": inputs}).json
    assert body["thresholds"] == result["thresholds"]
    for row in body["results"]:
        lines = body["thresholds"]
        assert row["label"] is None
        assert row["labels"] == [c for c in lines if row["scores"][c] >= lines[c]]
    [model] = caller.get(f"{url}/models").json["data"]
    assert model["thresholds"] == result["thresholds"]


def test_a_single_label_prediction_names_its_class_alone(caller, pool_url):
    batch = caller.post(f"{pool_url}/select", {}).json
    caller.post(f"{pool_url}/label", {"oracle": "gold", "batch_id": batch["id"]})
    caller.post(f"{pool_url}/retrain", {}, Prefer="wait=30")
    body = caller.post(f"{pool_url}/predict", {"inputs": [{"text": "boats"}]}).json
    assert body["thresholds"] is None
    assert body["results"][0]["labels"] == [body["results"][0]["label"]]


def test_people_answer_with_several_classes_or_none(caller, human_url):
    first, second, *_ = select(caller, human_url)["items"]
    answers = [
        {"item_id": first["id"], "labels": ["kitchen", "garden"]},
        {"item_id": second["id"], "labels": []},
    ]
    done = caller.post(f"{human_url}/label", {"labels": answers}).json
    assert [row["status"] for row in done["results"]] == ["created", "created"]
    found = caller.get(f"{human_url}/items?status=resolved").json["data"]
    assert {tuple(row["labels"]) for row in found} == {("garden", "kitchen"), ()}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "missing-label"),
        ({"labels": ["garden", "sky"]}, "label-not-in-schema"),
        ({"labels": ["garden", "garden"]}, "duplicate-label"),
        ({"label": "garden", "labels": []}, "too-many-labels"),
    ],
)
def test_a_refused_answer_says_why(caller, human_url, answer, code):
    first, *_ = select(caller, human_url)["items"]
    document = {"labels": [{"item_id": first["id"], **answer}], "mode": "atomic"}
    response = caller.post(f"{human_url}/label", document)
    assert (response.status_code, response.json["code"]) == (422, code)
    assert response.json["errors"][0]["pointer"].startswith("/labels/0")


@pytest.mark.parametrize(
    ("labels", "code"),
    [(["garden", "kitchen"], "too-many-labels"), ([], "missing-label")],
)
def test_a_single_label_session_takes_one_class(caller, labels, code):
    url = caller.post("/v1/sessions", session_document(oracle="human")).headers["Location"]
    caller.post(f"{url}/items", {"items": [{"text": f"text {n}"} for n in range(SIZE)]})
    first, *_ = select(caller, url)["items"]
    document = {"labels": [{"item_id": first["id"], "labels": labels}], "mode": "atomic"}
    response = caller.post(f"{url}/label", document)
    assert (response.status_code, response.json["code"]) == (422, code)


@pytest.mark.parametrize(
    ("gold", "code"),
    [
        (["garden", "garden"], "duplicate-label"),
        (["garden", "sky"], "label-not-in-schema"),
        ([["garden"]], "invalid-type"),
    ],
)
def test_gold_that_breaks_a_rule_is_refused(caller, human_url, gold, code):
    document = {"items": [{"text": "new", "gold": gold}]}
    response = caller.post(f"{human_url}/items", document)
    assert (response.status_code, response.json["code"]) == (422, code)
    assert response.json["errors"][0]["pointer"] == "/items/0/gold"


def test_a_file_with_several_classes_in_a_cell_is_imported(caller, human_url):
    body = b"text,gold\none rose,garden\nroses and bread,garden|kitchen\nrain,|\nwho knows,\n"
    made = caller.post(f"{human_url}/imports", body, Content_Type="text/csv", Prefer="wait=30")
    assert made.json["result"]["created"] == 4
    assert made.json["result"]["gold"] == {"garden": 2, "kitchen": 1}


def test_the_kind_of_task_is_fixed_once_there_are_items(caller, human_url):
    etag = caller.get(human_url).headers["ETag"]
    refused = caller.patch(
        human_url,
        {"task": {"type": "single"}},
        If_Match=etag,
        Content_Type="application/merge-patch+json",
    )
    assert (refused.status_code, refused.json["code"]) == (409, "schema-locked")


def test_an_unknown_kind_of_task_is_refused(caller):
    document = multi_document()
    document["task"]["type"] = "several"
    response = caller.post("/v1/sessions", document)
    assert (response.status_code, response.json["code"]) == (422, "not-allowed")


def test_a_bundle_holds_the_thresholds(caller, service):
    if not service.readiness()["encoder"]:
        pytest.skip("the sentence encoder is not installed")
    url = opened(caller, encoder="minilm")
    result = trained(caller, url)
    response = caller.get(f"{url}/models/{result['model_id']}/download")
    with zipfile.ZipFile(io.BytesIO(response.data)) as bundle:
        assert json.loads(bundle.read("labels.json")) == {
            "classes": result["classes"],
            "thresholds": result["thresholds"],
        }
