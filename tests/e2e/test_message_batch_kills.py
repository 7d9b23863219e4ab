"""A real worker killed around a message batch: it is sent, paid and written once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.batches_server import BatchesServer, batches_server
from tests.e2e.made_texts import rows, task
from tests.e2e.running import Caller
from tests.e2e.server import Server, serving, until
from tests.messages_server import KEY

pytestmark = pytest.mark.slow

BATCHES = "/v1/messages/batches"
OPTIONS = {"mode": "batch", "poll_s": 0.1, "poll_most_s": 0.5, "settle_s": 1}
BILL = (700 * 0.10 + 300 * 0.50) / 1e6 / 2


@dataclass(kw_only=True)
class Service:
    server: Server
    caller: Caller
    fake: BatchesServer
    path: str = ""
    holding: threading.Event = field(default_factory=threading.Event)

    def created(self) -> int:
        return self.fake.seen.count(("POST", BATCHES))

    def written(self, operation: dict[str, Any]) -> list[dict[str, Any]]:
        params = {"operation_id": operation["id"], "limit": "500"}
        found: list[dict[str, Any]] = self.caller.read(f"{self.path}/generations", params=params)[
            "data"
        ]
        return found

    def started(self) -> dict[str, Any]:
        wish = {"generator": {"name": "anthropic", "options": OPTIONS}}
        return self.caller.made(f"{self.path}/generate", wish)

    def restart_worker(self) -> None:
        self.server.kill_worker()
        self.server.start_worker()


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    with (
        batches_server(released=False) as fake,
        serving(tmp_path, anthropic_api_key=KEY, anthropic_base_url=fake.url) as server,
        server.caller() as caller,
    ):
        made = Service(server=server, caller=caller, fake=fake)
        settings = {"encoder": "hashing", "oracle": "gold", "variations": 3}
        document = {"name": "batches", "task": task(), "settings": settings}
        made.path = f"/v1/sessions/{caller.made('/v1/sessions', document)['id']}"
        new = {"items": rows(400, split="pool", seed=0)}
        assert caller.ended(caller.made(f"{made.path}/items", new)["operation"])["done"]
        batch = caller.made(f"{made.path}/select", {"size": 120})
        caller.made(f"{made.path}/label", {"oracle": "gold", "batch_id": batch["id"]})
        yield made


def test_a_worker_killed_around_a_batch_sends_pays_and_writes_it_once(service: Service) -> None:
    fake = service.fake
    never = threading.Event()
    # The provider has taken the batch; its answer never reaches the worker.
    fake.after = lambda method, _path: method == "POST" and not never.wait(3600)
    operation = service.started()
    until(lambda: fake.batches, what="the batch at the provider")
    service.server.kill_worker()
    fake.after = lambda _method, _path: False
    never.set()
    fake.seen.append(("restart", ""))
    service.server.start_worker()

    # It looks for the batch, which tells whose it is when it has ended.
    until(lambda: ("GET", BATCHES) in fake.seen, what="a search")
    service.restart_worker()
    fake.release()

    # Among the answers.
    until(lambda: len(service.written(operation)) > 5, what="the first rows")
    service.restart_worker()
    ended = service.caller.ended(operation)
    result = ended["result"]
    assert (ended["state"], ended["attempt"] > 1) == ("succeeded", True)
    assert (service.created(), len(fake.batches)) == (1, 1)
    assert set(Counter(fake.paid).values()) == {1}
    assert result["outcomes"] == {"ok": result["calls"]}
    assert result["dollars"] == pytest.approx(BILL * result["calls"])
    spent = service.caller.read(service.path)["spent"]["dollars"]
    assert spent == pytest.approx(result["dollars"])
    found = service.written(operation)
    assert len({row["text"] for row in found}) == len(found)

    gone = service.caller.ended(service.caller.delete(service.path).json())
    assert gone["result"]["batches"] == {"erased": 1, "left": []}
    assert fake.batches == {}
    logs = service.server.logs()
    assert KEY not in logs
    assert "data name=" not in logs
    assert not any(row["text"] in logs for row in found)
