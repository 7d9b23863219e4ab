"""Refusals of a request for its shape: body, conditions, keys."""

from __future__ import annotations

from tests.e2e.rejection_rows import GARDEN, JSON, Row, at, label, post, upload
from tests.e2e.rejection_stage import sent

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
