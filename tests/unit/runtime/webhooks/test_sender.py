"""The worker's threads: one bad receiver does not hold up the others."""

from __future__ import annotations

import json
import threading
import time

import structlog

from runtime.deliveries import PER_ENDPOINT, Sender
from tests.receiver import hang, receiving, status


def test_a_receiver_that_hangs_delays_the_others_by_less_than_a_second(post):
    with receiving(hang) as dead, receiving() as living:
        post.endpoint(dead.url)
        post.endpoint(living.url)
        events = [post.announce() for _ in range(10)]
        sender = Sender(post.desk, concurrency=16)
        sender.start()
        began = time.monotonic()
        try:
            messages = living.wait_for(10)
            lasted = time.monotonic() - began
            dead.wait_for(PER_ENDPOINT)
            assert len(dead.messages) == PER_ENDPOINT
        finally:
            dead.leaving.set()
            sender.stop(seconds=30)
    assert {message.id for message in messages} == {event.id for event in events}
    assert lasted < 10, "one attempt that hangs lasts fifteen seconds"


def test_a_late_message_passes_a_receiver_that_hangs_at_once(post):
    with receiving(hang) as dead, receiving() as living:
        post.endpoint(dead.url)
        late = post.endpoint(living.url, types=("batch.completed",))
        for _ in range(5):
            post.announce()
        sender = Sender(post.desk, concurrency=4)
        sender.start()
        try:
            dead.wait_for(PER_ENDPOINT)
            post.announce("batch.completed")
            living.wait_for(1)
            held = [row for row in post.deliveries(late) if row.type == "batch.completed"]
            assert len(dead.messages) == PER_ENDPOINT
        finally:
            dead.leaving.set()
            sender.stop(seconds=30)
    assert len(held) == 1


def test_a_sender_that_is_stopped_takes_nothing_more(post):
    with receiving() as receiver:
        endpoint = post.endpoint(receiver.url)
        sender = Sender(post.desk, concurrency=2)
        sender.start()
        assert sender.stop()
        post.announce()
        assert [row.attempts for row in post.deliveries(endpoint)] == [0]
    assert not [thread for thread in threading.enumerate() if thread.name == "webhooks"]


def test_logs_name_the_endpoint_the_attempt_and_the_status_only(post):
    with receiving(status(500)) as receiver, structlog.testing.capture_logs() as logs:
        endpoint = post.endpoint(f"{receiver.url}/secret-path")
        post.announce("items.added", canary="canary-in-the-body")
        sender = Sender(post.desk, concurrency=2)
        sender.start()
        receiver.wait_for(1)
        sender.stop(seconds=30)
    [entry] = logs
    assert entry["endpoint_id"] == endpoint
    assert (entry["attempt"], entry["status"]) == (1, 500)
    told = json.dumps(logs)
    for secret in ("secret-path", "canary", post.secrets[endpoint], receiver.place):
        assert secret not in told
