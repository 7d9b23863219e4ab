"""Who gets through: every route of the URL map, with the wrong key in every way."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from api.app import _register_routes
from api.blueprint import RULES
from core.access import SCOPES, Caller, allows

ROUTES_APP = Flask("routes", static_folder=None)
_register_routes(ROUTES_APP)


def routes() -> list[tuple[str, str, object]]:
    found: list[tuple[str, str, object]] = []
    for rule in ROUTES_APP.url_map.iter_rules():
        rules = getattr(ROUTES_APP.view_functions[rule.endpoint], RULES, None)
        if rules is not None:
            methods = rule.methods - {"HEAD", "OPTIONS"}
            found += [(method, rule.rule, rules) for method in sorted(methods)]
    return sorted(found, key=lambda found: found[:2])


GUARDED = [route for route in routes() if not route[2].public]
WITH_SESSION = [route for route in GUARDED if "session_id" in route[1]]
SCOPED = [route for route in GUARDED if route[2].scope]


OPEN_TO_ANNOTATORS = frozenset(
    {
        ("GET", "/v1/me"),
        ("PATCH", "/v1/me"),
        ("POST", "/v1/sign-out"),
        ("GET", "/v1/desks"),
        ("GET", "/v1/sessions/<id:session_id>/desk"),
        ("POST", "/v1/sessions/<id:session_id>/leases"),
        ("POST", "/v1/sessions/<id:session_id>/assignments/<id:assignment_id>/heartbeat"),
        ("POST", "/v1/sessions/<id:session_id>/assignments/<id:assignment_id>/release"),
        ("POST", "/v1/sessions/<id:session_id>/assignments/<id:assignment_id>/skip"),
        ("POST", "/v1/sessions/<id:session_id>/assignments/<id:assignment_id>/flag"),
        ("POST", "/v1/sessions/<id:session_id>/label"),
        ("GET", "/v1/sessions/<id:session_id>/labels/mine"),
        ("POST", "/v1/sessions/<id:session_id>/labels/<id:label_id>/undo"),
    }
)
CLOSED_TO_ANNOTATORS = [route for route in GUARDED if route[:2] not in OPEN_TO_ANNOTATORS]


def implied(scope: str) -> set[str]:
    """The scopes that come with one."""
    alone = Caller(
        id="key_1", tenant_id="ten_1", name="", scopes=frozenset({scope}), session_id=None
    )
    return {other for other in SCOPES if allows(alone, other)}


def ids_of(found: list[tuple[str, str, object]]) -> list[str]:
    return [f"{method} {rule}" for method, rule, _ in found]


def url(rule: str, **ids: str) -> str:
    """The rule with its ids filled in, and valid words where it takes one of few."""
    path = re.sub(r"<any\((\w+),[^>]*>", r"\1", rule)
    return re.sub(r"<id:(\w+)>", lambda match: ids.get(match[1], "xxx_unknown"), path)


def test_the_matrix_covers_the_whole_interface():
    assert len(GUARDED) > 45
    assert {rule for _, rule, rules in routes() if rules.public} == {
        "/livez",
        "/readyz",
        "/v1/limits",
        "/v1/version",
        "/v1/sign-in",
        "/v1/callbacks/<string:token>",
    }


@pytest.mark.parametrize(("method", "rule", "rules"), GUARDED, ids=ids_of(GUARDED))
def test_no_key_is_401(app, method, rule, rules):
    response = app.test_client().open(url(rule), method=method)
    assert (response.status_code, response.json["code"]) == (401, "not-authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "rule", "rules"), SCOPED, ids=ids_of(SCOPED))
def test_a_key_without_the_scope_is_403(caller_with, method, rule, rules):
    others = {scope for scope in SCOPES - {"admin"} if rules.scope not in implied(scope)}
    response = caller_with(*others).send(method, url(rule))
    assert (response.status_code, response.json["code"]) == (403, "scope-missing")
    assert response.json["scope"] == rules.scope


@pytest.mark.parametrize(
    ("method", "rule", "rules"), CLOSED_TO_ANNOTATORS, ids=ids_of(CLOSED_TO_ANNOTATORS)
)
def test_a_key_that_may_only_annotate_gets_nowhere_else(caller_with, method, rule, rules):
    response = caller_with("annotate").send(method, url(rule))
    assert (response.status_code, response.json["code"]) == (403, "scope-missing")
    assert response.json["scope"] == rules.scope


@pytest.mark.parametrize("route", WITH_SESSION, ids=ids_of(WITH_SESSION))
def test_another_tenants_session_is_the_same_404_as_an_unknown_one(caller_with, session_url, route):
    method, rule, _ = route
    stranger = caller_with(*SCOPES, tenant="ten_stranger")
    foreign = stranger.send(method, url(rule, session_id=session_url.rpartition("/")[2]))
    unknown = stranger.send(method, url(rule, session_id="ses_unknown"))
    assert foreign.status_code == unknown.status_code == 404
    differing = {"instance", "request_id"}
    assert {k: v for k, v in foreign.json.items() if k not in differing} == {
        k: v for k, v in unknown.json.items() if k not in differing
    }


@pytest.mark.parametrize(("method", "rule", "rules"), WITH_SESSION, ids=ids_of(WITH_SESSION))
def test_a_key_bound_to_another_session_does_not_see_this_one(
    caller_with, session_url, method, rule, rules
):
    bound = caller_with(*SCOPES, session_id="ses_another")
    response = bound.send(method, url(rule, session_id=session_url.rpartition("/")[2]))
    assert (response.status_code, response.json["code"]) == (404, "unknown-session")


def test_another_tenants_operation_is_404(caller, caller_with, pool_url):
    stranger = caller_with(*SCOPES, tenant="ten_stranger")
    [first, *_] = caller.get("/v1/operations").json["data"]
    for method, path in (("GET", ""), ("POST", "/cancel")):
        response = stranger.send(method, f"/v1/operations/{first['id']}{path}")
        assert (response.status_code, response.json["code"]) == (404, "unknown-operation")


def test_another_tenants_key_cannot_be_revoked(caller, caller_with):
    stranger = caller_with(*SCOPES, tenant="ten_stranger")
    response = stranger.delete(f"/v1/keys/{caller.key_id}")
    assert (response.status_code, response.json["code"]) == (404, "unknown-key")
    assert caller.get("/v1/keys").status_code == 200


def test_a_bound_key_sees_its_session_and_nothing_else(caller, caller_with, pool_url):
    other = caller.post("/v1/sessions", {**DOCUMENT}).json["id"]
    session_id = pool_url.rpartition("/")[2]
    bound = caller_with(*SCOPES, session_id=session_id)
    assert bound.get(pool_url).status_code == 200
    assert [row["id"] for row in bound.get("/v1/sessions").json["data"]] == [session_id]
    operations = bound.get("/v1/operations").json["data"]
    assert {row["session_id"] for row in operations} == {session_id}
    assert bound.get(f"/v1/operations?session_id={other}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/sessions"), ("POST", "/v1/templates"), ("GET", "/v1/keys")]
)
def test_a_bound_key_does_nothing_for_the_whole_tenant(caller_with, method, path):
    bound = caller_with(*SCOPES, session_id="ses_another")
    response = bound.send(method, path)
    assert (response.status_code, response.json["code"]) == (403, "key-bound-to-session")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer tw_", "Basic dXNlcjpwYXNz", "Bearer tw_1_2", "Bearer " + "x" * 5_000],
)
def test_a_malformed_authorization_is_401(app, header):
    response = app.test_client().get("/v1/sessions", headers={"Authorization": header})
    assert response.status_code == 401


def test_a_wrong_secret_is_401(caller):
    caller.token = caller.token[:-4] + "0000"
    response = caller.get("/v1/sessions")
    assert (response.status_code, response.json["code"]) == (401, "key-refused")


def test_a_revoked_key_is_401_at_once(caller, caller_with):
    victim = caller_with("admin")
    assert victim.get("/v1/sessions").status_code == 200
    assert caller.delete(f"/v1/keys/{victim.key_id}").status_code == 204
    assert victim.get("/v1/sessions").status_code == 401


@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "anything"])
def test_a_key_in_the_url_is_401_even_when_the_header_is_right(caller, name):
    response = caller.get(f"/v1/sessions?{name}={caller.token}")
    assert (response.status_code, response.json["code"]) == (401, "key-in-query")
    assert caller.token not in response.get_data(as_text=True)


def test_a_search_that_only_looks_like_a_key_is_no_key(caller, pool_url):
    assert caller.get(f"{pool_url}/items?q=tw_").status_code == 200


def test_a_query_parameter_nobody_reads_is_refused(caller):
    plain = caller.get("/v1/components?verbose=1")
    listed = caller.get("/v1/sessions?colour=red")
    assert (plain.status_code, plain.json["code"]) == (400, "invalid-query")
    assert (listed.status_code, listed.json["code"]) == (400, "invalid-query")
    assert listed.json["errors"][0] == {
        "pointer": "?colour",
        "code": "unknown-field",
        "detail": "there is no such field here",
    }


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png"])
def test_an_answer_nobody_can_give_is_406(caller, accept):
    response = caller.get("/v1/sessions", Accept=accept)
    assert (response.status_code, response.json["code"]) == (406, "not-acceptable")
    assert response.json["available"] == ["application/json"]


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, application/json;q=0.1"])
def test_an_accept_that_includes_json_is_served(caller, accept):
    assert caller.get("/v1/sessions", Accept=accept).status_code == 200


def test_texts_are_there_only_for_keys_that_may_read_them(caller, caller_with, pool_url):
    blind = caller_with("items:write")
    seen = caller.get(f"{pool_url}/items?limit=1").json["data"][0]
    unseen = blind.get(f"{pool_url}/items?limit=1").json["data"][0]
    assert seen.pop("text").startswith("a note on")
    assert seen == unseen
    assert "text" not in blind.get(f"{pool_url}/items/{seen['id']}").json


def test_searching_texts_needs_the_scope_too(caller_with, pool_url):
    response = caller_with("items:write").get(f"{pool_url}/items?q=note")
    assert (response.status_code, response.json["scope"]) == (403, "content:read")


def test_gold_never_leaves(caller, pool_url):
    [item, *_] = caller.get(f"{pool_url}/items").json["data"]
    assert not any("gold" in name for name in item)
    assert "gold" not in caller.get(f"{pool_url}/items/{item['id']}").json


DOCUMENT = {"name": "other", "task": {"labels": [{"id": "a"}, {"id": "b"}]}}
