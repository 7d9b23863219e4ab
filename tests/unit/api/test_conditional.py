"""ETags, If-Match, If-None-Match, cursors, Prefer and rates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.app import create_app
from tests.unit.api.conftest import rows, session_document


def test_a_change_without_if_match_is_428(caller, session_url):
    response = caller.patch(session_url, {"name": "x"})
    assert (response.status_code, response.json["code"]) == (428, "if-match-required")


@pytest.mark.parametrize("etag", ['"2"', '"1x"', '"0.abc"', 'W/"1"', "nonsense"])
def test_a_change_with_another_etag_is_412(caller, session_url, etag):
    response = caller.patch(session_url, {"name": "x"}, If_Match=etag)
    assert (response.status_code, response.json["code"]) == (412, "etag-mismatch")
    assert response.json["revision"] == 1


@pytest.mark.parametrize("etag", ['"1"', "*", '"9", "1"'])
def test_a_change_with_the_present_etag_is_made(caller, session_url, etag):
    response = caller.patch(session_url, {"name": "x"}, If_Match=etag)
    assert response.status_code == 200
    assert response.headers["ETag"].startswith('"2.')


def test_what_the_caller_has_is_not_sent_again(caller, session_url):
    etag = caller.get(session_url).headers["ETag"]
    response = caller.get(session_url, If_None_Match=etag)
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == etag


def test_a_computed_field_that_moved_is_sent_again(caller, session_url):
    etag = caller.get(session_url).headers["ETag"]
    caller.post(f"{session_url}/items", {"items": rows(3)})
    response = caller.get(session_url, If_None_Match=etag)
    assert (response.status_code, response.json["counts"]["pool"]) == (200, 3)


def test_an_items_etag_guards_it(caller, pool_url):
    item = caller.get(f"{pool_url}/items?limit=1").json["data"][0]
    url = f"{pool_url}/items/{item['id']}"
    etag = caller.get(url).headers["ETag"]
    assert caller.delete(url).status_code == 428
    changed = caller.patch(url, {"metadata": {"a": 1}}, If_Match=etag)
    assert (changed.status_code, changed.json["metadata"]) == (200, {"a": 1})
    assert caller.patch(url, {"lang": "en"}, If_Match=etag).status_code == 412
    etag = changed.headers["ETag"]
    merged = caller.patch(url, {"metadata": {"a": None, "b": 2}}, If_Match=etag)
    assert merged.json["metadata"] == {"b": 2}
    assert caller.delete(url, If_Match=merged.headers["ETag"]).status_code == 204
    assert caller.get(url).status_code == 404


def test_pages_follow_one_another_and_end(caller, pool_url):
    url = f"{pool_url}/items?limit=10&split=pool"
    first = caller.get(url)
    assert len(first.json["data"]) == 10
    assert first.json["has_more"] is True
    link = first.headers["Link"]
    assert link.endswith('>; rel="next"')
    second = caller.get(link.partition(">")[0].removeprefix("<"))
    assert len(second.json["data"]) == 8
    assert (second.json["has_more"], second.json["next_cursor"]) == (False, None)
    assert "Link" not in second.headers
    positions = [row["position"] for page in (first, second) for row in page.json["data"]]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("cursor", ["x", "AAAA", "ä", "!" * 40, "A" * 60])
def test_an_invented_cursor_is_refused(caller, cursor):
    response = caller.get(f"/v1/sessions?cursor={cursor}")
    assert (response.status_code, response.json["code"]) == (400, "invalid-cursor")


def test_a_cursor_belongs_to_its_listing_its_filters_and_its_tenant(caller, caller_with, pool_url):
    cursor = caller.get(f"{pool_url}/items?limit=1").json["next_cursor"]
    assert caller.get(f"{pool_url}/items?limit=2&cursor={cursor}").status_code == 200
    for url in (f"{pool_url}/items?split=pool&cursor={cursor}", f"/v1/sessions?cursor={cursor}"):
        assert caller.get(url).json["code"] == "invalid-cursor"
    caller.post("/v1/sessions", session_document())
    cursor = caller.get("/v1/sessions?limit=1").json["next_cursor"]
    stranger = caller_with("admin", tenant="ten_stranger")
    assert stranger.get(f"/v1/sessions?cursor={cursor}").json["code"] == "invalid-cursor"


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.5", "", "9" * 30, "²"])
def test_a_page_size_out_of_range_is_refused(caller, limit):
    response = caller.get(f"/v1/sessions?limit={limit}")
    assert (response.status_code, response.json["code"]) == (400, "invalid-query")
    assert response.json["errors"][0]["pointer"] == "?limit"


def test_a_feed_is_read_on_from_its_last_number(caller, pool_url):
    first = caller.get(f"{pool_url}/events?limit=1").json
    assert (len(first["data"]), first["has_more"]) == (1, True)
    rest = caller.get(f"{pool_url}/events?after={first['next_after']}").json
    assert rest["data"][0]["sequence"] == first["next_after"] + 1
    again = caller.get(f"{pool_url}/events?after={rest['next_after']}").json
    assert again == {"data": [], "next_after": rest["next_after"], "has_more": False}
    kinds = caller.get(f"{pool_url}/events?types=session.created,items.added").json["data"]
    assert {event["type"] for event in kinds} == {"session.created", "items.added"}


def test_long_work_is_accepted_and_a_wait_gets_its_end(caller, pool_url):
    document = {"what": "labels", "format": "jsonl"}
    accepted = caller.post(f"{pool_url}/exports", document)
    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"/v1/operations/{accepted.json['id']}"
    assert accepted.headers["Retry-After"] == "1"
    waited = caller.post(f"{pool_url}/exports", document, Prefer="wait=5")
    assert (waited.status_code, waited.json["done"]) == (200, True)
    assert waited.headers["Preference-Applied"] == "wait=5"


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=100", "wait=30"),
        ("return=minimal, wait=3", "wait=3"),
        ("respond-async, wait=10", None),
        ("wait=x", None),
        ("await=3", None),
    ],
)
def test_preferences_are_read_as_rfc_7240_says(caller, pool_url, prefer, applied):
    document = {"what": "labels", "format": "jsonl"}
    response = caller.post(f"{pool_url}/exports", document, Prefer=prefer)
    assert response.headers.get("Preference-Applied") == applied
    assert response.status_code == (202 if applied is None else 200)


def test_an_operation_is_read_listed_and_no_longer_cancelled(caller, pool_url):
    [operation, *_] = caller.get("/v1/operations?kind=index&state=succeeded").json["data"]
    read = caller.get(f"/v1/operations/{operation['id']}?wait=1")
    assert (read.status_code, read.json) == (200, operation)
    refused = caller.post(f"/v1/operations/{operation['id']}/cancel")
    assert (refused.status_code, refused.json["code"]) == (409, "operation-finished")
    assert caller.get(f"/v1/operations/{operation['id']}?wait=31").status_code == 400


def test_a_key_that_asks_too_much_is_429_and_told_when(service, caller):
    settings = replace(service.settings, requests_per_minute=2)
    caller.client = create_app(replace(service, settings=settings)).test_client()
    answers = [caller.get("/v1/sessions") for _ in range(3)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[-1] == 429
    refused = answers[-1]
    assert refused.json["code"] == "rate-limited"
    assert refused.json["retryable"] is True
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert answers[0].headers["RateLimit"].startswith('"requests";r=1;t=')


def test_texts_to_predict_have_a_budget_of_their_own(service, caller, pool_url):
    settings = replace(service.settings, predict_texts_per_minute=3)
    caller.client = create_app(replace(service, settings=settings)).test_client()
    inputs = [{"text": "one"}, {"text": "two"}]
    first = caller.post(f"{pool_url}/predict", {"inputs": inputs})
    second = caller.post(f"{pool_url}/predict", {"inputs": inputs})
    assert (first.status_code, first.json["code"]) == (409, "no-model")
    assert (second.status_code, second.json["budget"]) == (429, "texts")
