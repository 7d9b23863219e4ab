"""The console's frames: who gets which page, under which policy, and what it is made of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import api.console
from tests.unit.api.conftest import session_document

BASE = "http://localhost"
FOLDER = Path(api.console.__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
SCRIPTS = sorted((FOLDER / "static").glob("*.js"))


@pytest.fixture
def signed_in(app, caller):
    """Makes signed-in browsers by role; ``options`` go into the invitation."""

    def make(role="annotator", **options):
        asked = {"name": "Kim <b>", "role": role, **options}
        made = caller.post("/v1/invitations", asked, Idempotency_Key="")
        assert made.status_code == 201, made.json
        client = app.test_client()
        document = {"token": made.json["url"].partition("#")[2]}
        assert client.post("/v1/sign-in", json=document, base_url=BASE).status_code == 200
        return client

    return make


@pytest.fixture
def root(session_url):
    """Where the pages of a session are."""
    return session_url.replace("/v1/", "/console/")


def answer_of(client, url):
    return client.get(url, base_url=BASE)


# --- who gets what ------------------------------------------------------------------


@pytest.mark.parametrize("page", ["annotate", "review", "adjudicate", "flags"])
def test_a_reviewer_gets_every_page_of_a_session(signed_in, root, page):
    assert answer_of(signed_in("reviewer"), f"{root}/{page}").status_code == 200


@pytest.mark.parametrize("page", ["review", "adjudicate", "flags"])
def test_an_annotator_is_told_which_pages_are_for_others(signed_in, root, page):
    client = signed_in("annotator")
    assert answer_of(client, f"{root}/annotate").status_code == 200
    refused = answer_of(client, f"{root}/{page}")
    assert (refused.status_code, "another role" in refused.text) == (403, True)


@pytest.mark.parametrize(
    ("role", "shown", "not_shown"),
    [
        (
            "annotator",
            {"Annotate", "Settings"},
            {"Review", "Adjudicate", "Flags", "Lead", "People"},
        ),
        ("reviewer", {"Annotate", "Review", "Adjudicate", "Flags"}, {"Lead", "People"}),
        ("lead", {"Annotate", "Review", "Adjudicate", "Flags", "Lead", "People"}, set()),
    ],
)
def test_the_navigation_shows_what_the_role_may(signed_in, root, role, shown, not_shown):
    html = answer_of(signed_in(role), f"{root}/annotate").text
    linked = set(re.findall(r'<a href="[^"]+"[^>]*>([^<]+)</a>', html))
    assert shown <= linked
    assert not not_shown & linked


@pytest.mark.parametrize("url", ["/console", "/console/settings"])
def test_without_a_cookie_a_page_says_how_to_come_in(app, url):
    answer = answer_of(app.test_client(), url)
    assert (answer.status_code, "You are signed out" in answer.text) == (401, True)


def test_a_key_does_not_open_pages(app, caller):
    headers = {"Authorization": f"Bearer {caller.token}"}
    answer = app.test_client().get("/console", headers=headers, base_url=BASE)
    assert answer.status_code == 401


def test_another_session_than_ones_own_is_not_there(signed_in, caller, root):
    other = caller.post("/v1/sessions", session_document()).json["id"]
    client = signed_in("annotator", session_id=other)
    assert answer_of(client, f"{root}/annotate").status_code == 404
    assert answer_of(client, f"/console/sessions/{other}/annotate").status_code == 200


def test_names_are_text_in_the_frame(signed_in, caller):
    document = session_document() | {"name": "<script>alert(1)</script>"}
    made = caller.post("/v1/sessions", document).json["id"]
    html = answer_of(signed_in(), f"/console/sessions/{made}/annotate").text
    assert "Kim &lt;b&gt;" in html
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html


# --- looks ------------------------------------------------------------------------------


def test_a_persons_own_looks_are_in_the_first_byte(signed_in):
    client = signed_in()
    html = answer_of(client, "/console").text
    assert 'data-theme="auto" data-size="normal" data-motion="auto"' in html
    own = {"theme": "dark", "text_size": 150, "less_motion": True}
    changed = client.patch(
        "/v1/me", json={"preferences": own}, base_url=BASE, headers={"Origin": BASE}
    )
    assert changed.status_code == 200, changed.json
    html = answer_of(client, "/console").text
    assert 'data-theme="dark" data-size="larger" data-motion="less"' in html


# --- headers and parts ------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/console", "/console/join", "/console/settings"])
def test_pages_allow_nothing_but_this_server_and_are_not_kept(app, url):
    headers = answer_of(app.test_client(), url).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_parts_are_asked_for_again_and_not_sent_again(app):
    client = app.test_client()
    with answer_of(client, "/console/static/console.css") as first:
        assert (first.status_code, first.mimetype) == (200, "text/css")
        assert first.headers["Cache-Control"] == "no-cache"
        headers = {"If-None-Match": first.headers["ETag"]}
    with client.get("/console/static/console.css", base_url=BASE, headers=headers) as again:
        assert again.status_code == 304


@pytest.mark.parametrize(
    "name", ["..%2fpages.py", "%2e%2e/shell.py", "missing.js", "templates/base.html"]
)
def test_nothing_but_parts_is_handed_out(app, name):
    assert answer_of(app.test_client(), f"/console/static/{name}").status_code == 404


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_nothing_inline_and_nothing_from_elsewhere(template):
    html = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style\b|\sstyle=|\son\w+=|javascript:", html)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)
    assert "|safe" not in html.replace(" ", "")
    for name in re.findall(r"/console/static/([\w.-]+)", html):
        assert (FOLDER / "static" / name).exists(), name


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_markup_and_load_only_what_is_there(script):
    code = script.read_text()
    made = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
    assert not re.search(made, code)
    assert "localStorage" not in code
    for name in re.findall(r'from "\./([\w.-]+)"', code):
        assert (FOLDER / "static" / name).exists(), name
