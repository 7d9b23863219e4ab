"""People over HTTP: links, cookies, roles, and what they may change of themselves."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from api.app import create_app
from core.access import ROLES, SCOPES

OURS = {"Origin": "http://localhost"}


@dataclass
class Browser:
    """A client that keeps cookies and says where its pages come from, as browsers do."""

    client: Any
    https: bool = False

    def send(self, method, url, document=None, **headers):
        base = "https://localhost" if self.https else "http://localhost"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Origin", base)
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.client.open(url, method=method, json=document, headers=kept, base_url=base)

    def get(self, url, **headers):
        return self.send("GET", url, **headers)

    def post(self, url, document=None, **headers):
        return self.send("POST", url, document, **headers)

    def patch(self, url, document, **headers):
        return self.send("PATCH", url, document, **headers)


@pytest.fixture
def invited(caller):
    """Makes invitations; answers the document and the token of its link."""

    def invite(role="annotator", *, by=caller, **options):
        name = {} if "person_id" in options else {"name": "Kim", "role": role}
        made = by.post("/v1/invitations", {**name, **options}, Idempotency_Key="")
        assert made.status_code == 201, made.json
        return made.json, made.json["url"].partition("#")[2]

    return invite


@pytest.fixture
def signed_in(app, invited):
    """Makes people at browsers of their own."""

    def sign_in(role="annotator", *, https=False, app=app, **options):
        _, token = invited(role, **options)
        browser = Browser(app.test_client(), https=https)
        assert browser.post("/v1/sign-in", {"token": token}).status_code == 200
        return browser

    return sign_in


def cookie_of(response):
    name, _, rest = response.headers["Set-Cookie"].partition("=")
    value, *facts = rest.split("; ")
    return name, value, set(facts)


def refusal(response):
    return response.status_code, response.json["code"]


# --- signing in ------------------------------------------------------------------


def test_a_link_signs_in_and_its_token_is_in_the_fragment(app, invited):
    invitation, token = invited("reviewer")
    assert invitation["url"] == f"/console/join#{token}"
    browser = Browser(app.test_client())
    answer = browser.post("/v1/sign-in", {"token": token})
    person = answer.json["person"]
    assert (person["name"], person["role"]) == ("Kim", "reviewer")
    me = browser.get("/v1/me").json
    assert (me["id"], me["role"], me["session_id"]) == (person["id"], "reviewer", None)
    assert me["id"].startswith("per_")
    assert set(me["scopes"]) == {"annotate", "content:read", "read", "review"}


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app, invited):
    _, token = invited()
    answer = Browser(app.test_client()).post("/v1/sign-in", {"token": token})
    name, value, facts = cookie_of(answer)
    assert name == "tailwise_console"
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= facts
    assert "Secure" not in facts
    assert value not in answer.get_data(as_text=True)
    assert value != token


def test_over_https_the_cookie_is_secure(app, invited):
    _, token = invited()
    answer = Browser(app.test_client(), https=True).post("/v1/sign-in", {"token": token})
    assert "Secure" in cookie_of(answer)[2]


def test_behind_a_trusted_proxy_the_cookie_is_secure(service, invited):
    settings = replace(service.settings, trusted_proxies=1)
    behind = create_app(replace(service, settings=settings))
    _, token = invited()
    answer = behind.test_client().post(
        "/v1/sign-in", json={"token": token}, headers={"X-Forwarded-Proto": "https"}
    )
    assert "Secure" in cookie_of(answer)[2]


def test_an_answer_with_a_link_or_a_cookie_is_kept_by_nobody(app, caller):
    made = caller.post("/v1/invitations", {"name": "Kim", "role": "lead"})
    assert refusal(made) == (400, "idempotency-key-refused")
    answer = app.test_client().post("/v1/sign-in", json={"token": "x"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.fixture
def bad_tokens(service, caller, invited, app):
    """Tokens that let nobody in, by what is wrong with them."""
    _, used = invited()
    app.test_client().post("/v1/sign-in", json={"token": used})
    revoked, revoked_token = invited()
    caller.post(f"/v1/invitations/{revoked['id']}/revoke")
    gone = app.test_client().post("/v1/sign-in", json={"token": invited()[1]})
    person = gone.json["person"]["id"]
    _, of_revoked = invited(person_id=person)
    caller.post(f"/v1/people/{person}/revoke")
    return {
        "unknown": "twi_" + "0" * 64,
        "used": used,
        "revoked": revoked_token,
        "of a revoked person": of_revoked,
        "a key": caller.token,
    }


def test_every_bad_link_gets_the_same_answer(app, bad_tokens):
    told = []
    for token in bad_tokens.values():
        answer = app.test_client().post("/v1/sign-in", json={"token": token})
        assert refusal(answer) == (401, "invitation-refused")
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        told.append({k: v for k, v in answer.json.items() if k != "request_id"})
    assert all(document == told[0] for document in told)


class Moved:
    """A clock some hours ahead."""

    def __init__(self, clock, hours):
        self._clock, self._ahead = clock, timedelta(hours=hours)

    def now(self):
        return self._clock.now() + self._ahead


def test_a_link_ends_when_it_says(service, invited):
    _, token = invited(hours=2)
    for hours, status in ((2, 401), (1, 200)):
        moved = create_app(replace(service, clock=Moved(service.clock, hours)))
        answer = moved.test_client().post("/v1/sign-in", json={"token": token})
        assert answer.status_code == status


def test_a_sign_in_ends_after_its_hours(service, signed_in, app):
    browser = signed_in()
    [cookie] = browser.client._cookies.values()
    header = {"Cookie": f"tailwise_console={cookie.value}"}
    for hours, status in ((11, 200), (12, 401)):
        moved = create_app(replace(service, clock=Moved(service.clock, hours)))
        answer = moved.test_client(use_cookies=False).get("/v1/me", headers=header)
        assert answer.status_code == status


def test_of_two_browsers_with_one_link_one_gets_in(app, invited):
    _, token = invited()
    gate = threading.Barrier(4)

    def use(_number):
        gate.wait()
        return app.test_client().post("/v1/sign-in", json={"token": token}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [200, 401, 401, 401]


def test_signing_in_is_limited_by_address(service):
    settings = replace(service.settings, sign_ins_per_minute=2, trusted_proxies=1)
    client = create_app(replace(service, settings=settings)).test_client()

    def attempt(address):
        return client.post("/v1/sign-in", json={"token": "x"}, headers={"X-Forwarded-For": address})

    assert [attempt("192.0.2.1").status_code for _ in range(3)] == [401, 401, 429]
    assert int(attempt("192.0.2.1").headers["Retry-After"]) > 0
    assert attempt("192.0.2.2").status_code == 401


def test_an_untrusted_proxy_cannot_name_the_client(service):
    settings = replace(service.settings, sign_ins_per_minute=1)
    client = create_app(replace(service, settings=settings)).test_client()
    statuses = [
        client.post(
            "/v1/sign-in", json={"token": "x"}, headers={"X-Forwarded-For": f"192.0.2.{n}"}
        ).status_code
        for n in range(2)
    ]
    assert statuses == [401, 429]


def test_a_person_signs_in_again_at_another_browser(signed_in, invited, app):
    first = signed_in("lead")
    person = first.get("/v1/me").json["id"]
    invitation, token = invited(person_id=person)
    assert (invitation["name"], invitation["role"]) == ("Kim", "lead")
    second = Browser(app.test_client())
    second.post("/v1/sign-in", {"token": token})
    assert second.get("/v1/me").json["id"] == first.get("/v1/me").json["id"] == person


# --- cookies and other sites --------------------------------------------------------

CROSS_SITE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:81"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://evil.example/http://localhost"},
    {"Origin": "http://user@evil.example"},
    {"Origin": "http://[::1"},
    {"Origin": "http://localhost:x"},
    {"Origin": "ftp://localhost"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Origin": None},
    {"Origin": None, "Sec-Fetch-Site": "cross-site"},
    {"Origin": None, "Sec-Fetch-Site": "same-site"},
    {"Origin": None, "Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
@pytest.mark.parametrize(("method", "url"), [("PATCH", "/v1/me"), ("POST", "/v1/sign-out")])
def test_another_sites_page_changes_nothing(signed_in, method, url, headers):
    browser = signed_in()
    document = {"name": "Eve"} if method == "PATCH" else None
    answer = browser.send(method, url, document, **headers)
    assert refusal(answer) == (403, "cross-site")
    assert browser.get("/v1/me").json["name"] == "Kim"


@pytest.mark.parametrize(
    "headers",
    [
        OURS,
        {"Origin": "HTTP://LOCALHOST:80"},
        {"Origin": "https://localhost"},
        {"Origin": None, "Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_our_own_page_changes_things(signed_in, headers):
    answer = signed_in().patch("/v1/me", {"name": "Sam"}, **headers)
    assert (answer.status_code, answer.json["name"]) == (200, "Sam")


def test_an_encrypted_page_is_not_served_by_an_open_one(signed_in):
    browser = signed_in(https=True)
    answer = browser.patch("/v1/me", {"name": "Eve"}, Origin="http://localhost")
    assert refusal(answer) == (403, "cross-site")


def test_reading_needs_no_origin(signed_in):
    assert signed_in().get("/v1/me", Origin=None).status_code == 200


def test_a_form_can_send_no_json(signed_in):
    browser = signed_in()
    answer = browser.client.patch(
        "/v1/me", data=b'{"name": "Eve"}', content_type="text/plain", headers=OURS
    )
    assert refusal(answer) == (415, "unsupported-media-type")


def test_a_page_of_another_site_signs_nobody_in(app, invited):
    _, token = invited()
    browser = Browser(app.test_client())
    foreign = browser.post("/v1/sign-in", {"token": token}, Origin="https://evil.example")
    assert refusal(foreign) == (403, "cross-site")
    assert browser.post("/v1/sign-in", {"token": token}, Origin=None).status_code == 200


def test_with_an_authorization_header_the_cookie_does_not_count(signed_in, caller):
    browser = signed_in()
    by_key = browser.get("/v1/me", Authorization=f"Bearer {caller.token}").json
    assert (by_key["id"], by_key["role"]) == (caller.key_id, None)
    for wrong in ("", "Bearer x", "Basic dXNlcjpwYXNz"):
        assert browser.get("/v1/me", Authorization=wrong).status_code == 401


def test_a_key_needs_no_origin_even_beside_a_cookie(signed_in, caller):
    answer = signed_in("lead").post(
        "/v1/sign-out", Authorization=f"Bearer {caller.token}", Origin="https://evil.example"
    )
    assert refusal(answer) == (403, "not-a-person")


@pytest.mark.parametrize("value", ["x", "tws_" + "0" * 64, "é" * 3_000])
def test_a_cookie_nobody_has_is_401(app, value):
    client = app.test_client(use_cookies=False)
    answer = client.get("/v1/me", headers={"Cookie": f"tailwise_console={value}"})
    assert refusal(answer) == (401, "signed-out")


# --- ending it ----------------------------------------------------------------------


def test_signing_out_ends_this_browser_and_no_other(signed_in, invited, app):
    first = signed_in()
    [cookie] = first.client._cookies.values()
    _, token = invited(person_id=first.get("/v1/me").json["id"])
    second = Browser(app.test_client())
    second.post("/v1/sign-in", {"token": token})
    answer = first.post("/v1/sign-out")
    assert answer.status_code == 204
    assert cookie_of(answer)[1] == ""
    header = {"Cookie": f"tailwise_console={cookie.value}"}
    assert app.test_client(use_cookies=False).get("/v1/me", headers=header).status_code == 401
    assert second.get("/v1/me").status_code == 200


def test_a_revoked_person_is_signed_out_at_once(signed_in, caller):
    browser = signed_in()
    person = browser.get("/v1/me").json["id"]
    assert caller.post(f"/v1/people/{person}/revoke").status_code == 204
    assert refusal(browser.get("/v1/me")) == (401, "signed-out")
    [row] = caller.get("/v1/people").json["data"]
    assert row["revoked_at"] is not None
    assert caller.post(f"/v1/people/{person}/revoke").status_code == 204


def test_who_was_revoked_leaves_no_link_behind(app, signed_in, caller, invited):
    lead = signed_in("lead")
    spare = lead.post("/v1/invitations", {"name": "Spare", "role": "lead"}).json
    caller.post(f"/v1/people/{lead.get('/v1/me').json['id']}/revoke")
    token = spare["url"].partition("#")[2]
    answer = app.test_client().post("/v1/sign-in", json={"token": token})
    assert refusal(answer) == (401, "invitation-refused")


def test_a_revoked_person_is_not_invited_again(signed_in, caller):
    person = signed_in().get("/v1/me").json["id"]
    caller.post(f"/v1/people/{person}/revoke")
    answer = caller.post("/v1/invitations", {"person_id": person}, Idempotency_Key="")
    assert refusal(answer) == (409, "person-revoked")


def test_a_used_invitation_names_the_person_to_revoke(signed_in, caller):
    person = signed_in().get("/v1/me").json["id"]
    [invitation] = caller.get("/v1/invitations").json["data"]
    assert invitation["person_id"] == person
    answer = caller.post(f"/v1/invitations/{invitation['id']}/revoke")
    assert refusal(answer) == (409, "invitation-used")
    assert answer.json["person_id"] == person


# --- roles -------------------------------------------------------------------------

CAN_INVITE = {
    "annotator": set(),
    "reviewer": set(),
    "lead": {"annotator", "reviewer", "lead"},
    "admin": {"annotator", "reviewer", "lead", "admin"},
}


@pytest.mark.parametrize("role", ROLES)
def test_nobody_invites_to_more_than_their_own_role(signed_in, role):
    browser = signed_in(role)
    allowed = set()
    for wanted in ROLES:
        answer = browser.post("/v1/invitations", {"name": "Next", "role": wanted})
        if answer.status_code == 201:
            allowed.add(wanted)
        else:
            code = "role-too-high" if role == "lead" else "scope-missing"
            assert refusal(answer) == (403, code)
    assert allowed == CAN_INVITE[role]


def test_a_key_gives_no_role_that_may_do_more_than_the_key(caller_with):
    key = caller_with("people:write")
    answer = key.post("/v1/invitations", {"name": "A", "role": "annotator"}, Idempotency_Key="")
    assert refusal(answer) == (403, "role-too-high")
    both = caller_with("people:write", "annotate")
    answer = both.post("/v1/invitations", {"name": "A", "role": "annotator"}, Idempotency_Key="")
    assert answer.status_code == 201


def test_a_lead_neither_becomes_nor_ends_an_admin(signed_in, caller):
    admin, lead = signed_in("admin"), signed_in("lead")
    person = admin.get("/v1/me").json["id"]
    as_admin = lead.post("/v1/invitations", {"person_id": person})
    assert refusal(as_admin) == (403, "role-too-high")
    assert refusal(lead.post(f"/v1/people/{person}/revoke")) == (403, "role-too-high")
    pending = caller.post("/v1/invitations", {"name": "B", "role": "admin"}, Idempotency_Key="")
    answer = lead.post(f"/v1/invitations/{pending.json['id']}/revoke")
    assert refusal(answer) == (403, "role-too-high")
    assert admin.get("/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("role", "url", "status"),
    [
        ("annotator", "/v1/sessions", 403),
        ("annotator", "/v1/people", 403),
        ("reviewer", "/v1/sessions", 200),
        ("reviewer", "/v1/people", 403),
        ("lead", "/v1/people", 200),
        ("lead", "/v1/keys", 403),
        ("admin", "/v1/keys", 200),
    ],
)
def test_each_role_sees_what_it_may(signed_in, role, url, status):
    assert signed_in(role).get(url).status_code == status


def test_an_admin_key_has_every_scope_and_no_role(caller_with):
    me = caller_with("admin").get("/v1/me").json
    assert set(me["scopes"]) == SCOPES
    assert (me["role"], me["preferences"]) == (None, {})


# --- one session ----------------------------------------------------------------------


def test_who_is_bound_to_a_session_sees_only_it(signed_in, caller, session_url):
    session_id = session_url.rpartition("/")[2]
    document = {"name": "other", "task": {"labels": [{"id": "a"}, {"id": "b"}]}}
    other = caller.post("/v1/sessions", document).headers["Location"]
    lead = signed_in("lead", session_id=session_id)
    elsewhere = signed_in("annotator").get("/v1/me").json["id"]
    assert lead.get("/v1/me").json["session_id"] == session_id
    assert [row["id"] for row in lead.get("/v1/sessions").json["data"]] == [session_id]
    assert refusal(lead.get(other)) == (404, "unknown-session")
    seen = {row["session_id"] for row in lead.get("/v1/people").json["data"]}
    assert seen == {session_id}
    assert {row["session_id"] for row in lead.get("/v1/invitations").json["data"]} == {session_id}
    assert refusal(lead.post(f"/v1/people/{elsewhere}/revoke")) == (404, "unknown-person")


def test_a_bound_lead_invites_to_the_own_session_only(signed_in, session_url):
    session_id = session_url.rpartition("/")[2]
    lead = signed_in("lead", session_id=session_id)
    made = lead.post("/v1/invitations", {"name": "New", "role": "annotator"})
    assert made.json["session_id"] == session_id
    answer = lead.post(
        "/v1/invitations", {"name": "New", "role": "annotator", "session_id": "ses_other"}
    )
    assert refusal(answer) == (404, "unknown-session")


def test_nobody_is_invited_to_a_session_that_is_not_there(caller):
    asked = {"name": "New", "role": "annotator", "session_id": "ses_unknown"}
    answer = caller.post("/v1/invitations", asked, Idempotency_Key="")
    assert refusal(answer) == (404, "unknown-session")


def test_people_of_a_deleted_session_are_signed_out(signed_in, caller, session_url):
    browser = signed_in("lead", session_id=session_url.rpartition("/")[2])
    assert caller.delete(session_url, If_Match="*").status_code == 202
    assert refusal(browser.get("/v1/me")) == (401, "signed-out")


# --- another tenant ---------------------------------------------------------------------


def test_another_tenants_people_do_not_exist(signed_in, invited, caller, caller_with):
    stranger = caller_with(*SCOPES, tenant="ten_stranger")
    person = signed_in().get("/v1/me").json["id"]
    invitation, _ = invited()
    for url, unknown in (
        (f"/v1/people/{person}/revoke", "/v1/people/per_unknown/revoke"),
        (f"/v1/invitations/{invitation['id']}/revoke", "/v1/invitations/inv_unknown/revoke"),
    ):
        foreign, nobody = stranger.post(url), stranger.post(unknown)
        assert foreign.status_code == nobody.status_code == 404
        assert foreign.json["code"] == nobody.json["code"]
    answer = stranger.post("/v1/invitations", {"person_id": person}, Idempotency_Key="")
    assert refusal(answer) == (404, "unknown-person")
    assert person not in {row["id"] for row in stranger.get("/v1/people").json["data"]}
    assert caller.get("/v1/people").json["data"][0]["revoked_at"] is None


# --- oneself ------------------------------------------------------------------------------

PREFERENCES = {
    "keys": {"skip": "s", "label-1": "1"},
    "avoid_topics": ["self-harm"],
    "languages": ["en", "de"],
    "hide_text": True,
    "greyscale": False,
    "text_size": 150,
    "theme": "dark",
}


def test_preferences_are_kept_and_replaced_one_by_one(signed_in):
    browser = signed_in()
    assert browser.patch("/v1/me", {"preferences": PREFERENCES}).status_code == 200
    change = {"text_size": 80, "hide_text": None, "keys": {"skip": "x"}}
    browser.patch("/v1/me", {"preferences": change})
    expected = {**PREFERENCES, "text_size": 80, "keys": {"skip": "x"}}
    del expected["hide_text"]
    assert browser.get("/v1/me").json["preferences"] == expected


@pytest.mark.parametrize(
    ("preferences", "pointer", "code"),
    [
        ({"colour": "red"}, "/preferences/colour", "unknown-field"),
        ({"text_size": 79}, "/preferences/text_size", "out-of-range"),
        ({"text_size": 201}, "/preferences/text_size", "out-of-range"),
        ({"text_size": "big"}, "/preferences/text_size", "invalid-type"),
        ({"theme": "pink"}, "/preferences/theme", "not-allowed"),
        ({"hide_text": "yes"}, "/preferences/hide_text", "invalid-type"),
        ({"avoid_topics": ["x"] * 51}, "/preferences/avoid_topics", "too-many"),
        ({"avoid_topics": "x"}, "/preferences/avoid_topics", "invalid-type"),
        ({"keys": {"skip": 1}}, "/preferences/keys", "invalid-value"),
        ({"keys": {"skip": ""}}, "/preferences/keys", "invalid-value"),
        ({"keys": {"<script>": "x"}}, "/preferences/keys", "invalid-value"),
        ({"keys": {f"a{n}": "x" for n in range(51)}}, "/preferences/keys", "too-many"),
        ({"avoid_topics": ["x" * 100] * 50}, "/preferences", "preferences-too-large"),
    ],
)
def test_a_preference_that_is_none_is_422(signed_in, preferences, pointer, code):
    browser = signed_in()
    answer = browser.patch("/v1/me", {"preferences": preferences})
    assert refusal(answer) == (422, code)
    assert answer.json["errors"][0]["pointer"] == pointer
    assert browser.get("/v1/me").json["preferences"] == {}


@pytest.mark.parametrize("field", ["role", "tenant_id", "scopes", "session_id", "is_admin"])
def test_nobody_promotes_themselves(signed_in, field):
    answer = signed_in().patch("/v1/me", {field: "admin"})
    assert refusal(answer) == (422, "unknown-field")


def test_a_key_has_nothing_to_change(caller):
    assert refusal(caller.patch("/v1/me", {"name": "x"})) == (403, "not-a-person")


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ({"role": "lead"}, "/name", "missing-field"),
        ({"name": "Kim"}, "/role", "missing-field"),
        ({"name": "Kim", "role": "owner"}, "/role", "not-allowed"),
        ({"name": " ", "role": "lead"}, "/name", "empty-text"),
        ({"name": "Kim", "role": "lead", "hours": 0}, "/hours", "out-of-range"),
        ({"name": "Kim", "role": "lead", "hours": 721}, "/hours", "out-of-range"),
        ({"name": "Kim", "role": "lead", "tenant_id": "x"}, "/tenant_id", "unknown-field"),
    ],
)
def test_a_bad_invitation_is_422(caller, document, pointer, code):
    answer = caller.post("/v1/invitations", document, Idempotency_Key="")
    assert refusal(answer) == (422, code)
    assert answer.json["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("change", [{"role": "admin"}, {"name": "Sam"}, {"session_id": "ses_1"}])
def test_a_second_link_changes_nothing_of_the_person(signed_in, caller, change):
    person = signed_in("lead").get("/v1/me").json["id"]
    answer = caller.post("/v1/invitations", {"person_id": person, **change}, Idempotency_Key="")
    assert refusal(answer) == (422, "not-the-persons")


def test_lists_have_pages_and_no_tokens(invited, caller):
    made = [invited()[0]["id"] for _ in range(3)]
    first = caller.get("/v1/invitations?limit=2").json
    rest = caller.get(f"/v1/invitations?limit=2&cursor={first['next_cursor']}").json
    rows = [*first["data"], *rest["data"]]
    assert [row["id"] for row in rows] == made
    assert not any({"url", "token", "token_sha256"} & set(row) for row in rows)
