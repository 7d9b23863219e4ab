"""Every refusal is a problem document; nothing else leaves the app."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.app import create_app
from api.errors import STATUS_BY_CODE, Refused, status_of
from api.observe import REGISTRY
from core import errors
from core.errors import (
    Cancelled,
    Conflict,
    Gone,
    InvalidInput,
    InvalidOption,
    JobFailed,
    NotAllowed,
    NotFound,
    NotInstalled,
    NotVerified,
    PreconditionFailed,
    TailwiseError,
    Unavailable,
)

STATUS = {
    InvalidInput: 422,
    InvalidOption: 422,
    NotFound: 404,
    Gone: 410,
    Conflict: 409,
    NotAllowed: 403,
    NotVerified: 401,
    PreconditionFailed: 412,
    Unavailable: 503,
    NotInstalled: 503,
    JobFailed: 500,
    Cancelled: 500,
    TailwiseError: 500,
}
MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "request_id",
    "retryable",
    "errors",
}


def answer_to(error, service, caller):
    """What the app answers when a verb raises ``error``."""

    class Store:
        def read(self):
            raise error

        write = read

    app = create_app(replace(service, store=Store()))
    return app.test_client().get(
        "/v1/sessions", headers={"Authorization": f"Bearer {caller.token}"}
    )


def test_every_error_of_the_tree_has_its_status():
    tree = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)}
    assert tree == {*STATUS, errors.ProviderTrouble}
    for error, status in STATUS.items():
        assert status_of(error("x")) == status


def test_trouble_with_a_provider_of_batches_is_no_fault_of_the_request():
    trouble = errors.ProviderTrouble("rate-limit", passing=True)
    assert status_of(trouble) == STATUS[errors.Unavailable]


@pytest.mark.parametrize(("code", "status"), STATUS_BY_CODE.items())
def test_some_codes_have_a_status_of_their_own(code, status):
    assert status_of(InvalidInput("x", code=code)) == status


def test_what_only_http_refuses_carries_its_status():
    assert {c.status for c in Refused.__subclasses__()} == {401, 403, 406, 411, 428, 429}


def test_a_problem_has_every_member_and_the_errors_extras(service, caller):
    error = Conflict("no.", code="pool-empty", extras={"pooled": 0, "status": "mine"})
    response = answer_to(error, service, caller)
    assert response.status_code == 409
    assert response.content_type == "application/problem+json"
    assert set(response.json) == {*MEMBERS, "pooled"}
    assert response.json["type"] == "urn:tailwise:problem:pool-empty"
    assert response.json["title"] == "Pool empty"
    assert response.json["status"] == 409
    assert response.json["instance"] == "/v1/sessions"
    assert response.json["request_id"] == response.headers["X-Request-Id"]
    assert response.json["retryable"] is False


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("later", code="model-unavailable"),
        NotInstalled("run: tailwise encoder install"),
        Conflict("wait", code="operation-in-progress", extras={"operation": "op_1"}),
    ],
)
def test_what_may_work_later_says_when(service, caller, error):
    response = answer_to(error, service, caller)
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json["retryable"] is True


def test_a_fault_of_ours_answers_an_id_and_no_text(service, caller, capsys):
    response = answer_to(RuntimeError("canary-42 in a message"), service, caller)
    assert (response.status_code, response.json["code"]) == (500, "internal")
    assert "canary-42" not in response.get_data(as_text=True)
    logged = "".join(capsys.readouterr())
    assert "canary-42" not in logged
    assert response.json["request_id"] in logged


def test_an_unknown_url_is_a_problem(caller):
    for path in ("/", "/v1", "/v1/nothing", "/v1/sessions/", "/v1//sessions", "/metrics"):
        response = caller.get(path)
        assert (response.status_code, response.json["code"]) == (404, "unknown-url")


@pytest.mark.parametrize(
    "id", ["a" * 65, "ses_" + "a" * 65, "review", "ses_%00", "ses_'", "..%2f..", "%F0%9F%98%80"]
)
def test_what_cannot_be_an_id_is_404(caller, id):
    assert caller.get(f"/v1/sessions/{id}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "TRACE", "DELETE", "BREW"])
def test_another_method_is_405_and_says_what_is_allowed(caller, method):
    response = caller.send(method, "/v1/sessions")
    assert (response.status_code, response.json["code"]) == (405, "method-not-allowed")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_options_says_what_is_allowed_without_a_key(app):
    response = app.test_client().options("/v1/sessions")
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_head_is_get_without_a_body(caller):
    response = caller.send("HEAD", "/v1/sessions")
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_type == "application/json"


def test_a_body_above_the_limit_is_413_before_it_is_read(caller):
    response = caller.post("/v1/sessions", b" " * 5_000_001)
    assert (response.status_code, response.json["code"]) == (413, "payload-too-large")
    assert response.json["limit"] == 5_000_000


def test_a_body_of_unannounced_length_is_counted_while_it_is_read(caller):
    response = caller.client.post(
        "/v1/sessions",
        headers={
            "Authorization": f"Bearer {caller.token}",
            "Content-Type": "application/json",
            "Transfer-Encoding": "chunked",
        },
        environ_overrides={"wsgi.input_terminated": True, "wsgi.input": Endless()},
    )
    assert (response.status_code, response.json["code"]) == (413, "payload-too-large")


def test_every_answer_has_an_id_and_the_headers_that_keep_browsers_honest(caller):
    for path in ("/v1/sessions", "/nothing"):
        headers = caller.get(path).headers
        assert headers["X-Request-Id"].startswith("req_")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_request_id_is_echoed_when_it_is_harmless(caller):
    good = caller.get("/livez", X_Request_Id="trace-1.a_B")
    bad = caller.get("/livez", X_Request_Id="a b<script>")
    assert good.headers["X-Request-Id"] == "trace-1.a_B"
    assert bad.headers["X-Request-Id"].startswith("req_")


def test_requests_are_counted_by_route_template(service, caller, session_url):
    app = create_app(service)
    caller.client = app.test_client()
    caller.get(session_url)
    caller.get("/nothing/at/all")
    registry = app.extensions[REGISTRY]
    known = {"method": "GET", "route": "/v1/sessions/<id:session_id>", "status": "200"}
    unknown = {"method": "(other)", "route": "(none)", "status": "404"}
    for labels in (known, unknown):
        assert registry.get_sample_value("tailwise_http_requests_total", labels) == 1
    assert session_url.rpartition("/")[2] not in str(list(registry.collect()))


def test_an_app_without_a_cursor_secret_does_not_start(service):
    with pytest.raises(InvalidInput, match="TAILWISE_CURSOR_SECRET"):
        create_app(replace(service, settings=replace(service.settings, cursor_secret="")))


class Endless:
    """A body that never ends."""

    def read(self, size=-1):
        return b" " * (size if size > 0 else 65_536)

    def readline(self, size=-1):
        return self.read(size)
