"""What becomes of a message whose receiver hangs, refuses, goes, or comes back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from standardwebhooks import Webhook

from adapters.webhooks.sealing import SealedSecrets
from core.envelopes import encode, envelope
from core.retries import DELAYS, JITTER
from core.rounds.webhooks import rotate_secret
from tests.receiver import receiving, status

HALF_JITTER = 1 + JITTER / 2


def test_an_event_becomes_one_message_that_the_library_verifies(post, clock):
    from datetime import UTC, datetime

    clock.at = datetime.now(UTC)
    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        event = post.announce(count=3)
        assert post.turn() == 1
        assert post.turn() == 0
        [message] = receiver.messages
    assert message.id == event.id
    verified = Webhook(post.secrets[endpoint]).verify(message.body, dict(message.headers))
    assert verified["data"] == {"count": 3, "session_id": post.session.id, "sequence": 1}
    [delivery] = post.deliveries(endpoint)
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 200)
    assert delivery.delivered_at == clock.now()


def test_the_message_is_what_the_feed_says(post):
    with receiving() as receiver:
        post.endpoint(receiver.url)
        events = [post.announce("labels.added", count=n) for n in range(5)]
        while post.turn():
            pass
        bodies = {m.id: m.body for m in receiver.messages}
    assert [bodies[event.id] for event in events] == [
        encode(envelope(event)) for event in post.feed()
    ]


def test_a_receiver_down_for_hours_gets_the_same_id_at_a_new_time_on_schedule(post, clock):
    with receiving(status(500)) as receiver:
        endpoint = post.endpoint(receiver.url)
        event = post.announce()
        for delay in DELAYS:
            clock.move(seconds=delay * HALF_JITTER - 0.1 if delay else 0)
            assert post.turn() == (0 if delay else 1)
            if delay:
                clock.move(seconds=0.2)
                assert post.turn() == 1
        messages = receiver.messages
    assert {message.id for message in messages} == {event.id}
    assert len({message.headers["webhook-timestamp"] for message in messages}) == len(DELAYS)
    assert len({message.body for message in messages}) == 1
    [delivery] = post.deliveries(endpoint)
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("dead", 10, "status-500")
    clock.move(days=30)
    assert post.turn() == 0


def test_a_receiver_that_comes_back_gets_everything(post, clock):
    with receiving(*[status(500)] * 6, status(200)) as receiver:
        endpoint = post.endpoint(receiver.url)
        for _ in range(3):
            post.announce()
        for _ in range(20):
            post.turn()
            clock.move(hours=1)
    assert {row.state for row in post.deliveries(endpoint)} == {"delivered"}
    assert post.find(endpoint).failing_since is None


def test_a_receiver_that_is_gone_is_disabled_and_told_of_in_the_feed(post):
    with receiving(status(410)) as receiver:
        endpoint = post.endpoint(receiver.url)
        post.announce()
        later = post.announce()
        post.turn()
        post.turn()
        assert len(receiver.messages) <= 2
    found = post.find(endpoint)
    assert (found.state, found.disabled_reason) == ("disabled", "gone")
    [told] = post.feed("endpoint.disabled")
    assert told.data == {"endpoint_id": endpoint, "reason": "gone"}
    assert later.sequence < told.sequence


def test_what_waits_for_a_disabled_endpoint_is_discarded_without_a_word(post):
    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        post.announce()
        revision = post.find(endpoint).revision
        post.verbs.change(
            "ten_a", endpoint, {"state": "disabled"}, expected_revision=revision, own=None
        )
        post.turn()
        assert receiver.messages == []
    assert [row.state for row in post.deliveries(endpoint)] == ["discarded"]


def test_an_endpoint_that_failed_for_five_days_is_disabled(post, clock):
    with receiving(status(500)) as receiver:
        endpoint = post.endpoint(receiver.url)
        for _ in range(11):
            post.announce()
            post.turn()
            clock.move(hours=12)
        state = post.find(endpoint)
    assert (state.state, state.disabled_reason) == ("disabled", "failing")
    assert [event.data["reason"] for event in post.feed("endpoint.disabled")] == ["failing"]


def test_one_success_starts_the_five_days_anew(post, clock):
    with receiving(status(500), status(200), status(500)) as receiver:
        endpoint = post.endpoint(receiver.url, types=("items.added",))
        post.announce()
        post.turn()
        clock.move(days=4)
        post.turn()
        post.announce()
        post.turn()
    assert post.find(endpoint).failing_since == clock.now()


@pytest.mark.parametrize(
    ("code", "asked", "seconds"), [(503, "3600", 3_600), (429, "999999", 86_400), (503, "1", 5.5)]
)
def test_a_receiver_may_ask_for_more_time_up_to_a_day(post, clock, code, asked, seconds):
    with receiving(status(code, Retry_After=asked)) as receiver:
        endpoint = post.endpoint(receiver.url)
        post.announce()
        post.turn()
    [delivery] = post.deliveries(endpoint)
    assert (delivery.next_attempt_at - clock.now()).total_seconds() == seconds


def test_a_redirect_is_counted_and_not_followed(post):
    with receiving() as inside, receiving(status(302, Location=inside.url)) as receiver:
        endpoint = post.endpoint(receiver.url)
        post.announce()
        post.turn()
    [delivery] = post.deliveries(endpoint)
    assert (delivery.state, delivery.last_status) == ("pending", 302)
    assert inside.messages == []


def test_a_row_that_somebody_tries_is_left_alone_until_its_lock_runs_out(post, clock):
    from runtime.deliveries import take

    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        event = post.announce()
        [taken] = take(post.desk, limit=10)
        assert taken[2].id == event.id
        assert post.turn() == 0
        clock.move(seconds=61)
        assert post.turn() == 1
        [message] = receiver.messages
    assert message.id == event.id
    assert [row.state for row in post.deliveries(endpoint)] == ["delivered"]


def test_both_secrets_sign_for_a_day_after_a_rotation(post, clock):
    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        old = post.secrets[endpoint]
        _, new = post.verbs.rotate("ten_a", endpoint)
        for hours in (0, 23, 2):
            clock.move(hours=hours)
            post.announce()
            post.turn()
        signed = [m.headers["webhook-signature"].split(" ") for m in receiver.messages]
        [first, _, third] = receiver.messages
    assert [len(signatures) for signatures in signed] == [2, 2, 1]
    signer = post.verbs.signer

    def fits(message, secret, at):
        headers = dict(message.headers)
        assert signer.verify(headers, body=message.body, secrets=[secret], now=at) == message.id

    fits(first, old, clock.now() - _hours(25))
    fits(first, new, clock.now() - _hours(25))
    fits(third, new, clock.now())


def test_an_endpoint_sealed_under_another_secret_waits_and_says_why(post):

    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        post.announce()
        post.desk = replace(post.desk, box=SealedSecrets("t" * 40))
        post.turn()
        assert receiver.messages == []
    [delivery] = post.deliveries(endpoint)
    assert (delivery.state, delivery.last_error) == ("pending", "secrets-sealed")


def test_a_secret_sealed_under_another_key_is_replaced_by_rotating(post):
    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        box = SealedSecrets("t" * 40)
        registry = replace(post.verbs.registry, box=box)
        _, fresh = rotate_secret("ten_a", endpoint, registry=registry)
        [only] = box.open(post.find(endpoint).secrets)
    assert (only.text, only.until) == (fresh, None)


def test_a_test_message_names_its_endpoint_and_no_session(post):
    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        post.verbs.test("ten_a", endpoint)
        post.turn()
        body = json.loads(receiver.messages[0].body)
    assert body["type"] == "endpoint.test"
    assert body["data"] == {"endpoint_id": endpoint}


def test_a_deleted_endpoint_takes_its_waiting_messages_along(post):
    from core.rounds.deliver import deliver
    from runtime.deliveries import take

    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        post.announce()
        [due] = take(post.desk, limit=10)
        post.verbs.delete("ten_a", endpoint, expected_revision=1)
        outcome = deliver(due, desk=post.desk)
    assert outcome is not None
    assert outcome.delivered
    assert post.turn() == 0


def _hours(count: float):
    from datetime import timedelta

    return timedelta(hours=count)
