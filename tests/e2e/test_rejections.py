"""What must be refused, and how: one test per row, over HTTP, and nothing is half-stored."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from tests.e2e.rejection_stage import Stage, place, sent, staged
from tests.e2e.running import Caller, rows, running, session_document

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("rejections")]

JSON = {"Content-Type": "application/json"}
UNKNOWN = "itm_01JD3V7Q6S0000000000000000"
Ask: TypeAlias = Callable[[Stage, str], Any]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("rejections") / "data") as found:
        yield found


@dataclass(frozen=True, kw_only=True)
class Row:
    """``on`` names the session, ``extras`` what a program can act on (None = any value)."""

    on: str
    ask: Ask
    status: int
    code: str
    pointer: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


def post(path: str, document: Any = None, **options: Any) -> Ask:
    return lambda stage, session: stage.caller.post(
        session + path, filled(document, stage), **options
    )


def label(answer: Mapping[str, Any], **more: Any) -> Ask:
    return post("/label", {"labels": [answer], **more})


def upload(body: bytes, *, query: str = "", **options: Any) -> Ask:
    return post(f"/imports{query}", **sent(body, **options))


def filled(document: Any, stage: Stage) -> Any:
    """The document with ``$name`` replaced by the stage's id of that name."""
    if document is None:
        return None
    text = json.dumps(document)
    for name in sorted(stage.ids, key=len, reverse=True):
        text = text.replace(f'"${name}"', f'"{stage.ids[name]}"')
    return json.loads(text)


def at(template: str, method: str = "post", document: Any = None, **options: Any) -> Ask:
    """A request whose path has ids of the stage in braces."""

    def ask(stage: Stage, session: str) -> Any:
        path = session + template.format(**stage.ids)
        caller = stage.caller
        if method == "get":
            return caller.get(path, **options)
        if method == "delete":
            return caller.delete(path, **options)
        if method == "patch":
            return caller.patch(path, filled(document, stage), **options)
        return caller.post(path, filled(document, stage), **options)

    return ask


def parquet(**columns: list[Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


PARQUET = "application/vnd.apache.parquet"
GARDEN = {"item_id": "$free", "label": "garden"}
BODIES = {
    "a body that is not JSON": Row(
        on="human",
        ask=post("/label", content=b'{"labels": [', headers=JSON),
        status=400,
        code="malformed-json",
    ),
    "a body of another media type": Row(
        on="human",
        ask=post("/label", content=b"labels=1", headers={"Content-Type": "text/plain"}),
        status=415,
        code="unsupported-media-type",
    ),
    "a body that is too large": Row(
        on="human",
        ask=post("/items", content=b" " * 100_001, headers=JSON),
        status=413,
        code="payload-too-large",
        extras={"limit": 100_000},
    ),
    "a file that is too large": Row(
        on="human",
        ask=upload(b"text\n" + b"words\n" * 20_000),
        status=413,
        code="payload-too-large",
        extras={"limit": 100_000},
    ),
    "an unknown field": Row(
        on="human",
        ask=label({**GARDEN, "colour": "red"}),
        status=422,
        code="unknown-field",
        pointer="/labels/0/colour",
    ),
    "an unknown field of an item": Row(
        on="human",
        ask=post("/items", {"items": [{"text": "words", "colour": "red"}]}),
        status=422,
        code="unknown-field",
        pointer="/items/0/colour",
    ),
    "an unknown query parameter": Row(
        on="human",
        ask=at("/items?colour=red", "get"),
        status=400,
        code="invalid-query",
        pointer="?colour",
    ),
    "a cursor nobody handed out": Row(
        on="human", ask=at("/items?cursor=abc", "get"), status=400, code="invalid-cursor"
    ),
    "a method the URL does not take": Row(
        on="human", ask=at("/select", "get"), status=405, code="method-not-allowed"
    ),
    "an answer in another media type": Row(
        on="human",
        ask=at("", "get", headers={"Accept": "text/html"}),
        status=406,
        code="not-acceptable",
        extras={"available": ["application/json"]},
    ),
    "a session nobody has": Row(
        on="unknown", ask=at("", "get"), status=404, code="unknown-session"
    ),
    "a deleted session": Row(on="deleted", ask=at("", "get"), status=410, code="session-deleted"),
    "a verb on a deleted session": Row(
        on="deleted", ask=post("/select", {}), status=410, code="session-deleted"
    ),
}
LABELS = {
    "a label for an unknown item": Row(
        on="human",
        ask=label({"item_id": UNKNOWN, "label": "garden"}),
        status=404,
        code="unknown-item",
    ),
    "a label outside the schema": Row(
        on="human",
        ask=label({"item_id": "$free", "label": "space"}),
        status=422,
        code="label-not-in-schema",
        pointer="/labels/0/labels",
        extras={"allowed": ["garden", "kitchen", "harbour"]},
    ),
    "two labels where one is meant": Row(
        on="human",
        ask=label({"item_id": "$free", "labels": ["garden", "kitchen"]}),
        status=422,
        code="too-many-labels",
        pointer="/labels/0/labels",
        extras={"allowed": 1},
    ),
    "a number that is not finite": Row(
        on="human",
        ask=post("/select", content=b'{"min_distance": 1e999}', headers=JSON),
        status=422,
        code="invalid-number",
        pointer="/min_distance",
    ),
    "NaN": Row(
        on="human",
        ask=post("/select", content=b'{"min_distance": NaN}', headers=JSON),
        status=400,
        code="malformed-json",
    ),
    "a label for an item in no batch": Row(
        on="human",
        ask=label({"item_id": "$pool", "label": "garden"}),
        status=409,
        code="item-not-selected",
    ),
    "a label for a test row": Row(
        on="human",
        ask=label({"item_id": "$test", "label": "garden"}),
        status=409,
        code="item-not-in-pool",
        extras={"split": "test"},
    ),
    "a label for a cancelled batch": Row(
        on="cancelled",
        ask=label({"item_id": "$cancelled_item", "label": "garden"}),
        status=409,
        code="batch-closed",
    ),
    "a label for a batch whose item has its answer": Row(
        on="human",
        ask=label({"item_id": "$theirs", "label": "garden", "batch_id": "$batch"}),
        status=409,
        code="batch-closed",
        extras={"label_id": None},
    ),
    "a label for an item that has enough": Row(
        on="human",
        ask=label({"item_id": "$theirs", "label": "garden"}),
        status=409,
        code="overlap-reached",
        extras={"label_id": None},
    ),
    "another answer by the same annotator": Row(
        on="human",
        ask=label({"item_id": "$mine", "label": "kitchen"}),
        status=409,
        code="already-labelled",
        extras={"label_id": None},
    ),
    "taking back somebody else's answer": Row(
        on="human",
        ask=at("/labels/{their_label}/undo"),
        status=409,
        code="not-your-label",
    ),
    "a label in a closed session": Row(
        on="closed",
        ask=label({"item_id": UNKNOWN, "label": "garden"}),
        status=409,
        code="session-not-open",
        extras={"state": "closed"},
    ),
    "gold asked in a session that people label": Row(
        on="human",
        ask=post("/label", {"oracle": "gold", "batch_id": "$batch"}),
        status=409,
        code="oracle-mismatch",
        extras={"oracle": "human"},
    ),
    "gold asked where there is none": Row(
        on="bare",
        ask=post("/label", {"oracle": "gold", "batch_id": "$bare_batch"}),
        status=409,
        code="gold-missing",
        extras={"items": None},
    ),
}
ROUNDS = {
    "select before there are items": Row(
        on="draft",
        ask=post("/select", {}),
        status=409,
        code="session-not-open",
        extras={"state": "draft"},
    ),
    "select from an empty pool": Row(
        on="emptied",
        ask=post("/select", {}),
        status=409,
        code="pool-empty",
        extras={"pooled": 0, "resolved": 4},
    ),
    "select while a batch is open": Row(
        on="human",
        ask=post("/select", {}),
        status=409,
        code="batch-open",
        extras={"batch_id": "$batch"},
    ),
    "select before the pool is indexed": Row(
        on="unindexed",
        ask=post("/select", {}),
        status=409,
        code="not-indexed",
        extras={"operation": "$indexing", "url": "/v1/operations/$indexing"},
    ),
    "select more than a batch may have": Row(
        on="fresh",
        ask=post("/select", {"size": 101}),
        status=422,
        code="size-too-large",
        pointer="/size",
        extras={"limit": 100},
    ),
    "select by an unknown strategy": Row(
        on="fresh",
        ask=post("/select", {"strategy": "astrology"}),
        status=422,
        code="unknown-strategy",
        extras={"allowed": None},
    ),
    "select beyond the label budget": Row(
        on="frugal",
        ask=post("/select", {}),
        status=409,
        code="budget-exceeded",
        extras={"spent": 2, "limit": 2},
    ),
    "select while the model is being replaced": Row(
        on="training",
        ask=post("/select", {}),
        status=409,
        code="operation-in-progress",
        extras={"operation": "$running", "url": "/v1/operations/$running"},
    ),
    "retrain with one class": Row(
        on="human",
        ask=post("/retrain"),
        status=409,
        code="insufficient-classes",
        extras={"present": {"garden": 2}, "required": 2, "min_per_class": 2},
    ),
    "retrain with nothing new": Row(
        on="trained",
        ask=post("/retrain"),
        status=409,
        code="nothing-new",
        extras={"watermark": None},
    ),
    "retrain while a training runs": Row(
        on="training",
        ask=post("/retrain", {"force": True}),
        status=409,
        code="operation-in-progress",
        extras={"operation": "$running", "url": "/v1/operations/$running", "kind": "retrain"},
    ),
    "cancel of an operation that has ended": Row(
        on="trained",
        ask=lambda stage, _: stage.caller.post(f"/v1/operations/{stage.ids['operation']}/cancel"),
        status=409,
        code="operation-finished",
        extras={"state": "succeeded"},
    ),
    "cancel of a batch that is cancelled": Row(
        on="cancelled",
        ask=at("/batches/{cancelled_batch}/cancel"),
        status=409,
        code="batch-closed",
        extras={"state": "cancelled"},
    ),
    "resume of a session that runs": Row(
        on="human",
        ask=post("/resume"),
        status=409,
        code="invalid-transition",
        extras={"state": "open", "allowed_from": ["paused"]},
    ),
    "an export that is not written yet": Row(
        on="trained",
        ask=at("/exports/{export}/content", "get"),
        status=409,
        code="operation-not-finished",
    ),
}
VARIATIONS = {
    "variations of an unlabelled item": Row(
        on="human",
        ask=post("/generate", {"item_ids": ["$free"]}),
        status=422,
        code="source-unlabelled",
        extras={"items": ["$free"]},
    ),
    "variations before anything is labelled": Row(
        on="fresh", ask=post("/generate", {}), status=422, code="source-unlabelled"
    ),
    "variations by a generator without its key": Row(
        on="trained",
        ask=post("/generate", {"generator": "anthropic"}),
        status=409,
        code="generator-not-configured",
        extras={"generator": "anthropic"},
    ),
    "variations by an unknown generator": Row(
        on="trained",
        ask=post("/generate", {"generator": "monkeys"}),
        status=422,
        code="unknown-generator",
        extras={"allowed": None},
    ),
    "variations by an unknown template": Row(
        on="trained",
        ask=post("/generate", {"template": "haiku"}),
        status=422,
        code="unknown-template",
        pointer="/template",
        extras={"allowed": None},
    ),
    "a decision on what is decided": Row(
        on="trained",
        ask=at("/generations/{decided}/review", document={"decision": "reject"}),
        status=409,
        code="already-reviewed",
    ),
}
MODELS = {
    "predict before a model": Row(
        on="fresh",
        ask=post("/predict", {"inputs": [{"text": "bread and flour"}]}),
        status=409,
        code="no-model",
    ),
    "predict with a deleted model": Row(
        on="trained",
        ask=post("/predict", {"inputs": [{"text": "bread"}], "model": "$deleted_model"}),
        status=410,
        code="model-deleted",
    ),
    "predict with a model whose file is lost": Row(
        on="lost",
        ask=post("/predict", {"inputs": [{"text": "bread"}]}),
        status=503,
        code="model-unavailable",
    ),
    "predict with too many texts": Row(
        on="trained",
        ask=post("/predict", {"inputs": [{"text": "bread"}] * 257}),
        status=422,
        code="too-many",
        pointer="/inputs",
    ),
    "deletion of the active model": Row(
        on="lost",
        ask=lambda stage, path: stage.caller.delete(
            f"{path}/models/{stage.caller.read(path)['active_model_id']}"
        ),
        status=409,
        code="model-active",
    ),
}
ITEMS = {
    "an empty text": Row(
        on="human",
        ask=post("/items", {"items": [{"text": "good"}, {"text": " \n"}]}),
        status=422,
        code="empty-text",
        pointer="/items/1/text",
    ),
    "a text with NUL": Row(
        on="human",
        ask=post("/items", {"items": [{"text": "good"}, {"text": "a\0b"}]}),
        status=422,
        code="invalid-text",
        pointer="/items/1/text",
    ),
    "a text that is not UTF-8": Row(
        on="human",
        ask=post("/items", content=b'{"items":[{"text":"\xff"}]}', headers=JSON),
        status=400,
        code="malformed-json",
    ),
    "a text that is too long": Row(
        on="human",
        ask=post("/items", {"items": [{"text": "a" * 20_001}]}),
        status=422,
        code="too-long",
        pointer="/items/0/text",
    ),
    "gold outside the schema": Row(
        on="human",
        ask=post("/items", {"items": [{"text": "good"}, {"text": "bad", "gold": "space"}]}),
        status=422,
        code="label-not-in-schema",
        pointer="/items/1/gold",
    ),
    "the same external id twice in one upload": Row(
        on="human",
        ask=post("/items", {"items": [{"text": t, "external_id": "x"} for t in "ab"]}),
        status=422,
        code="duplicate-external-id",
        pointer="/items/0/external_id",
        extras={"indexes": [[0, 1]]},
    ),
    "an external id the pool has with another text": Row(
        on="human",
        ask=post(
            "/items",
            {"items": [{"text": "new"}, {"text": "other", "external_id": "garden-20"}]},
        ),
        status=409,
        code="external-id-conflict",
        pointer="/items/1/external_id",
    ),
    "another text for an item that was selected": Row(
        on="human",
        ask=at("/items/{free}", "patch", {"text": "something else"}),
        status=409,
        code="item-already-selected",
    ),
    "deletion of an item in an open batch": Row(
        on="human", ask=at("/items/{free}", "delete"), status=409, code="item-selected"
    ),
    "items for a closed session": Row(
        on="closed",
        ask=post("/items", {"items": [{"text": "late"}]}),
        status=409,
        code="session-not-open",
        extras={"state": "closed"},
    ),
}
FILES = {
    "a CSV without the text column": Row(
        on="human",
        ask=upload(b"id,words\n1,hello\n"),
        status=422,
        code="missing-column",
        extras={"columns": None},
    ),
    "a CSV with nothing but ragged rows": Row(
        on="human",
        ask=upload(b"external_id,text\na,b,c,d\ne\n"),
        status=422,
        code="ragged-row",
    ),
    "a Parquet file without the text column": Row(
        on="human",
        ask=upload(parquet(words=["hello"]), kind=PARQUET),
        status=422,
        code="missing-column",
    ),
    "a Parquet file whose text is no text": Row(
        on="human",
        ask=upload(parquet(text=[[1, 2]]), kind=PARQUET),
        status=422,
        code="wrong-column-type",
    ),
    "a file that is not Parquet": Row(
        on="human",
        ask=upload(b"text\nhello\n", kind=PARQUET),
        status=422,
        code="unreadable-file",
    ),
    "a zip archive sent as CSV": Row(
        on="human", ask=upload(b"PK\x03\x04 and more"), status=422, code="unreadable-file"
    ),
    "a file that is not gzip": Row(
        on="human",
        ask=upload(b"text\nhello\n", coding="gzip"),
        status=422,
        code="unreadable-file",
    ),
    "a file in another coding": Row(
        on="human",
        ask=upload(b"text\nhello\n", coding="br"),
        status=415,
        code="unsupported-media-type",
        extras={"allowed": ["gzip"]},
    ),
    "a file of another kind": Row(
        on="human",
        ask=upload(b"hello", kind="application/pdf"),
        status=415,
        code="unsupported-media-type",
        extras={"allowed": None},
    ),
    "an empty file": Row(on="human", ask=upload(b""), status=422, code="empty-file"),
    "a file with another digest than announced": Row(
        on="human",
        ask=post(
            "/imports",
            content=b"text\nhello\n",
            headers={
                "Content-Type": "text/csv",
                "Content-Digest": "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:",
            },
        ),
        status=422,
        code="digest-mismatch",
    ),
    "a file for a closed session": Row(
        on="closed",
        ask=upload(b"text\nhello\n"),
        status=409,
        code="session-not-open",
    ),
}
CONDITIONS = {
    "a change without If-Match": Row(
        on="human",
        ask=lambda stage, path: stage.caller.http.patch(path, json={"name": "new"}),
        status=428,
        code="if-match-required",
    ),
    "a change with an old ETag": Row(
        on="human",
        ask=at("", "patch", {"name": "new"}, headers={"If-Match": '"0"'}),
        status=412,
        code="etag-mismatch",
    ),
    "a deletion with an old ETag": Row(
        on="human",
        ask=at("", "delete", headers={"If-Match": '"0.abc"'}),
        status=412,
        code="etag-mismatch",
    ),
    "removal of a class that is used": Row(
        on="human",
        ask=at("", "patch", {"task": {"labels": [{"id": "kitchen"}, {"id": "harbour"}]}}),
        status=409,
        code="label-in-use",
        extras={"labels": ["garden"]},
    ),
    "another encoder for an indexed pool": Row(
        on="human",
        ask=at("", "patch", {"settings": {"encoder": "minilm"}}),
        status=409,
        code="schema-locked",
        extras={"field": "/settings/encoder"},
    ),
    "an unknown setting": Row(
        on="human",
        ask=at("", "patch", {"settings": {"colour": "red"}}),
        status=422,
        code="unknown-field",
        pointer="/settings/colour",
    ),
    "an unknown option": Row(
        on="human",
        ask=at("", "patch", {"settings": {"oracle": {"name": "gold", "options": {"x": 1}}}}),
        status=422,
        code="unknown-option",
        pointer="/settings/oracle/options/x",
    ),
    **{
        f"{verb} without an Idempotency-Key": Row(
            on="fresh",
            ask=post(f"/{verb}", document, key=None, **options),
            status=400,
            code="idempotency-key-required",
        )
        for verb, document, options in (
            ("select", {}, {}),
            ("generate", {}, {}),
            ("retrain", {}, {}),
            ("exports", {"what": "labels", "format": "csv"}, {}),
            ("imports", None, sent(b"text\nhello\n")),
        )
    },
    "an Idempotency-Key that is none": Row(
        on="fresh",
        ask=post("/select", {}, key="x" * 256),
        status=400,
        code="idempotency-key-invalid",
    ),
}
ROWS = {**BODIES, **LABELS, **ROUNDS, **VARIATIONS, **MODELS, **ITEMS, **FILES, **CONDITIONS}


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
    ("name", "code"),
    [("cut", "no-valid-rows"), ("bomb", "decompression-bomb"), ("torn", "unreadable-file")],
)
def test_a_file_that_turns_out_to_be_bad_fails_and_leaves_nothing(
    stage: Stage, name: str, code: str
) -> None:
    if name == "cut":
        operation = stage.failed[name]
        assert operation["state"] == "succeeded"
        assert [error["code"] for error in operation["result"]["errors"]] == ["malformed-row"]
    else:
        operation = stage.failed[name]
        assert (operation["state"], operation["error"]["code"]) == ("failed", code)
    held = stage.caller.read(stage.paths["imported"])["counts"]
    assert held["pool"] + held["test"] + held["reserve"] == len(rows())


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
