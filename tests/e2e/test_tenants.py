"""Who may see what: another tenant's things do not exist, and keys are never written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.e2e.running import Caller, Running, labelled, opened, running, trained

pytestmark = pytest.mark.slow

PATHS = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text())["paths"]
METHODS = ("get", "post", "patch", "delete")
ROUTES = [(method, path) for path, found in PATHS.items() for method in METHODS if method in found]
WITH_IDS = [(method, path) for method, path in ROUTES if re.search(r"\{\w+_id\}", path)]
GUARDED = [(method, path) for method, path in ROUTES if PATHS[path][method]["security"]]
SCOPED = [(method, path) for method, path in GUARDED if PATHS[path][method]["security"][0]["key"]]
NOBODY = {
    "session_id": "ses_01JD3V7Q6S0000000000000000",
    "item_id": "itm_01JD3V7Q6S0000000000000000",
    "batch_id": "bat_01JD3V7Q6S0000000000000000",
    "label_id": "lab_01JD3V7Q6S0000000000000000",
    "generation_id": "gen_01JD3V7Q6S0000000000000000",
    "model_id": "mdl_01JD3V7Q6S0000000000000000",
    "export_id": "op_01JD3V7Q6S0000000000000000",
    "operation_id": "op_01JD3V7Q6S0000000000000000",
    "key_id": "key_01JD3V7Q6S0000000000000000",
    "person_id": "per_01JD3V7Q6S0000000000000000",
    "invitation_id": "inv_01JD3V7Q6S0000000000000000",
    "assignment_id": "asg_01JD3V7Q6S0000000000000000",
    "flag_id": "flg_01JD3V7Q6S0000000000000000",
    "endpoint_id": "whe_01JD3V7Q6S0000000000000000",
    "delivery_id": "dlv_01JD3V7Q6S0000000000000000",
}
CLOSED_PORT = "127.0.0.1:9"
NOWHERE = f"http://{CLOSED_PORT}/"
BODIES: dict[str, Any] = {
    "/v1/sessions/{session_id}/items": {"items": [{"text": "words"}]},
    "/v1/sessions/{session_id}/label": {"oracle": "gold", "batch_id": "bat_x"},
    "/v1/sessions/{session_id}/exports": {"what": "labels", "format": "csv"},
    "/v1/sessions/{session_id}/items/{item_id}/adjudicate": {"label": "garden"},
    **{
        f"/v1/sessions/{{session_id}}/assignments/{{assignment_id}}/{verb}": {"lease_token": "x"}
        for verb in ("heartbeat", "release", "skip")
    },
    "/v1/sessions/{session_id}/assignments/{assignment_id}/flag": {
        "lease_token": "x",
        "reason": "other",
    },
    "/v1/sessions/{session_id}/flags/{flag_id}/resolve": {"resolution": "excluded"},
    "/v1/webhook-endpoints/{endpoint_id}/recover": {"since": "2026-01-01T00:00:00Z"},
    "/v1/sessions/{session_id}/predict": {"inputs": [{"text": "words"}]},
    "/v1/sessions/{session_id}/generations/review": {
        "decisions": [{"generation_id": "gen_x", "decision": "reject"}]
    },
    "/v1/sessions/{session_id}/generations/{generation_id}/review": {"decision": "reject"},
}


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Tenant A with one of everything; tenant B; A's keys with less than everything."""

    server: Running
    owner: Caller
    stranger: Caller
    bound: Caller
    scopeless: Caller
    nobody: Caller
    ids: dict[str, str]
    sibling: dict[str, str]
    secrets: list[str] = field(repr=False)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    settings = {"requests_per_minute": 0, "webhook_allow": CLOSED_PORT}
    with running(tmp_path_factory.mktemp("tenants") / "data", **settings) as server:
        owner = server.caller()
        ids, sibling = furnished(owner), furnished(owner)
        minted = owner.made("/v1/keys", {"name": "spare", "scopes": []}, key=None)
        ids["key_id"] = minted["id"]
        people, tokens = peopled(server, owner)
        people |= notified(owner)
        ids |= people
        sibling |= people
        stranger = server.tenant_key("neighbour", "admin", "content:read")
        bound = server.key("admin", session_id=ids["session_id"])
        yield Neighbours(
            server=server,
            owner=owner,
            stranger=server.caller(stranger),
            bound=server.caller(bound),
            scopeless=server.caller(minted["token"]),
            nobody=server.caller(""),
            ids=ids,
            sibling=sibling,
            secrets=[owner.token, stranger, bound, minted["token"], *tokens],
        )


def peopled(server: Running, owner: Caller) -> tuple[dict[str, str], list[str]]:
    """The ids of a person and of an open invitation, and every token of theirs."""
    asked = {"name": "Kim", "role": "annotator"}
    used = owner.made("/v1/invitations", asked, key=None)["url"].partition("#")[2]
    browser = server.caller("")
    person = browser.made("/v1/sign-in", {"token": used}, key=None)["person"]
    spare = owner.made("/v1/invitations", asked, key=None)
    tokens = [used, spare["url"].partition("#")[2], browser.http.cookies["tailwise_console"]]
    return {"person_id": person["id"], "invitation_id": spare["id"]}, tokens


def notified(owner: Caller) -> dict[str, str]:
    """The ids of a webhook endpoint and of a message to it."""
    made = owner.made("/v1/webhook-endpoints", {"url": NOWHERE}, key=None)
    sent = owner.made(f"/v1/webhook-endpoints/{made['id']}/test")
    return {"endpoint_id": made["id"], "delivery_id": sent["id"]}


def furnished(caller: Caller) -> dict[str, str]:
    """The ids of a session with one of everything, by the name of the path parameter."""
    path = opened(caller)
    batch = labelled(caller, path)
    model = trained(caller, path)
    caller.waited(f"{path}/generate", {"generator": "simulated"})
    export = caller.waited(f"{path}/exports", {"what": "labels", "format": "csv"})
    csv = {"content": b"text\nnew words\n", "headers": {"Content-Type": "text/csv"}}
    return {
        "session_id": path.rpartition("/")[2],
        "batch_id": batch["id"],
        "item_id": batch["items"][0]["id"],
        "model_id": model,
        "export_id": export["id"],
        "operation_id": caller.waited(f"{path}/imports", **csv)["id"],
        "generation_id": caller.read(f"{path}/generations")["data"][0]["id"],
        "label_id": caller.read(f"{path}/labels")["data"][0]["id"],
        **queued(caller, path),
    }


def queued(caller: Caller, path: str) -> dict[str, str]:
    """The ids of a lease and of a flag."""
    caller.made(f"{path}/select", {"size": 2, "allow_unindexed": True})
    kept, flagged = caller.made(f"{path}/leases", {"count": 2}, key=None)["assignments"]
    wrong = {"lease_token": flagged["lease_token"], "reason": "other"}
    made = caller.made(f"{path}/assignments/{flagged['id']}/flag", wrong, key=None)
    return {"assignment_id": kept["id"], "flag_id": made["flag_id"]}


def ask(caller: Caller, method: str, path: str, ids: dict[str, str], **options: Any) -> Any:
    """A request that is right in every way but whose ids it names."""
    url = path.format(**ids, name="balance", format="svg")
    headers = {"If-Match": "*", **options.pop("headers", {})}
    options["headers"] = headers
    if method == "post" and path.endswith("/imports"):
        headers["Content-Type"] = "text/csv"
        return caller.post(url, content=b"text\nwords\n", **options)
    if method == "post":
        options["key"] = None if path.endswith("/rotate-secret") else ""
        return caller.post(url, BODIES.get(path), **options)
    if method == "patch":
        return caller.patch(url, {}, **options)
    return caller.delete(url, **options) if method == "delete" else caller.get(url, **options)


def told(answer: Any) -> tuple[int, dict[str, Any]]:
    """Status and document, without what names the request itself."""
    document = answer.json()
    return answer.status_code, {
        k: v for k, v in document.items() if k not in {"request_id", "instance"}
    }


@pytest.mark.parametrize(("method", "path"), WITH_IDS)
def test_another_tenants_ids_are_like_ids_nobody_has(
    town: Neighbours, method: str, path: str
) -> None:
    foreign = told(ask(town.stranger, method, path, town.ids))
    unknown = told(ask(town.stranger, method, path, NOBODY))
    assert foreign == unknown
    assert foreign[0] == 404
    assert town.owner.get(f"/v1/sessions/{town.ids['session_id']}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [found for found in WITH_IDS if "{session_id}/" in found[1]]
)
def test_another_sessions_things_are_not_reached_through_ones_own(
    town: Neighbours, method: str, path: str
) -> None:
    inner = set(re.findall(r"\{(\w+)\}", path)) - {"session_id", "name", "format"}
    mixed = {**town.sibling, "session_id": town.ids["session_id"]}
    ghost = {**NOBODY, "session_id": town.ids["session_id"]}
    if not inner:
        assert ask(town.stranger, method, path, mixed).status_code == 404
        return
    assert told(ask(town.owner, method, path, mixed)) == told(ask(town.owner, method, path, ghost))
    assert told(ask(town.owner, method, path, mixed))[0] == 404


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_key_nothing_is_said(town: Neighbours, method: str, path: str) -> None:
    for ids in ({**NOBODY}, town.ids):
        answer = ask(town.nobody, method, path, ids)
        assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "token", ["x", "tw_x_y", "tw_01JD3V7Q6S0000000000000000_" + "0" * 64, "é" * 10]
)
def test_a_key_nobody_has_is_401(town: Neighbours, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = town.nobody.get("/v1/sessions", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "x" * 3 not in answer.text


@pytest.mark.parametrize("name", ["api_key", "access_token", "token", "key", "anything"])
def test_a_key_in_the_query_is_refused_even_when_it_is_right(town: Neighbours, name: str) -> None:
    for caller in (town.nobody, town.owner):
        answer = caller.get("/v1/sessions", params={name: town.owner.token})
        assert (answer.status_code, answer.json()["code"]) == (401, "key-in-query")
        assert town.owner.token not in answer.text


@pytest.mark.parametrize(("method", "path"), SCOPED)
def test_a_key_without_the_scope_is_403_and_told_which(
    town: Neighbours, method: str, path: str
) -> None:
    [scope] = PATHS[path][method]["security"][0]["key"]
    answer = ask(town.scopeless, method, path, town.ids)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["scope"]) == (403, "scope-missing", scope)


def test_texts_are_only_for_keys_that_may_read_them(town: Neighbours) -> None:
    path = f"/v1/sessions/{town.ids['session_id']}"
    blind = town.server.caller(town.server.key("export"))
    seeing = town.server.caller(town.server.key("content:read"))
    for listing in ("items", "generations"):
        assert all("text" not in row for row in blind.read(f"{path}/{listing}")["data"])
        assert all(row["text"] for row in seeing.read(f"{path}/{listing}")["data"])
    assert blind.get(f"{path}/items", params={"q": "a"}).status_code == 403
    wish = {"what": "training", "format": "csv", "include_text": True}
    assert blind.post(f"{path}/exports", wish).status_code == 403


def test_a_revoked_key_is_refused_at_once(town: Neighbours) -> None:
    made = town.owner.made("/v1/keys", {"name": "short", "scopes": ["admin"]}, key=None)
    short = town.server.caller(made["token"])
    assert short.get("/v1/sessions").status_code == 200
    assert town.owner.delete(f"/v1/keys/{made['id']}").status_code == 204
    answer = short.get("/v1/sessions")
    assert (answer.status_code, answer.json()["code"]) == (401, "key-refused")


@pytest.mark.parametrize(("method", "path"), WITH_IDS)
def test_a_bound_key_sees_no_session_but_its_own(town: Neighbours, method: str, path: str) -> None:
    if re.search(r"\{(key_id|endpoint_id|delivery_id)\}", path):
        answer = ask(town.bound, method, path, town.ids)
        assert (answer.status_code, answer.json()["code"]) == (403, "key-bound-to-session")
        return
    other = told(ask(town.bound, method, path, town.sibling))
    assert other == told(ask(town.bound, method, path, NOBODY))
    assert other[0] == 404


def test_a_bound_key_lists_its_own_session_alone(town: Neighbours) -> None:
    listed = town.bound.read("/v1/sessions")["data"]
    assert [session["id"] for session in listed] == [town.ids["session_id"]]
    operations = town.bound.read("/v1/operations", params={"limit": "500"})["data"]
    assert {row["session_id"] for row in operations} == {town.ids["session_id"]}
    other = town.bound.get("/v1/operations", params={"session_id": town.sibling["session_id"]})
    assert other.status_code == 404
    for path in ("/v1/sessions", "/v1/keys", "/v1/templates"):
        assert town.bound.post(path, {}).status_code == 403
    assert town.bound.get("/v1/keys").status_code == 403


def test_lists_hold_nothing_of_another_tenant(town: Neighbours) -> None:
    for path in ("/v1/sessions", "/v1/operations"):
        theirs = {row["id"] for row in town.stranger.read(path, params=EVERY)["data"]}
        assert theirs.isdisjoint(row["id"] for row in town.owner.read(path, params=EVERY)["data"])
        assert all(town.ids[name] not in theirs for name in ("session_id", "operation_id"))
    for path in ("/v1/keys", "/v1/people", "/v1/invitations"):
        mine = {row["id"] for row in town.owner.read(path)["data"]}
        assert mine
        assert mine.isdisjoint({row["id"] for row in town.stranger.read(path)["data"]})
    town.owner.made(
        "/v1/templates",
        {"id": "ours", "level": "free_form", "system": "Write.", "body": BODY},
    )
    ours = {template["id"] for template in town.owner.read("/v1/templates")["data"]}
    others = {template["id"] for template in town.stranger.read("/v1/templates")["data"]}
    assert "ours" in ours - others


def test_one_tenants_idempotency_keys_are_nothing_to_another(town: Neighbours) -> None:
    document = {"name": "mine", "task": {"labels": [{"id": "a"}, {"id": "b"}]}}
    first = town.owner.post("/v1/sessions", document, key="shared")
    second = town.stranger.post("/v1/sessions", document, key="shared")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    assert "Idempotency-Replayed" not in second.headers
    town.stranger.delete(f"/v1/sessions/{second.json()['id']}")


def test_no_secret_is_in_a_file_or_a_log(town: Neighbours) -> None:
    secrets = [token.rpartition("_")[2].encode() for token in town.secrets]
    files = [path for path in town.server.data_dir.rglob("*") if path.is_file()]
    assert any(path.name == "app.sqlite" for path in files)
    for path in files:
        data = path.read_bytes()
        assert not [path for secret in secrets if secret in data]
    logs = "".join(line for line in town.server.logs if "shown once" not in line).encode()
    assert b"http_request" in logs
    assert not [secret for secret in secrets if secret in logs]


EVERY = {"limit": "500"}
BODY = "{{count}} {{label_name}} {{seed}}"
