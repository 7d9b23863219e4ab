"""Refusals of items and files."""

from __future__ import annotations

from tests.e2e.rejection_rows import JSON, PARQUET, Row, at, parquet, post, upload

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
