"""A worker killed between and inside attempts: every message arrives, with the id it had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from standardwebhooks import Webhook

from core.records import Page
from core.webhooks import Delivery
from tests.e2e.databases import Database
from tests.e2e.made_texts import task
from tests.e2e.running import Caller
from tests.e2e.server import Server, serving, until
from tests.receiver import Receiver, hang, receiving, status

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hooks")
    with serving(folder, webhook_allow="127.0.0.0/8", **database.settings) as server:
        yield server


def heard(caller: Caller, receiver: Receiver) -> tuple[str, str]:
    """The id and the secret of an endpoint that hears of one event, which then happens."""
    wished = {"url": receiver.url, "types": ["session.created"]}
    made = caller.made("/v1/webhook-endpoints", wished, key=None)
    caller.made("/v1/sessions", {"name": "hooks", "task": task()})
    return made["id"], made["secret"]


def deliveries(server: Server, endpoint_id: str) -> list[Delivery]:
    with server.store() as store, store.read() as tx:
        return list(tx.webhooks.deliveries("default", endpoint_id, Page()))


def let_time_pass(server: Server, endpoint_id: str) -> None:
    """The lock of whoever died has run out."""
    with server.store() as store, store.write() as tx:
        for row in tx.webhooks.deliveries("default", endpoint_id, Page()):
            tx.webhooks.save_delivery(replace(row, locked_until=row.created_at))


def test_a_worker_killed_between_attempts_goes_on_with_the_same_id(server: Server) -> None:
    with server.caller() as caller, receiving(status(500), status(200)) as receiver:
        endpoint, secret = heard(caller, receiver)
        receiver.wait_for(1)
        until(lambda: deliveries(server, endpoint)[0].attempts == 1, what="the failure stored")
        server.kill_worker()
        server.start_worker()
        first, second = receiver.wait_for(2)
        until(
            lambda: deliveries(server, endpoint)[0].state == "delivered", what="the success stored"
        )
        assert first.id == second.id
        assert first.body == second.body
        assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
        assert (
            Webhook(secret).verify(second.body, dict(second.headers))["type"] == "session.created"
        )
        caller.delete(f"/v1/webhook-endpoints/{endpoint}")


def test_a_worker_killed_inside_an_attempt_tries_again_with_the_same_id(server: Server) -> None:
    with server.caller() as caller, receiving(hang, status(200)) as receiver:
        endpoint, _ = heard(caller, receiver)
        receiver.wait_for(1)
        server.kill_worker()
        [held] = deliveries(server, endpoint)
        assert (held.state, held.attempts) == ("pending", 0)
        assert held.locked_until is not None
        let_time_pass(server, endpoint)
        server.start_worker()
        first, second = receiver.wait_for(2)
        until(
            lambda: deliveries(server, endpoint)[0].state == "delivered", what="the success stored"
        )
        assert first.id == second.id


def test_no_url_secret_or_body_is_in_the_logs(server: Server) -> None:
    with server.caller() as caller, receiving() as receiver:
        receiver_url = f"{receiver.url}?token=canary-in-the-url"
        made = caller.made("/v1/webhook-endpoints", {"url": receiver_url}, key=None)
        caller.made(f"/v1/webhook-endpoints/{made['id']}/test")
        receiver.wait_for(1)
        until(lambda: made["id"] in server.logs(), what="the attempt in the log")
        logs = server.logs()
    for told in ("canary-in-the-url", made["secret"], "endpoint.test", receiver.place):
        assert told not in logs
