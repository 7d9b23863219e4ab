"""One round over HTTP: pool, select, label, generate, review, retrain, predict, export."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile

import pytest

from tests.unit.api.conftest import Caller, rows, session_document

HUMAN = {"oracle": "human"}


def select(caller: Caller, url: str, **wish: object) -> dict:
    response = caller.post(f"{url}/select", wish)
    assert response.status_code == 201, response.json
    return response.json


def label_by_gold(caller: Caller, url: str) -> dict:
    batch = select(caller, url)
    response = caller.post(f"{url}/label", {"oracle": "gold", "batch_id": batch["id"]})
    assert response.status_code == 200, response.json
    return response.json


@pytest.fixture
def human_url(caller):
    """A session with a pool whose labels people give."""
    url = caller.post("/v1/sessions", session_document(**HUMAN)).headers["Location"]
    assert caller.post(f"{url}/items", {"items": rows(12)}).status_code == 200
    return url


@pytest.fixture
def trained_url(caller, pool_url):
    """A session with a round behind it and an active model."""
    label_by_gold(caller, pool_url)
    response = caller.post(f"{pool_url}/retrain", {}, Prefer="wait=30")
    assert response.json["state"] == "succeeded", response.json
    return pool_url


# --- items and imports ------------------------------------------------------------


def test_rows_are_stored_and_indexed(caller, session_url):
    response = caller.post(f"{session_url}/items", {"items": rows(3)})
    body = response.json
    assert (response.status_code, body["created"], body["rejected"]) == (200, 3, 0)
    assert [row["status"] for row in body["results"]] == ["created"] * 3
    assert body["operation"]["kind"] == "index"


def test_partial_mode_reports_each_bad_row_and_stores_the_good(caller, session_url):
    bad = [{"text": ""}, {"text": 3}, {"gold": "garden"}, {"text": "x", "gold": "nope"}, 7]
    strange = [{"text": "x", "gold_label": "garden"}]
    document = {"items": [*rows(2), *bad, *strange], "mode": "partial"}
    body = caller.post(f"{session_url}/items", document).json
    assert (body["created"], body["rejected"]) == (2, 6)
    codes = [row["error"]["code"] for row in body["results"][2:]]
    assert codes == [
        "empty-text",
        "invalid-type",
        "missing-field",
        "label-not-in-schema",
        "invalid-type",
        "unknown-field",
    ]


def test_atomic_mode_lists_every_bad_row_and_stores_nothing(caller, session_url):
    document = {"items": [*rows(2), {"text": " "}, {"text": "y", "split": "train"}]}
    response = caller.post(f"{session_url}/items", document)
    found = {(error["pointer"], error["code"]) for error in response.json["errors"]}
    assert response.status_code == 422
    assert found == {("/items/2/text", "empty-text"), ("/items/3/split", "unknown-split")}
    assert caller.get(f"{session_url}/items").json["data"] == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"items": []}, "too-few"),
        ({"items": rows(1) * 1_001}, "too-many"),
        ({"items": rows(1) * 2}, "duplicate-external-id"),
        ({"items": {}}, "invalid-type"),
        ({}, "missing-field"),
        ({"items": rows(1), "on_conflict": "replace"}, "not-allowed"),
        ({"items": [{"text": "x" * 20_001}]}, "too-long"),
    ],
)
def test_a_refused_upload_says_why(caller, session_url, document, code):
    response = caller.post(f"{session_url}/items", document)
    assert (response.status_code, response.json["code"]) == (422, code)


def test_a_row_that_differs_from_the_pools_is_a_conflict(caller, pool_url):
    [row, *_] = rows(1)
    document = {"items": [{**row, "text": "quite another text"}]}
    refused = caller.post(f"{pool_url}/items", document)
    assert (refused.status_code, refused.json["code"]) == (409, "external-id-conflict")
    updated = caller.post(f"{pool_url}/items", {**document, "on_conflict": "update"})
    assert updated.json["updated"] == 1


def test_items_are_filtered(caller, pool_url):
    def ids(query: str) -> set[str]:
        data = caller.get(f"{pool_url}/items?limit=500&{query}").json["data"]
        return {row["external_id"] for row in data}

    assert ids("split=test") == {f"test-{n}" for n in range(6)}
    assert ids("status=resolved") == set()
    assert ids("q=number 3 POOL") == {"pool-3"}
    batch = select(caller, pool_url)
    assert ids(f"batch_id={batch['id']}") == {item["external_id"] for item in batch["items"]}


@pytest.mark.parametrize("media_type", ["application/jsonl", "application/x-ndjson"])
def test_a_file_of_json_lines_is_imported(caller, session_url, media_type):
    body = "\n".join(json.dumps(row) for row in rows(5)).encode()
    response = caller.post(
        f"{session_url}/imports", body, Content_Type=media_type, Prefer="wait=30"
    )
    assert response.json["state"] == "succeeded", response.json
    assert response.json["result"]["created"] == 5


def test_a_compressed_csv_with_its_own_columns_is_imported(caller, session_url):
    body = gzip.compress(b"id,message,kind\n1,a rose,garden\n2,a loaf,kitchen\n3,,garden\n")
    url = f"{session_url}/imports?text_column=message&id_column=id&gold_column=kind&split_column="
    response = caller.post(
        url, body, Content_Type="text/csv", Content_Encoding="gzip", Prefer="wait=30"
    )
    assert response.json["result"]["created"] == 2
    assert response.json["result"]["rejected"] == 1
    errors = caller.get(f"{session_url}/imports/{response.json['id']}/errors")
    assert (errors.status_code, errors.content_type) == (200, "application/jsonl")
    [error] = [json.loads(line) for line in errors.data.splitlines()]
    assert "code" in json.dumps(error)


def test_a_dry_run_stores_nothing(caller, session_url):
    body = json.dumps(rows(1)[0]).encode()
    response = caller.post(
        f"{session_url}/imports?dry_run=true",
        body,
        Content_Type="application/jsonl",
        Prefer="wait=30",
    )
    assert response.json["state"] == "succeeded", response.json
    assert caller.get(f"{session_url}/items").json["data"] == []


def test_a_file_without_the_named_column_is_refused_at_once(caller, session_url):
    response = caller.post(
        f"{session_url}/imports?text_column=message",
        b"text,gold\na,garden\n",
        Content_Type="text/csv",
    )
    assert (response.status_code, response.json["code"]) == (422, "missing-column")
    assert caller.get("/v1/operations?kind=import").json["data"] == []


@pytest.mark.parametrize(
    "query", ["test_share=2", "gzip=maybe", "split_values=train", "column=text", "on_conflict=x"]
)
def test_a_query_that_does_not_say_how_to_read_the_file_is_400(caller, session_url, query):
    response = caller.post(f"{session_url}/imports?{query}", b"text\na\n", Content_Type="text/csv")
    assert (response.status_code, response.json["code"]) == (400, "invalid-query")


def test_a_files_own_split_names_can_be_translated(caller, session_url):
    body = b"text,part\none,train\ntwo,dev\n"
    url = f"{session_url}/imports?split_column=part&split_values=train:pool,dev:test"
    done = caller.post(url, body, Content_Type="text/csv", Prefer="wait=30").json
    assert done["state"] == "succeeded", done
    splits = {row["text"]: row["split"] for row in caller.get(f"{session_url}/items").json["data"]}
    assert splits == {"one": "pool", "two": "test"}


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/zip"])
def test_a_file_of_another_kind_is_refused(caller, session_url, media_type):
    response = caller.post(f"{session_url}/imports", b"x", Content_Type=media_type)
    assert (response.status_code, response.json["code"]) == (415, "unsupported-media-type")
    assert "text/csv" in response.json["allowed"]


def test_bare_bytes_are_a_file_of_the_kind_that_the_query_says(caller, session_url):
    url, kind = f"{session_url}/imports", "application/octet-stream"
    done = caller.post(f"{url}?format=csv", b"text\none\n", Content_Type=kind, Prefer="wait=30")
    assert done.json["result"]["created"] == 1
    untold = caller.post(url, b"text\none\n", Content_Type=kind)
    assert (untold.status_code, untold.json["code"]) == (422, "missing-field")
    assert untold.json["errors"][0]["pointer"] == "?format"
    assert untold.json["allowed"] == ["csv", "jsonl", "parquet"]


def test_a_media_type_that_says_the_kind_wins_over_the_query(caller, session_url):
    url, csv = f"{session_url}/imports?format=parquet", "text/csv"
    done = caller.post(url, b"text\none\n", Content_Type=csv, Prefer="wait=30").json
    assert done["result"]["created"] == 1


def test_an_upload_of_unknown_length_is_411(caller, session_url):
    response = caller.send(
        "POST", f"{session_url}/imports", Content_Type="text/csv", Idempotency_Key="one"
    )
    assert (response.status_code, response.json["code"]) == (411, "length-required")


def test_an_upload_above_the_limit_is_413(caller, session_url):
    response = caller.client.post(
        f"{session_url}/imports",
        input_stream=io.BytesIO(b""),
        headers={
            "Authorization": f"Bearer {caller.token}",
            "Content-Type": "text/csv",
            "Idempotency-Key": "one",
        },
        environ_overrides={"CONTENT_LENGTH": "500000001"},
    )
    assert (response.status_code, response.json["code"]) == (413, "payload-too-large")
    assert response.json["limit"] == 500_000_000


def test_an_upload_that_is_not_what_its_digest_says_is_refused(caller, session_url):
    body = json.dumps(rows(1)[0]).encode()
    response = caller.post(
        f"{session_url}/imports",
        body,
        Content_Type="application/jsonl",
        Content_Digest="sha-256=:AAAA:",
    )
    assert (response.status_code, response.json["code"]) == (422, "digest-mismatch")
    assert caller.get("/v1/operations?kind=import").json["data"] == []


# --- select and label -------------------------------------------------------------


def test_a_batch_says_why_each_item_was_picked(caller, pool_url):
    response = caller.post(f"{pool_url}/select", {"size": 5})
    batch = response.json
    assert response.headers["Location"] == f"{pool_url}/batches/{batch['id']}"
    assert (batch["selected"], batch["requested"], batch["shortfall"]) == (5, 5, 0)
    assert [item["rank"] for item in batch["items"]] == [0, 1, 2, 3, 4]
    assert sum(cluster["taken"] for cluster in batch["clusters"]) == 5
    stored = caller.get(response.headers["Location"]).json
    assert stored == {k: v for k, v in batch.items() if k != "clusters"}
    assert caller.get(f"{pool_url}/batches").json["data"] == [stored]


def test_select_without_a_body_takes_the_sessions_settings(caller, pool_url):
    response = caller.post(f"{pool_url}/select")
    assert (response.status_code, response.json["requested"]) == (201, 6)


def test_a_second_select_names_the_open_batch(caller, pool_url):
    batch = select(caller, pool_url)
    response = caller.post(f"{pool_url}/select", {})
    assert (response.status_code, response.json["code"]) == (409, "batch-open")
    assert response.json["batch_id"] == batch["id"]
    cancelled = caller.post(f"{pool_url}/batches/{batch['id']}/cancel")
    assert (cancelled.status_code, cancelled.json["state"]) == (200, "cancelled")
    again = caller.post(f"{pool_url}/batches/{batch['id']}/cancel")
    assert (again.status_code, again.json["code"]) == (409, "batch-closed")


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"size": 0}, 422, "out-of-range"),
        ({"size": 5_000}, 422, "size-too-large"),
        ({"strategy": "astrology"}, 422, "unknown-strategy"),
        ({"strategy": {"name": "entropy", "options": {"x": 1}}}, 422, "unknown-option"),
        ({"seed": -1}, 422, "out-of-range"),
        ({"min_distance": "far"}, 422, "invalid-type"),
    ],
)
def test_a_refused_select_says_why(caller, pool_url, wish, status, code):
    response = caller.post(f"{pool_url}/select", wish)
    assert (response.status_code, response.json["code"]) == (status, code)


def test_select_from_an_empty_pool_is_a_conflict(caller, session_url):
    caller.post(f"{session_url}/items", {"items": rows(3, split="test")})
    response = caller.post(f"{session_url}/select", {})
    assert (response.status_code, response.json["code"]) == (409, "pool-empty")


def test_people_label_by_item_id_or_by_their_own_id(caller, human_url):
    first, second, *_ = select(caller, human_url)["items"]
    answers = [
        {"item_id": first["id"], "label": "garden", "client_label_id": "c1"},
        {"external_id": second["external_id"], "labels": ["kitchen"]},
    ]
    body = caller.post(f"{human_url}/label", {"labels": answers}).json
    assert (body["accepted"], body["rejected"], body["label_watermark"]) == (2, 0, 2)
    again = caller.post(f"{human_url}/label", {"labels": answers}).json
    assert [row["status"] for row in again["results"]] == ["replayed", "replayed"]
    events = caller.get(f"{human_url}/labels?after=1").json
    assert [event["seq"] for event in events["data"]] == [2]
    assert events["data"][0]["annotator_id"] == caller.key_id


def test_a_single_refused_label_has_its_own_status(caller, human_url):
    [item, *_] = select(caller, human_url)["items"]

    def refusal(**answer: object) -> tuple[int, str]:
        response = caller.post(f"{human_url}/label", {"labels": [answer]})
        return response.status_code, response.json["code"]

    assert refusal(item_id="itm_unknown", label="garden") == (404, "unknown-item")
    assert refusal(item_id=item["id"], label="nope") == (422, "label-not-in-schema")
    assert refusal(item_id=item["id"]) == (422, "missing-label")
    both = ["garden", "kitchen"]
    assert refusal(item_id=item["id"], labels=both) == (422, "too-many-labels")
    caller.post(f"{human_url}/label", {"labels": [{"item_id": item["id"], "label": "garden"}]})
    assert refusal(item_id=item["id"], label="kitchen") == (409, "already-labelled")


def test_a_label_outside_any_batch_is_refused_unless_asked_for(caller, human_url):
    picked = {item["id"] for item in select(caller, human_url)["items"]}
    items = caller.get(f"{human_url}/items").json["data"]
    other = next(item["id"] for item in items if item["id"] not in picked)
    document = {"labels": [{"item_id": other, "label": "garden"}]}
    refused = caller.post(f"{human_url}/label", document)
    assert (refused.status_code, refused.json["code"]) == (409, "item-not-selected")
    taken = caller.post(f"{human_url}/label", {**document, "allow_unsolicited": True})
    assert taken.json["accepted"] == 1


def test_many_labels_report_each_refusal(caller, human_url):
    [item, *_] = select(caller, human_url)["items"]
    answers = [
        {"item_id": item["id"], "label": "garden"},
        {"item_id": "itm_unknown", "label": "garden"},
    ]
    response = caller.post(f"{human_url}/label", {"labels": answers})
    assert (response.status_code, response.json["rejected"]) == (200, 1)
    assert response.json["results"][1]["error"]["code"] == "unknown-item"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"labels": []},
        {"oracle": "gold"},
        {"oracle": "gold", "batch_id": "b", "labels": [{"item_id": "i", "label": "x"}]},
        {"labels": [{"label": "garden"}]},
        {"labels": [{"item_id": "a", "external_id": "b", "label": "garden"}]},
        {"labels": [{"item_id": "a", "label": "x", "labels": ["y"]}]},
        {"labels": [{"item_id": "a", "label": "x", "score": 0.5}]},
        {"labels": [{"item_id": "a", "label": "x"}], "noise": 0.5},
        {"labels": [{"item_id": "a", "label": "x"}] * 501},
    ],
)
def test_a_malformed_label_request_is_422(caller, human_url, document):
    assert caller.post(f"{human_url}/label", document).status_code == 422


def test_the_oracle_must_be_the_sessions(caller, human_url, pool_url):
    for url, oracle in ((human_url, "gold"), (human_url, "human"), (pool_url, "other")):
        response = caller.post(f"{url}/label", {"oracle": oracle, "batch_id": "bat_x"})
        assert (response.status_code, response.json["code"]) == (409, "oracle-mismatch")


def test_naming_an_annotator_or_asking_an_oracle_needs_the_scope(caller_with, pool_url):
    plain = caller_with("labels:write")
    answers = [{"item_id": "a", "label": "garden"}]
    named = plain.post(f"{pool_url}/label", {"labels": answers, "annotator_id": "ann"})
    asked = plain.post(f"{pool_url}/label", {"oracle": "gold", "batch_id": "bat_x"})
    assert [r.json["scope"] for r in (named, asked)] == ["oracle", "oracle"]


def test_an_answer_can_be_taken_back_by_whoever_gave_it(caller, caller_with, human_url):
    [item, *_] = select(caller, human_url)["items"]
    document = {"labels": [{"item_id": item["id"], "label": "garden"}]}
    label_id = caller.post(f"{human_url}/label", document).json["results"][0]["label_id"]
    url = f"{human_url}/labels/{label_id}/undo"
    refused = caller_with("labels:write").post(url)
    assert (refused.status_code, refused.json["code"]) == (409, "not-your-label")
    undone = caller.post(url)
    assert (undone.status_code, undone.json["kind"]) == (200, "undone")
    assert caller.post(url).json["code"] == "label-not-current"


# --- generate and review ----------------------------------------------------------


def test_a_dry_run_of_generate_is_a_plan(caller, pool_url):
    label_by_gold(caller, pool_url)
    response = caller.post(f"{pool_url}/generate", {"dry_run": True})
    assert response.status_code == 200
    assert response.json["calls"] >= 1
    assert response.json["dollars"] == 0
    assert caller.get("/v1/operations?kind=generate").json["data"] == []


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({}, 422, "source-unlabelled"),
        ({"template": "nope"}, 422, "unknown-template"),
        ({"generator": "nope"}, 422, "unknown-generator"),
        ({"variations": 0}, 422, "out-of-range"),
        ({"batch_id": "bat_unknown"}, 404, "unknown-batch"),
    ],
)
def test_a_refused_generate_says_why(caller, pool_url, wish, status, code):
    response = caller.post(f"{pool_url}/generate", wish)
    assert (response.status_code, response.json["code"]) == (status, code)


def test_variations_are_reviewed_one_by_one_or_together(caller, caller_with, pool_url):
    label_by_gold(caller, pool_url)
    wish = {"generator": "perturb", "variations": 4}
    done = caller.post(f"{pool_url}/generate", wish, Prefer="wait=30").json
    assert done["state"] == "succeeded", done
    proposed = caller.get(f"{pool_url}/generations?state=proposed").json["data"]
    assert len(proposed) >= 3
    first, second, third = proposed[:3]
    url = f"{pool_url}/generations/{first['id']}"
    read = caller.get(url)
    assert read.json == first
    assert "text" not in caller_with("review").get(url).json
    assert caller.post(f"{url}/review", {"decision": "maybe"}).status_code == 422
    stale = caller.post(f"{url}/review", {"decision": "accept"}, If_Match='"99"')
    assert stale.status_code == 412
    accepted = caller.post(f"{url}/review", {"decision": "accept"})
    assert (accepted.status_code, accepted.json["state"]) == (200, "accepted")
    again = caller.post(f"{url}/review", {"decision": "reject"})
    assert (again.status_code, again.json["code"]) == (409, "already-reviewed")
    decisions = [
        {"generation_id": second["id"], "decision": "reject", "reason": "odd"},
        {"generation_id": third["id"], "decision": "relabel", "labels": ["harbour"]},
        {"generation_id": "gen_unknown", "decision": "accept"},
    ]
    bulk = caller.post(f"{pool_url}/generations/review", {"decisions": decisions}).json
    assert (bulk["rejected"], bulk["failed"]) == (1, 1)
    assert bulk["results"][2]["error"]["code"] == "unknown-generation"


# --- retrain, models, predict -----------------------------------------------------


def test_retraining_on_nothing_is_a_conflict(caller, pool_url):
    response = caller.post(f"{pool_url}/retrain", {})
    assert (response.status_code, response.json["code"]) == (409, "insufficient-classes")


def test_a_model_is_listed_downloaded_and_predicts(caller, trained_url):
    [model] = caller.get(f"{trained_url}/models").json["data"]
    url = f"{trained_url}/models/{model['id']}"
    assert caller.get(url).json == model
    assert (model["state"], set(model["classes"])) == ("active", {"garden", "kitchen", "harbour"})
    head = caller.get(f"{url}/onnx")
    sha256 = hashlib.sha256(head.data).hexdigest()
    assert (head.headers["ETag"], sha256) == (f'"{model["onnx"]}"', model["onnx"])
    assert head.headers["Content-Digest"].startswith("sha-256=:")
    part = caller.get(f"{url}/onnx", Range="bytes=2-5")
    assert (part.status_code, part.data) == (206, head.data[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(head.data)}"
    assert caller.get(f"{url}/onnx", If_None_Match=head.headers["ETag"]).status_code == 304
    beyond = caller.get(f"{url}/onnx", Range="bytes=9999999-")
    assert (beyond.status_code, beyond.json["code"]) == (416, "range-not-satisfiable")
    inputs = [{"id": "a", "text": "roses in the garden"}, {"text": "boats in the harbour"}]
    body = caller.post(f"{trained_url}/predict", {"inputs": inputs}).json
    assert body["model_id"] == model["id"]
    assert [row["id"] for row in body["results"]] == ["a", None]
    for row in body["results"]:
        assert abs(sum(row["scores"].values()) - 1) < 1e-4
        assert row["label"] == max(row["scores"], key=row["scores"].get)


def test_a_model_is_activated_with_the_etag_of_the_one_that_was_read(caller, trained_url):
    caller.post(f"{trained_url}/retrain", {"force": True}, Prefer="wait=30")
    models = caller.get(f"{trained_url}/models").json["data"]
    archived = next(model for model in models if model["state"] == "archived")
    active = next(model for model in models if model["state"] == "active")
    url = f"{trained_url}/models/{archived['id']}"
    assert caller.post(f"{url}/activate").status_code == 428
    assert caller.post(f"{url}/activate", If_Match='"99"').status_code == 412
    etag = caller.get(url).headers["ETag"]
    done = caller.post(f"{url}/activate", If_Match=etag, Prefer="wait=30")
    assert (done.status_code, done.json["state"]) == (200, "succeeded")
    refused = caller.delete(url, If_Match=caller.get(url).headers["ETag"])
    assert (refused.status_code, refused.json["code"]) == (409, "model-active")
    other = f"{trained_url}/models/{active['id']}"
    assert caller.delete(other, If_Match=caller.get(other).headers["ETag"]).status_code == 204


def test_nothing_new_is_a_conflict(caller, trained_url):
    response = caller.post(f"{trained_url}/retrain", {})
    assert (response.status_code, response.json["code"]) == (409, "nothing-new")


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"inputs": [{"text": "x"}]}, 409, "no-model"),
        ({"inputs": [{"text": "x"}], "model": "mdl_unknown"}, 404, "unknown-model"),
        ({"inputs": []}, 422, "too-few"),
        ({"inputs": [{"text": "x"}] * 257}, 422, "too-many"),
        ({"inputs": [{"text": " "}]}, 422, "empty-text"),
        ({"inputs": ["x"]}, 422, "invalid-type"),
    ],
)
def test_a_refused_prediction_says_why(caller, pool_url, document, status, code):
    response = caller.post(f"{pool_url}/predict", document)
    assert (response.status_code, response.json["code"]) == (status, code)


# --- figures and exports ----------------------------------------------------------


@pytest.mark.parametrize("path", ["metrics", "metrics/learning-curve", "metrics/clusters"])
def test_figures_are_objects(caller, trained_url, path):
    response = caller.get(f"{trained_url}/{path}")
    assert response.status_code == 200
    assert isinstance(response.json, dict)


@pytest.mark.parametrize(
    "name", ["balance", "curve", "clusters", "evenness", "entropy", "cost", "funnel"]
)
def test_pictures_come_as_svg_and_png(caller, trained_url, name):
    svg = caller.get(f"{trained_url}/plots/{name}.svg", Accept="image/svg+xml")
    png = caller.get(f"{trained_url}/plots/{name}.png", Accept="image/*")
    assert (svg.status_code, svg.content_type) == (200, "image/svg+xml")
    assert b"<svg" in svg.data[:2_000]
    assert "sandbox" in svg.headers["Content-Security-Policy"]
    assert (png.status_code, png.data[:4]) == (200, b"\x89PNG")


def test_a_picture_of_another_name_or_kind_is_404(caller, pool_url):
    for name in ("unknown.svg", "balance.pdf", "balance"):
        assert caller.get(f"{pool_url}/plots/{name}").status_code == 404


@pytest.mark.parametrize(
    ("format", "media_type"), [("jsonl", "application/jsonl"), ("csv", "text/csv")]
)
def test_an_export_is_downloaded_whole_or_in_part(caller, trained_url, format, media_type):
    wish = {"what": "labels", "format": format}
    made = caller.post(f"{trained_url}/exports", wish, Prefer="wait=30").json
    assert made["state"] == "succeeded", made
    url = f"{trained_url}/exports/{made['id']}"
    assert caller.get(url).json == made
    whole = caller.get(f"{url}/content")
    assert (whole.status_code, whole.mimetype) == (200, media_type)
    assert whole.headers["ETag"] == f'"{hashlib.sha256(whole.data).hexdigest()}"'
    assert b"a note on the" in whole.data
    part = caller.get(f"{url}/content", Range="bytes=10-19")
    assert (part.status_code, part.data) == (206, whole.data[10:20])


def test_an_export_holds_texts_only_for_who_may_read_them(caller, caller_with, trained_url):
    blind = caller_with("export")
    wish = {"what": "training", "format": "jsonl"}
    made = blind.post(f"{trained_url}/exports", wish, Prefer="wait=30").json
    content = blind.get(f"{trained_url}/exports/{made['id']}/content").data
    assert content
    assert b"a note on the" not in content
    refused = blind.post(f"{trained_url}/exports", {**wish, "include_text": True})
    assert (refused.status_code, refused.json["scope"]) == (403, "content:read")
    full = caller.post(f"{trained_url}/exports", wish, Prefer="wait=30").json
    stolen = blind.get(f"{trained_url}/exports/{full['id']}/content")
    assert stolen.status_code == 403


def test_an_operation_of_another_kind_is_no_export(caller, trained_url):
    [index, *_] = caller.get("/v1/operations?kind=index").json["data"]
    response = caller.get(f"{trained_url}/exports/{index['id']}")
    assert (response.status_code, response.json["code"]) == (404, "unknown-operation")


def test_a_bundle_holds_the_whole_detector(caller, pool_url, service):
    if not service.readiness()["encoder"]:
        pytest.skip("the sentence encoder is not installed")
    url = caller.post("/v1/sessions", session_document(encoder="minilm")).headers["Location"]
    caller.post(f"{url}/items", {"items": rows(12)})
    label_by_gold(caller, url)
    made = caller.post(f"{url}/retrain", {}, Prefer="wait=30").json
    response = caller.get(f"{url}/models/{made['result']['model_id']}/download")
    assert (response.status_code, response.content_type) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(response.data)) as bundle:
        assert {"model.onnx", "tokenizer.json", "labels.json"} <= set(bundle.namelist())
