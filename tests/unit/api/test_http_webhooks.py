"""Webhook endpoints over HTTP: made, changed, rotated, listed, refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.envelopes import utc
from core.rounds.webhooks import MOST_ENDPOINTS
from tests.unit.api.conftest import Caller, session_document

ENDPOINTS = "/v1/webhook-endpoints"
URL = "https://example.com/hook"


@pytest.fixture
def make(caller: Caller) -> Callable[..., dict[str, Any]]:
    def make(**wished: Any) -> dict[str, Any]:
        answer = caller.post(ENDPOINTS, {"url": URL, **wished}, Idempotency_Key="")
        assert answer.status_code == 201, answer.json
        return answer.json

    return make


def test_a_secret_is_shown_once(caller, make):
    made = make(description="our desk", types=["batch.ready"])
    assert made["secret"].startswith("whsec_")
    assert "secret" not in caller.get(f"{ENDPOINTS}/{made['id']}").json
    assert "secret" not in caller.get(ENDPOINTS).json["data"][0]


def test_a_secret_is_not_stored_in_the_clear(service, make):
    made = make()
    with service.store.read() as tx:
        stored = tx.webhooks.find(made["id"])
    assert made["secret"] not in stored.secrets
    assert service.webhooks.box.open(stored.secrets)[0].text == made["secret"]


def test_an_endpoint_says_what_it_hears_of(make):
    made = make(types=["batch.ready", "endpoint.disabled"])
    assert made["types"] == ["batch.ready", "endpoint.disabled"]
    assert (made["state"], made["payload"], made["session_id"]) == ("enabled", "thin", None)


@pytest.mark.parametrize(
    ("wished", "code", "pointer"),
    [
        ({"url": "http://example.com/"}, "url-not-allowed", "/url"),
        ({"url": "https://127.0.0.1/"}, "url-not-allowed", "/url"),
        ({"url": "https://user:pw@example.com/"}, "url-not-allowed", "/url"),
        ({"url": "https://example.com/" + "a" * 3_000}, "too-long", "/url"),
        ({"types": ["batch.redy"]}, "unknown-event-type", "/types/0"),
        ({"types": ["Batch Ready"]}, "invalid-value", "/types/0"),
        ({"payload": "fat"}, "not-allowed", "/payload"),
        ({"secret": "whsec_mine"}, "unknown-field", "/secret"),
        ({"webhook_allow": "127.0.0.1:80"}, "unknown-field", "/webhook_allow"),
    ],
)
def test_a_wrong_endpoint_is_refused(caller, wished, code, pointer):
    answer = caller.post(ENDPOINTS, {"url": URL, **wished}, Idempotency_Key="")
    assert answer.status_code == 422
    assert answer.json["code"] == code
    assert answer.json["errors"][0]["pointer"] == pointer


def test_the_name_the_server_is_called_by_is_refused(caller):
    answer = caller.post(
        ENDPOINTS,
        {"url": "https://tailwise.example.com/v1"},
        Idempotency_Key="",
        Host="tailwise.example.com",
    )
    assert answer.status_code == 422
    assert answer.json["code"] == "url-not-allowed"


def test_a_session_nobody_has_cannot_be_named(caller):
    wished = {"url": URL, "session_id": "ses_01JD3V7Q6S0000000000000000"}
    assert caller.post(ENDPOINTS, wished, Idempotency_Key="").status_code == 404


def test_a_tenant_has_at_most_twenty(caller, make):
    for _ in range(MOST_ENDPOINTS):
        make()
    answer = caller.post(ENDPOINTS, {"url": URL}, Idempotency_Key="")
    assert answer.status_code == 409
    assert (answer.json["code"], answer.json["limit"]) == ("limit-reached", 20)


def test_the_scope_is_needed_and_a_key_of_one_session_is_not_enough(caller_with, session_url):
    reader = caller_with("sessions:write", "labels:write", "content:read")
    assert reader.get(ENDPOINTS).json["code"] == "scope-missing"
    bound = caller_with("admin", session_id=session_url.rpartition("/")[2])
    assert bound.get(ENDPOINTS).json["code"] == "key-bound-to-session"


def test_texts_are_sent_only_by_whom_may_read_them(caller_with, make):
    thin = caller_with("webhooks:write")
    answer = thin.post(ENDPOINTS, {"url": URL, "payload": "full"}, Idempotency_Key="")
    assert answer.status_code == 403
    url = f"{ENDPOINTS}/{make()['id']}"
    assert thin.patch(url, {"payload": "full"}, If_Match="*").status_code == 403


def test_another_tenants_endpoint_does_not_exist(caller_with, make):
    url = f"{ENDPOINTS}/{make()['id']}"
    stranger = caller_with("admin", tenant="ten_elsewhere")
    for answer in (
        stranger.get(url),
        stranger.patch(url, {}, If_Match="*"),
        stranger.delete(url, If_Match="*"),
        stranger.post(f"{url}/rotate-secret", Idempotency_Key=""),
        stranger.post(f"{url}/test"),
        stranger.get(f"{url}/deliveries"),
        stranger.post(f"{url}/recover", {"since": "2026-01-01T00:00:00Z"}),
    ):
        assert answer.status_code == 404
        assert answer.json["code"] == "unknown-endpoint"


def test_a_change_needs_the_present_etag(caller, make):
    url = f"{ENDPOINTS}/{make()['id']}"
    etag = caller.get(url).headers["ETag"]
    assert caller.patch(url, {"description": "x"}).status_code == 428
    changed = caller.patch(url, {"description": "x", "types": ["items.added"]}, If_Match=etag)
    assert changed.status_code == 200
    assert changed.json["description"] == "x"
    assert caller.patch(url, {"description": "y"}, If_Match=etag).status_code == 412
    assert caller.get(url, If_None_Match=changed.headers["ETag"]).status_code == 304


def test_a_changed_url_is_checked_again(caller, make):
    url = f"{ENDPOINTS}/{make()['id']}"
    answer = caller.patch(url, {"url": "https://169.254.169.254/"}, If_Match="*")
    assert answer.json["code"] == "url-not-allowed"


def test_a_deleted_endpoint_is_gone_with_its_deliveries(caller, make, service):
    made = make()
    delivery = caller.post(f"{ENDPOINTS}/{made['id']}/test").json
    url = f"{ENDPOINTS}/{made['id']}"
    assert caller.delete(url).status_code == 428
    assert caller.delete(url, If_Match='"7"').status_code == 412
    assert caller.delete(url, If_Match="*").status_code == 204
    assert caller.get(url).status_code == 404
    assert caller.get(f"/v1/deliveries/{delivery['id']}").status_code == 404


def test_a_disabled_endpoint_is_enabled_again_by_hand(caller, make):
    made = make()
    url = f"{ENDPOINTS}/{made['id']}"
    off = caller.patch(url, {"state": "disabled"}, If_Match="*").json
    assert (off["state"], off["disabled_reason"]) == ("disabled", "by-hand")
    for verb, body in (("test", None), ("recover", {"since": "2026-01-01T00:00:00Z"})):
        assert caller.post(f"{url}/{verb}", body).json["code"] == "endpoint-disabled"
    on = caller.patch(url, {"state": "enabled"}, If_Match="*").json
    assert (on["state"], on["disabled_reason"]) == ("enabled", None)


def test_a_rotated_secret_leaves_the_old_one_signing_for_a_day(caller, make, service):
    made = make()
    url = f"{ENDPOINTS}/{made['id']}/rotate-secret"
    fresh = caller.post(url, Idempotency_Key="").json["secret"]
    with service.store.read() as tx:
        [first, second] = service.webhooks.box.open(tx.webhooks.find(made["id"]).secrets)
    assert (first.text, first.until) == (fresh, None)
    assert second.text == made["secret"]
    left = second.until - service.clock.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_secrets_cannot_be_rotated_without_end(caller, make):
    url = f"{ENDPOINTS}/{make()['id']}/rotate-secret"
    codes = [caller.post(url, Idempotency_Key="").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 200, 409]


def test_an_answer_with_a_secret_is_never_kept_for_replay(caller):
    answer = caller.post(ENDPOINTS, {"url": URL}, Idempotency_Key="mine")
    assert answer.json["code"] == "idempotency-key-refused"


def test_a_test_message_waits_to_be_sent(caller, make):
    made = make()
    answer = caller.post(f"{ENDPOINTS}/{made['id']}/test")
    assert answer.status_code == 202
    assert (answer.json["type"], answer.json["session_id"]) == ("endpoint.test", None)
    assert caller.get(answer.headers["Location"]).json["state"] == "pending"
    listed = caller.get(f"{ENDPOINTS}/{made['id']}/deliveries?state=pending").json["data"]
    assert [row["id"] for row in listed] == [answer.json["id"]]
    assert caller.get(f"{ENDPOINTS}/{made['id']}/deliveries?state=dead").json["data"] == []


def test_only_what_an_endpoint_asked_for_is_written_for_it(caller, make):
    everything, ready = make(), make(types=["batch.ready"])
    session = caller.post("/v1/sessions", session_document()).headers["Location"]
    other = make(session_id=session.rpartition("/")[2])
    caller.post("/v1/sessions", session_document())
    caller.post(f"{session}/pause")
    caller.patch(session, {"name": "other"}, If_Match="*")

    def heard(endpoint: dict[str, Any]) -> list[str]:
        rows = caller.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries").json["data"]
        return sorted(row["type"] for row in rows)

    assert heard(everything) == ["session.created", "session.created", "session.updated"]
    assert heard(ready) == []
    assert heard(other) == ["session.updated"]


def test_recovering_sends_dead_and_discarded_messages_again(caller, make, service):
    made = make()
    ids = [caller.post(f"{ENDPOINTS}/{made['id']}/test").json["id"] for _ in range(3)]
    with service.store.write() as tx:
        for id, state in zip(ids, ("dead", "discarded", "delivered"), strict=True):
            row = tx.webhooks.delivery(caller.tenant_id, id)
            tx.webhooks.save_delivery(replaced(row, state))
    since = utc(service.clock.now() - timedelta(hours=1))
    answer = caller.post(f"{ENDPOINTS}/{made['id']}/recover", {"since": since})
    assert answer.json == {"requeued": 2}
    late = utc(service.clock.now() + timedelta(hours=1))
    assert caller.post(f"{ENDPOINTS}/{made['id']}/recover", {"since": late}).json == {"requeued": 0}


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("0001-01-01T00:00:00+14:00", 422),
        ("9999-12-31T23:59:59-14:00", 422),
        ("0001-01-01T00:00:00Z", 200),
        ("9999-12-31T23:59:59Z", 200),
        ("2026-01-01T00:00:00", 422),
        ("yesterday", 422),
        (None, 422),
    ],
)
def test_recovering_takes_any_time_with_a_zone(caller, make, since, status):
    url = f"{ENDPOINTS}/{make()['id']}/recover"
    assert caller.post(url, {"since": since}).status_code == status


def test_a_dead_message_is_sent_again_from_the_start(caller, make, service):
    made = make()
    id = caller.post(f"{ENDPOINTS}/{made['id']}/test").json["id"]
    with service.store.write() as tx:
        tx.webhooks.save_delivery(replaced(tx.webhooks.delivery(caller.tenant_id, id), "dead"))
    answer = caller.post(f"/v1/deliveries/{id}/redeliver")
    assert answer.status_code == 202
    assert (answer.json["state"], answer.json["attempts"]) == ("pending", 0)


def replaced(row: Any, state: str) -> Any:
    from dataclasses import replace

    return replace(row, state=state, attempts=10)
