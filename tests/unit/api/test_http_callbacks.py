"""A platform answers a batch at the URL that batch.ready brought it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.rounds.deliver import body_for
from core.webhooks import Ticket
from runtime.tailwise import Tailwise
from tests.unit.api.conftest import TOPICS, Caller, rows, session_document


@dataclass(kw_only=True)
class Platform:
    """Heard of one batch; answers it signed."""

    caller: Caller
    service: Tailwise
    endpoint: dict[str, Any]
    session_url: str
    batch: dict[str, Any]
    body: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.body["data"]["callback_url"])

    def send(
        self,
        document: Any,
        *,
        id: str = "msg_1",
        at: datetime | None = None,
        url: str = "",
        secret: str = "",
        **headers: str,
    ) -> TestResponse:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        moment = at or self.service.clock.now()
        secrets = [secret or self.endpoint["secret"]]
        signed = self.service.webhooks.signer.sign(id, at=moment, body=body, secrets=secrets)
        sent = {"Content-Type": "application/json", **signed, **headers}
        return self.caller.client.post(url or self.url, data=body, headers=sent)

    def answers(self, count: int = 2, label: str = TOPICS[0]) -> list[dict[str, Any]]:
        return [{"item_id": item["id"], "label": label} for item in self.batch["items"][:count]]

    def stored(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.caller.get(f"{self.session_url}/labels").json["data"]
        return found


@pytest.fixture
def platform(caller: Caller, service: Tailwise) -> Platform:
    return heard(caller, service)


def heard(caller: Caller, service: Tailwise, payload: str = "thin") -> Platform:
    """An endpoint, a session with an open batch, and the body that is delivered for it."""
    wished = {"url": "https://example.com/", "types": ["batch.ready"], "payload": payload}
    endpoint = caller.post("/v1/webhook-endpoints", wished, Idempotency_Key="").json
    document = session_document(oracle="human", batch_size=4, strategy="random")
    session_url = caller.post("/v1/sessions", document).headers["Location"]
    items = [{k: v for k, v in row.items() if k != "gold"} for row in rows()]
    assert caller.post(f"{session_url}/items", {"items": items}).status_code == 200
    answer = caller.post(f"{session_url}/select", {})
    assert answer.status_code == 201, answer.json
    with service.store.read() as tx:
        found = tx.webhooks.find(endpoint["id"])
        [event] = tx.events.list(
            session_url.rpartition("/")[2], after=0, limit=10, types=["batch.ready"]
        )
    assert found is not None
    body = json.loads(body_for(found, event, desk=service.webhooks.desk()))
    return Platform(
        caller=caller,
        service=service,
        endpoint=endpoint,
        session_url=session_url,
        batch=answer.json,
        body=body,
    )


def test_the_message_says_what_is_ready_and_where_to_answer(platform):
    data = platform.body["data"]
    assert data["batch_id"] == platform.batch["id"]
    assert (data["size"], data["round"]) == (4, 1)
    assert data["items_url"] == f"{platform.session_url}/items?batch_id={platform.batch['id']}"
    assert data["callback_url"].startswith("/v1/callbacks/cb_")
    assert platform.caller.get(data["items_url"]).status_code == 200


def test_a_thin_message_is_the_feeds_row_but_for_the_callback_url(platform):
    feed = platform.caller.get(f"{platform.session_url}/events?types=batch.ready").json["data"]
    shown = {name: feed[0][name] for name in ("type", "timestamp", "tenant_id", "data")}
    del platform.body["data"]["callback_url"]
    assert platform.body == shown
    assert len(json.dumps(platform.body)) < 20_000


def test_a_full_message_brings_the_texts(caller, service):
    items = heard(caller, service, "full").body["data"]["items"]
    assert len(items) == 4
    assert all(set(item) == {"id", "external_id", "text"} and item["text"] for item in items)


def test_a_full_message_of_too_many_texts_comes_without_them(caller, service, monkeypatch):
    monkeypatch.setattr("core.rounds.deliver.MOST_TEXT", 100)
    assert "items" not in heard(caller, service, "full").body["data"]


def test_signed_answers_are_stored_as_the_endpoints(platform):
    answer = platform.send({"labels": platform.answers()})
    assert answer.status_code == 200, answer.json
    assert answer.json["accepted"] == 2
    stored = platform.stored()
    assert {row["annotator_id"] for row in stored} == {platform.endpoint["id"]}
    assert {row["batch_id"] for row in stored} == {platform.batch["id"]}


def test_the_platform_may_name_who_answered(platform):
    platform.send({"labels": platform.answers(), "annotator_id": "moderator-7"})
    assert {row["annotator_id"] for row in platform.stored()} == {"moderator-7"}


def test_items_may_be_named_by_the_platforms_own_ids(platform):
    external = platform.batch["items"][0]["external_id"]
    answer = platform.send({"labels": [{"external_id": external, "label": TOPICS[1]}]})
    assert answer.status_code == 200
    assert len(platform.stored()) == 1


def test_a_message_sent_again_has_one_effect_and_one_answer(platform):
    document = {"labels": platform.answers()}
    first = platform.send(document)
    later = platform.service.clock.now() + timedelta(seconds=60)
    again = platform.send(document, at=later)
    assert again.status_code == 200
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(platform.stored()) == 2


def test_a_webhook_id_used_for_other_answers_is_refused(platform):
    platform.send({"labels": platform.answers(1)})
    answer = platform.send({"labels": platform.answers(2)})
    assert answer.status_code == 422
    assert answer.json["code"] == "idempotency-key-reused"


def test_two_endpoints_may_use_the_same_webhook_id(platform, caller, service):
    other = heard(caller, service)
    assert platform.send({"labels": platform.answers()}).json["accepted"] == 2
    assert other.send({"labels": other.answers()}).json["accepted"] == 2


@pytest.mark.parametrize("seconds", [-400, 400])
def test_an_old_or_a_coming_signature_is_refused(platform, seconds):
    at = platform.service.clock.now() + timedelta(seconds=seconds)
    answer = platform.send({"labels": platform.answers()}, at=at)
    assert (answer.status_code, answer.json["code"]) == (401, "signature-too-old")
    assert platform.stored() == []


def test_a_wrong_signature_is_refused_before_the_body_is_read(platform):
    answer = platform.send(b"{ not json", secret=f"whsec_{'A' * 44}")
    assert (answer.status_code, answer.json["code"]) == (401, "signature-refused")
    unsigned = platform.caller.client.post(platform.url, json={"labels": platform.answers()})
    assert (unsigned.status_code, unsigned.json["code"]) == (401, "signature-missing")
    key = {"Authorization": f"Bearer {platform.caller.token}"}
    by_key = platform.caller.client.post(platform.url, json={"labels": []}, headers=key)
    assert by_key.status_code == 401


def test_a_changed_body_is_refused(platform):
    body = json.dumps({"labels": platform.answers()}).encode()
    signed = platform.service.webhooks.signer.sign(
        "msg_1",
        at=platform.service.clock.now(),
        body=body,
        secrets=[platform.endpoint["secret"]],
    )
    headers = {"Content-Type": "application/json", **signed}
    answer = platform.caller.client.post(platform.url, data=body + b" ", headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["cb_", "cb_x", "x", "cb_WyJ3aGUiXQ.AAAA", "cb_" + "a" * 1_000])
def test_a_made_up_url_is_refused(platform, token):
    answer = platform.send({"labels": platform.answers()}, url=f"/v1/callbacks/{token}")
    assert (answer.status_code, answer.json["code"]) == (401, "callback-refused")


def test_another_endpoints_secret_does_not_open_the_url(platform, caller, service):
    other = heard(caller, service)
    answer = platform.send({"labels": platform.answers()}, secret=other.endpoint["secret"])
    assert answer.status_code == 401


def test_a_deleted_endpoint_answers_nothing_more(platform):
    url = f"/v1/webhook-endpoints/{platform.endpoint['id']}"
    platform.caller.delete(url, If_Match="*")
    answer = platform.send({"labels": platform.answers()})
    assert (answer.status_code, answer.json["code"]) == (401, "callback-refused")


def ticket(platform: Platform, **changes: Any) -> str:
    """A callback URL made by the server for other facts."""
    facts = {
        "endpoint_id": platform.endpoint["id"],
        "session_id": platform.session_url.rpartition("/")[2],
        "batch_id": platform.batch["id"],
        "expires_at": platform.service.clock.now() + timedelta(hours=1),
        **changes,
    }
    return f"/v1/callbacks/{platform.service.webhooks.tickets.write(Ticket(**facts))}"


def test_an_expired_url_is_gone(platform):
    url = ticket(platform, expires_at=platform.service.clock.now() - timedelta(seconds=1))
    answer = platform.send({"labels": platform.answers()}, url=url)
    assert (answer.status_code, answer.json["code"]) == (410, "callback-expired")
    wrong = platform.send({"labels": []}, url=url, secret=f"whsec_{'A' * 44}")
    assert wrong.status_code == 401


def test_answers_about_other_items_are_refused_whole(platform):
    listed = platform.caller.get(f"{platform.session_url}/items?limit=500").json["data"]
    inside = {item["id"] for item in platform.batch["items"]}
    outside = next(item["id"] for item in listed if item["id"] not in inside)
    labels = [*platform.answers(1), {"item_id": outside, "label": TOPICS[0]}]
    answer = platform.send({"labels": labels})
    assert (answer.status_code, answer.json["code"]) == (409, "wrong-batch")
    assert answer.json["indexes"] == [1]
    assert platform.stored() == []


def test_a_batch_that_is_named_must_be_the_urls(platform):
    labels = [{**platform.answers(1)[0], "batch_id": "bat_01JD3V7Q6S0000000000000000"}]
    assert platform.send({"labels": labels}).json["code"] == "wrong-batch"


def test_a_refused_message_may_be_sent_again_once_it_is_right(platform):
    assert platform.send({"labels": [{"item_id": "itm_1", "label": "x"}]}).status_code == 409
    assert platform.send({"labels": platform.answers()}).status_code == 200


def test_a_cancelled_batch_is_closed_as_everywhere(platform):
    cancelled = platform.caller.post(
        f"{platform.session_url}/batches/{platform.batch['id']}/cancel"
    )
    assert cancelled.status_code == 200
    answer = platform.send({"labels": platform.answers(1)})
    assert (answer.status_code, answer.json["code"]) == (409, "batch-closed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed-json"),
        (b'{"labels": []}', 422, "too-few"),
        (b'{"labels": [{"item_id": "itm_1", "label": "a", "gold": 1}]}', 422, "unknown-field"),
        (b'{"labels": [], "oracle": "gold"}', 422, None),
        (b" " * 6_000_000, 413, "payload-too-large"),
        (b'{"a": 1, "a": 2}', 400, "malformed-json"),
    ],
)
def test_bodies_follow_the_rules_of_every_body(platform, body, status, code):
    answer = platform.send(body)
    assert answer.status_code == status
    assert code in {None, answer.json["code"]}


def test_only_json_is_taken(platform):
    answer = platform.send({"labels": platform.answers()}, **{"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_the_old_secret_opens_the_url_too_while_both_sign(platform):
    url = f"/v1/webhook-endpoints/{platform.endpoint['id']}/rotate-secret"
    fresh = platform.caller.post(url, Idempotency_Key="").json["secret"]
    assert platform.send({"labels": platform.answers(1)}).status_code == 200
    answer = platform.send({"labels": platform.answers(1)}, id="msg_2", secret=fresh)
    assert answer.json["replayed"] == 1


def test_what_a_message_brings_is_not_shown_in_the_deliveries(
    platform: Platform, service: Tailwise, caller: Caller, caller_with: Callable[..., Caller]
) -> None:
    url = f"/v1/webhook-endpoints/{platform.endpoint['id']}/deliveries"
    [row] = caller.get(url).json["data"]
    assert set(row) & {"body", "headers", "answer", "callback_url"} == set()
