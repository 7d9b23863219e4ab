"""The lead's pages: who gets them, and under which policy."""

from __future__ import annotations

import pytest

from tests.unit.api.conftest import session_document

BASE = "http://localhost"


@pytest.fixture
def browser_of(app, caller):
    """Makes signed-in browsers by role; ``options`` go into the invitation."""

    def make(role, **options):
        asked = {"name": "Kim", "role": role, **options}
        made = caller.post("/v1/invitations", asked, Idempotency_Key="")
        assert made.status_code == 201, made.json
        client = app.test_client()
        token = made.json["url"].partition("#")[2]
        answer = client.post("/v1/sign-in", json={"token": token}, base_url=BASE)
        assert answer.status_code == 200, answer.json
        return client

    return make


@pytest.fixture
def lead_url(session_url):
    """The lead's page of a draft session."""
    return session_url.replace("/v1/", "/console/") + "/lead"


@pytest.mark.parametrize("role", ["lead", "admin"])
def test_those_who_lead_see_both_pages(browser_of, lead_url, role):
    client = browser_of(role)
    assert client.get(lead_url, base_url=BASE).status_code == 200
    assert client.get("/console/people", base_url=BASE).status_code == 200


@pytest.mark.parametrize("role", ["annotator", "reviewer"])
def test_other_roles_are_told_that_the_page_is_not_theirs(browser_of, lead_url, role):
    client = browser_of(role)
    for url in (lead_url, "/console/people"):
        answer = client.get(url, base_url=BASE)
        assert (answer.status_code, "another role" in answer.text) == (403, True)


def test_nobody_signed_in_is_asked_to_sign_in(app, lead_url):
    client = app.test_client()
    assert client.get(lead_url, base_url=BASE).status_code == 401
    assert client.get("/console/people", base_url=BASE).status_code == 401


def test_a_lead_of_one_session_does_not_see_another(browser_of, caller, session_url, lead_url):
    other = caller.post("/v1/sessions", session_document()).json["id"]
    client = browser_of("lead", session_id=other)
    assert client.get(lead_url, base_url=BASE).status_code == 404


def test_the_pages_allow_nothing_from_elsewhere(browser_of, lead_url):
    client = browser_of("lead")
    for url in (lead_url, "/console/people"):
        policy = client.get(url, base_url=BASE).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_the_pages_hold_no_script_and_no_style_of_their_own(browser_of, lead_url):
    client = browser_of("lead")
    for url in (lead_url, "/console/people"):
        page = client.get(url, base_url=BASE).text
        assert " style=" not in page
        assert page.count("<script") == page.count('src="/console/static/') - page.count(
            '<img src="/console/static/'
        )


def test_a_session_name_is_shown_as_text(browser_of, caller, session_url):
    evil = {"name": "<script>alert(1)</script>"}
    revision = caller.get(session_url).headers["ETag"]
    caller.patch(session_url, evil, If_Match=revision)
    url = session_url.replace("/v1/", "/console/") + "/lead"
    page = browser_of("lead").get(url, base_url=BASE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
