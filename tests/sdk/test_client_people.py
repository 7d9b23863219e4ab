"""Who works here, and who hears of it: people, invitations and webhook endpoints."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.rounds.deliver import deliver
from runtime.deliveries import take
from tailwise_client import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    verify,
)
from tests.sdk.conftest import rows, topic_of
from tests.sdk.scripted import Told

URL = "https://example.com/hook"


def test_a_key_says_who_it_is(tailwise):
    me = tailwise.me()
    assert me.role is None
    assert "labels:write" in me.scopes


def test_a_key_has_no_preferences_to_change(tailwise):
    with pytest.raises(NotAllowed) as caught:
        tailwise.change_me(name="Ada", preferences={"theme": "dark"})
    assert caught.value.code == "not-a-person"


def test_a_person_changes_what_is_named_and_nothing_else(connect, loopback):
    me = {"id": "per_a", "name": "Ada", "scopes": ["annotate"], "role": "annotator"}
    loopback.script = [Told(document={**me, "preferences": {"blur": True}})]
    changed = connect(loopback.url, "tw_a_b").change_me(preferences={"blur": True, "theme": None})
    assert changed.preferences == {"blur": True}
    [asked] = loopback.asked
    assert (asked.method, asked.path) == ("PATCH", "/v1/me")
    assert asked.document == {"preferences": {"blur": True, "theme": None}}


def test_an_invitation_is_shown_once_listed_and_revoked(tailwise):
    made = tailwise.invite("Ada", role="reviewer", hours=2)
    assert made.url.startswith("/console/join#")
    assert made.url.partition("#")[2] not in repr(made)
    assert made.role == "reviewer"
    tailwise.revoke_invitation(made.id)
    listed = {found.id: found for found in tailwise.invitations()}
    assert listed[made.id].revoked_at is not None
    assert listed[made.id].url is None


def test_a_role_that_is_none_is_refused(tailwise):
    with pytest.raises(InvalidInput):
        tailwise.invite("Ada", role="queen")


def test_people_are_listed_and_only_known_ones_revoked(tailwise):
    assert all(person.name for person in tailwise.people())
    with pytest.raises(NotFound):
        tailwise.revoke_person("per_nobody")


@pytest.fixture
def endpoint(tailwise):
    made = tailwise.create_endpoint(URL, description="desk", types=["batch.ready"])
    yield made
    tailwise.delete_endpoint(made.id)


def test_an_endpoint_is_made_read_changed_and_listed(tailwise, endpoint):
    assert endpoint.secret.startswith("whsec_")
    assert endpoint.secret not in repr(endpoint)
    assert tailwise.endpoint(endpoint.id).types == ("batch.ready",)
    changed = tailwise.update_endpoint(endpoint.id, {"state": "disabled"})
    assert changed.state == "disabled"
    assert endpoint.id in {found.id for found in tailwise.endpoints()}


def test_a_secret_is_rotated(tailwise, endpoint):
    fresh = tailwise.rotate_secret(endpoint.id)
    assert fresh.startswith("whsec_")
    assert fresh != endpoint.secret


def test_messages_are_listed_tried_again_and_recovered(tailwise, endpoint):
    sent = tailwise.test_endpoint(endpoint.id)
    assert sent.id in {found.id for found in tailwise.deliveries(endpoint.id)}
    assert tailwise.redeliver(sent.id).endpoint_id == endpoint.id
    assert tailwise.recover(endpoint.id, since=datetime(2026, 1, 1, tzinfo=UTC)) >= 0


def test_an_address_of_our_own_is_refused(tailwise):
    with pytest.raises(InvalidInput) as caught:
        tailwise.create_endpoint("https://10.0.0.1/hook")
    assert caught.value.code == "url-not-allowed"


@pytest.fixture
def platform(tailwise, session, loopback, served):
    """An endpoint that listens here, of a session with a batch that was announced."""
    session.upload(rows(12))
    loopback.otherwise = lambda asked: Told(status=204)
    made = tailwise.create_endpoint(
        f"{loopback.url}/hook", types=["batch.ready"], session_id=session.id
    )
    session.select()
    desk = served.service.webhooks.desk()
    for due in take(desk, limit=100):
        if due[1].id == made.id:
            deliver(due, desk=desk)
    yield made
    tailwise.delete_endpoint(made.id)


def test_a_delivered_webhook_is_verified_and_is_the_feeds_event(platform, session, loopback):
    [hook] = [asked for asked in loopback.asked if asked.path == "/hook"]
    event = verify(hook.headers, hook.body, platform.secret)
    [fed] = session.events(types=["batch.ready"])
    assert (event.id, event.type, event.sequence) == (fed.id, fed.type, fed.sequence)
    assert event.data["batch_id"] == fed.data["batch_id"]
    assert event.data["callback_url"]


def test_a_platform_answers_by_the_signed_callback(platform, session, loopback, connect, served):
    event = verify(loopback.asked[-1].headers, loopback.asked[-1].body, platform.secret)
    items = list(session.items(batch_id=event.data["batch_id"]))
    answers = [
        {"item_id": item.id, "label": topic_of(item), "client_label_id": item.id} for item in items
    ]
    keyless = connect(served.url, "not-a-key")
    told = {"secret": platform.secret, "message_id": "msg_1"}
    first = keyless.answer_callback(event.data["callback_url"], answers, **told)
    again = keyless.answer_callback(event.data["callback_url"], answers, **told)
    assert (first.accepted, again) == (6, first)
    assert session.batch(event.data["batch_id"]).state == "completed"


def test_a_callback_with_another_secret_or_batch_is_refused(platform, session, loopback, tailwise):
    event = verify(loopback.asked[-1].headers, loopback.asked[-1].body, platform.secret)
    answers = [{"item_id": "itm_other", "label": "garden"}]
    with pytest.raises(NotAuthenticated):
        tailwise.answer_callback(event.data["callback_url"], answers, secret="whsec_" + "YWFh" * 8)
    with pytest.raises(Conflict):
        tailwise.answer_callback(event.data["callback_url"], answers, secret=platform.secret)


def test_a_callback_elsewhere_gets_nothing(tailwise):
    with pytest.raises(ValueError, match="/v1/callbacks/"):
        tailwise.answer_callback("https://evil.example/x", [], secret="whsec_YWFh")
