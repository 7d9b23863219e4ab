"""Keys, templates, and the service about itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from api.app import create_app


def test_a_keys_token_is_shown_once_and_works(caller, service):
    made = caller.post("/v1/keys", {"name": "k", "scopes": ["predict"]}, Idempotency_Key="")
    token = made.json["token"]
    assert made.status_code == 201
    assert made.headers["Location"] == f"/v1/keys/{made.json['id']}"
    listed = caller.get("/v1/keys?limit=500")
    assert made.json["id"] in {row["id"] for row in listed.json["data"]}
    secret = token.rpartition("_")[2]
    assert secret not in listed.get_data(as_text=True)
    caller.token = token
    assert caller.get("/v1/sessions").status_code == 200


def test_a_keys_secret_is_on_no_disk(caller, service):
    made = caller.post("/v1/keys", {"name": "k", "scopes": ["predict"]}, Idempotency_Key="")
    secret = made.json["token"].rpartition("_")[2].encode()
    files = [path for path in Path(service.settings.data_dir).rglob("*") if path.is_file()]
    assert files
    assert not any(secret in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"name": "k", "scopes": ["root"]}, 422, "not-allowed"),
        ({"name": "k"}, 422, "missing-field"),
        ({"name": "k", "scopes": ["predict"], "tenant_id": "x"}, 422, "unknown-field"),
        ({"name": "k", "scopes": ["predict"], "session_id": "ses_x"}, 404, "unknown-session"),
    ],
)
def test_a_refused_key_says_why(caller, document, status, code):
    response = caller.post("/v1/keys", document, Idempotency_Key="")
    assert (response.status_code, response.json["code"]) == (status, code)


def test_a_key_that_is_not_there_cannot_be_revoked(caller):
    response = caller.delete("/v1/keys/key_unknown")
    assert (response.status_code, response.json["code"]) == (404, "unknown-key")


def test_templates_are_listed_and_get_new_versions(caller):
    builtin = {row["id"] for row in caller.get("/v1/templates").json["data"]}
    assert {"attributes", "paraphrase", "strict_slots", "free_form"} & builtin
    model = next(
        row for row in caller.get("/v1/templates").json["data"] if row["level"] == "attributes"
    )
    document = {"id": "mine", **{k: model[k] for k in ("level", "system", "body")}}
    first = caller.post("/v1/templates", document)
    assert (first.status_code, first.json["version"], first.json["builtin"]) == (201, 1, False)
    second = caller.post("/v1/templates", {**document, "system": model["system"] + " Be brief."})
    assert second.json["version"] == 2


def test_a_template_with_an_unknown_slot_is_refused(caller):
    document = {
        "id": "mine",
        "level": "free_form",
        "system": "s",
        "body": "{{ text.__class__ }} {{secret}}",
    }
    response = caller.post("/v1/templates", document)
    assert response.status_code == 422
    assert response.json["errors"][0]["pointer"] == "/body"


def test_components_are_listed_with_their_options(caller):
    components = caller.get("/v1/components").json
    assert {"kmeans"} <= {row["name"] for row in components["clusterers"]}
    strategies = {row["name"]: row for row in components["strategies"]}
    assert {"random", "entropy", "cluster_need"} <= set(strategies)
    assert all(row["summary"] for row in strategies.values())


def test_limits_are_those_of_this_server(service):
    settings = replace(service.settings, max_items=7)
    app = create_app(replace(service, settings=settings))
    limits = app.test_client().get("/v1/limits").json
    assert (limits["max_items"], limits["max_body_bytes"]) == (7, 5_000_000)


def test_a_limit_that_the_server_sets_is_enforced(service, caller, session_url):
    settings = replace(service.settings, max_items=2, max_text_chars=5)
    caller.client = create_app(replace(service, settings=settings)).test_client()
    many = caller.post(f"{session_url}/items", {"items": [{"text": "abc"}] * 3})
    long = caller.post(f"{session_url}/items", {"items": [{"text": "abcdef"}]})
    assert (many.json["code"], long.json["code"]) == ("too-many", "too-long")


def test_the_version_needs_no_key(app):
    body = app.test_client().get("/v1/version").json
    assert (body["name"], body["api"]) == ("tailwise", "v1")


def test_the_process_lives(app):
    assert app.test_client().get("/livez").json == {"status": "ok"}


@pytest.mark.parametrize(("worker", "status"), [(True, 200), (False, 503)])
def test_readiness_follows_every_check(service, worker, status):
    checks = {"database": True, "worker": worker}
    app = create_app(replace(service, readiness=lambda: checks))
    response = app.test_client().get("/readyz")
    assert (response.status_code, response.json) == (status, {"ready": worker, "checks": checks})


def test_a_store_that_cannot_be_asked_is_not_ready(service):
    def broken():
        raise OSError("canary")

    response = create_app(replace(service, readiness=broken)).test_client().get("/readyz")
    assert (response.status_code, response.json["checks"]) == (503, {"database": False})
