"""Sessions over HTTP."""

from __future__ import annotations

import pytest

from tests.unit.api.conftest import session_document


def test_a_new_session_answers_201_with_location_etag_and_what_to_do_next(caller):
    response = caller.post("/v1/sessions", session_document())
    body = response.json
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/sessions/{body['id']}"
    assert response.headers["ETag"].startswith('"1.')
    assert (body["state"], body["phase"]) == ("draft", "needs_items")
    assert body["links"]["items"] == {
        "method": "POST",
        "href": f"/v1/sessions/{body['id']}/items",
    }


def test_defaults_are_spelled_out_in_the_answer(caller):
    settings = caller.post("/v1/sessions", session_document()).json["settings"]
    assert settings["encoder"] == {"name": "hashing", "options": {}}
    assert settings["strategy"] == {"name": "cluster_need", "options": {}}
    assert settings["budget"] == {"labels": None, "dollars": None}


def test_sessions_are_listed_for_their_tenant_only(caller, caller_with, session_url):
    stranger = caller_with("admin", tenant="ten_stranger")
    mine = [row["id"] for row in caller.get("/v1/sessions").json["data"]]
    assert mine == [session_url.rpartition("/")[2]]
    theirs = [row["id"] for row in stranger.get("/v1/sessions").json["data"]]
    assert mine[0] not in theirs


def test_a_merge_patch_changes_what_it_names_and_null_restores_the_default(caller, session_url):
    etag = caller.get(session_url).headers["ETag"]
    patch = {"guidelines": "look twice", "settings": {"batch_size": None, "seed": 7}}
    response = caller.patch(session_url, patch, If_Match=etag)
    assert response.status_code == 200
    assert response.json["guidelines"] == "look twice"
    assert response.json["settings"]["batch_size"] == 20
    assert response.json["settings"]["seed"] == 7
    assert response.json["settings"]["encoder"]["name"] == "hashing"


def test_a_patch_may_come_as_merge_patch_json(caller, session_url):
    response = caller.patch(
        session_url,
        b'{"name": "renamed"}',
        If_Match='"1"',
        Content_Type="application/merge-patch+json",
    )
    assert (response.status_code, response.json["name"]) == (200, "renamed")


def test_a_patch_is_refused_where_the_whole_document_would_be(caller, session_url):
    response = caller.patch(session_url, {"settings": {"seed": -1, "colour": 3}}, If_Match='"1"')
    found = {(error["pointer"], error["code"]) for error in response.json["errors"]}
    assert response.status_code == 422
    assert found == {("/settings/seed", "out-of-range"), ("/settings/colour", "unknown-field")}


@pytest.mark.parametrize("patch", [None, [], "text", 3, True])
def test_a_patch_that_is_no_object_is_refused(caller, session_url, patch):
    body = b"null" if patch is None else patch
    response = caller.patch(session_url, body, If_Match='"1"')
    assert (response.status_code, response.json["code"]) == (422, "invalid-type")


def test_states_move_and_a_wrong_move_is_a_conflict(caller, pool_url):
    assert caller.post(f"{pool_url}/pause").json["state"] == "paused"
    refused = caller.post(f"{pool_url}/pause")
    assert (refused.status_code, refused.json["code"]) == (409, "invalid-transition")
    assert caller.post(f"{pool_url}/resume").json["state"] == "open"
    assert caller.post(f"{pool_url}/close").json["state"] == "closed"
    assert caller.post(f"{pool_url}/reopen").json["state"] == "open"


def test_a_deleted_session_is_gone(caller, pool_url):
    etag = caller.get(pool_url).headers["ETag"]
    response = caller.delete(pool_url, If_Match=etag)
    assert (response.status_code, response.json["kind"]) == (202, "delete")
    assert response.headers["Location"] == f"/v1/operations/{response.json['id']}"
    gone = caller.get(pool_url)
    assert (gone.status_code, gone.json["code"]) == (410, "session-deleted")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"tenant_id": "ten_b"}, "/tenant_id", "unknown-field"),
        ({"is_admin": True}, "/is_admin", "unknown-field"),
        ({"name": " "}, "/name", "empty-text"),
        ({"name": "x" * 201}, "/name", "too-long"),
        ({"name": 3}, "/name", "invalid-type"),
        ({"name": None}, "/name", "invalid-type"),
        ({"task": {"labels": [{"id": "only"}]}}, "/task/labels", "too-few"),
        ({"settings": {"batch_size": True}}, "/settings/batch_size", "invalid-type"),
        ({"settings": {"batch_size": "6"}}, "/settings/batch_size", "invalid-type"),
        ({"settings": {"batch_size": 0}}, "/settings/batch_size", "out-of-range"),
        ({"settings": {"activate": "later"}}, "/settings/activate", "not-allowed"),
        ({"settings": {"strategy": "oracle"}}, "/settings/strategy/name", "unknown-strategy"),
    ],
)
def test_a_refused_session_names_the_field(caller, change, pointer, code):
    response = caller.post("/v1/sessions", {**session_document(), **change})
    assert response.status_code == 422
    assert (pointer, code) in {(e["pointer"], e["code"]) for e in response.json["errors"]}


def test_a_session_without_a_task_is_refused(caller):
    response = caller.post("/v1/sessions", {"name": "x"})
    assert (response.status_code, response.json["code"]) == (422, "missing-field")
    assert response.json["errors"][0]["pointer"] == "/task"
