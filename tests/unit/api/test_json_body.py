"""Hostile JSON: refused as 4xx, and the next good request on the same thread works."""

from __future__ import annotations

import json

import pytest

from api.json_body import parse_document
from core.errors import InvalidInput
from tests.unit.api.conftest import session_document

GOOD = json.dumps(session_document()).encode()


def with_name(raw: bytes) -> bytes:
    return GOOD.replace(b'"topics"', raw)


HOSTILE = {
    "nothing but a null": (b"null", 422, "invalid-type"),
    "a list": (b"[]", 422, "invalid-type"),
    "a bare number": (b"1", 422, "invalid-type"),
    "half a document": (GOOD[:-1], 400, "malformed-json"),
    "two documents": (GOOD + GOOD, 400, "malformed-json"),
    "nesting of 100,000": (b"[" * 100_000, 400, "malformed-json"),
    "closed nesting of 100,000": (b"[" * 100_000 + b"]" * 100_000, 400, "malformed-json"),
    "objects nested 100,000": (b'{"a":' * 100_000, 400, "malformed-json"),
    "nesting of 65": (with_name(b"[" * 65 + b"]" * 65), 400, "malformed-json"),
    "a key twice": (b'{"name":"a","name":"b"}', 400, "malformed-json"),
    "NaN": (with_name(b"NaN"), 400, "malformed-json"),
    "Infinity": (with_name(b"-Infinity"), 400, "malformed-json"),
    "a number past all floats": (with_name(b"1e999"), 422, "invalid-number"),
    "2^63": (with_name(str(2**63).encode()), 422, "invalid-number"),
    "minus 2^64": (with_name(str(-(2**64)).encode()), 422, "invalid-number"),
    "5,000 digits": (with_name(b"9" * 5_000), 422, "invalid-number"),
    "a lone surrogate": (with_name(rb'"\ud800"'), 422, "invalid-text"),
    "a lone surrogate as key": (rb'{"\udc00":1}', 422, "invalid-text"),
    "NUL": (with_name(rb'"a\u0000b"'), 422, "invalid-text"),
    "UTF-16": (GOOD.decode().encode("utf-16"), 400, "malformed-json"),
    "bytes that are not UTF-8": (with_name(b'"\xff"'), 400, "malformed-json"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, 400, "malformed-json"),
}


@pytest.mark.parametrize(("raw", "status", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused_and_the_next_request_works(caller, raw, status, code):
    response = caller.post("/v1/sessions", raw)
    assert (response.status_code, response.json["code"]) == (status, code)
    assert caller.post("/v1/sessions", GOOD).status_code == 201


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
        "application/merge-patch+json",
    ],
)
def test_another_media_type_is_refused(caller, media_type):
    response = caller.post("/v1/sessions", GOOD, Content_Type=media_type)
    assert (response.status_code, response.json["code"]) == (415, "unsupported-media-type")


def test_a_compressed_json_body_is_refused(caller):
    response = caller.post("/v1/sessions", GOOD, Content_Encoding="gzip")
    assert response.status_code == 415


def test_json_may_say_that_it_is_utf_8(caller):
    response = caller.post("/v1/sessions", GOOD, Content_Type="application/json; charset=UTF-8")
    assert response.status_code == 201


def test_an_absent_body_is_an_empty_object(caller):
    response = caller.post("/v1/sessions")
    found = {error["pointer"] for error in response.json["errors"]}
    assert (response.status_code, found) == (422, {"/name", "/task"})


def test_a_pointer_leads_to_the_refused_value():
    with pytest.raises(InvalidInput) as caught:
        parse_document(rb'{"a":[{"b/c~":"\u0000"}]}')
    assert caught.value.errors[0].pointer == "/a/0/b~1c~0"


def test_pairs_of_surrogates_and_large_integers_are_fine():
    assert parse_document(rb'["\ud83d\ude00", 9223372036854775807, 1e300]') == [
        "\N{GRINNING FACE}",
        2**63 - 1,
        1e300,
    ]


def test_refusals_never_quote_the_document(caller):
    response = caller.post("/v1/sessions", {**session_document(), "name": 3, "task": "canary-17"})
    assert "canary-17" not in response.get_data(as_text=True)
