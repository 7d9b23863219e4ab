"""A language model behind the real worker: what it writes, costs, refuses and is spared."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.made_texts import rows, task
from tests.e2e.running import Caller
from tests.e2e.server import Server, serving, until
from tests.messages_server import (
    KEY,
    Handler,
    MessagesServer,
    Seen,
    message,
    messages_server,
    variations,
)

pytestmark = pytest.mark.slow

REFUSED = "weather"
BILL = (700 * 0.10 + 300 * 0.50) / 1_000_000
"""Dollars for one answer of the scripted server, at the list price of the default model."""

SEED = re.compile(r'<data name="seed">\n(.*?)\n</data>', re.DOTALL)
COUNT = re.compile(r"^Write (\d+) messages")
KILLS = 3


@dataclass(kw_only=True)
class Service:
    """A server with a key whose Messages API is on this machine; the script is its model."""

    server: Server
    caller: Caller
    messages: MessagesServer
    model: Model
    logs: list[str] = field(default_factory=list)

    def asked(self, since: int) -> list[str]:
        """The seeds that the model was asked to vary."""
        return [seed_of(seen) for seen in self.messages.requests[since:]]


@dataclass(kw_only=True)
class Model:
    """Answers as asked; slowly, and with refusals of one class, where a test sets that."""

    refuses: bool = False
    seconds: float = 0.0

    def __call__(self, handler: Handler) -> None:
        seen = handler.fake.requests[-1]
        handler.fake.closing.wait(self.seconds)
        if self.refuses and f'class "{REFUSED.title()}"' in seen.prompt:
            details = {"type": "refusal", "category": "violent_speech"}
            handler.json(200, message(None, stop_reason="refusal", stop_details=details))
            return
        handler.json(200, message(variations(written(seen))))


def seed_of(seen: Seen) -> str:
    found = SEED.search(seen.prompt)
    assert found is not None
    return str(json.loads(found[1]))


def written(seen: Seen) -> Sequence[str]:
    """As many texts as the prompt asks for; the same prompt gets the same."""
    asked = COUNT.search(seen.prompt)
    assert asked is not None
    mark = hashlib.sha256(seed_of(seen).encode()).hexdigest()[:8]
    return [f"have you heard of number {n} in house {mark}?" for n in range(int(asked[1]))]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    model = Model()
    with (
        messages_server(model) as messages,
        serving(
            tmp_path_factory.mktemp("anthropic"),
            anthropic_api_key=KEY,
            anthropic_base_url=messages.url,
        ) as server,
        server.caller() as caller,
    ):
        yield Service(server=server, caller=caller, messages=messages, model=model)


def labelled(caller: Caller, **settings: object) -> str:
    """The path of a session with 150 labels, whose generator is the default one."""
    chosen = {"encoder": "hashing", "oracle": "gold", "variations": 3, **settings}
    document = {"name": "paid", "task": task(), "settings": chosen}
    path = f"/v1/sessions/{caller.made('/v1/sessions', document)['id']}"
    added = caller.made(f"{path}/items", {"items": rows(400, split="pool", seed=0)})
    assert caller.ended(added["operation"])["state"] == "succeeded"
    batch = caller.made(f"{path}/select", {"size": 150})
    caller.made(f"{path}/label", {"oracle": "gold", "batch_id": batch["id"]})
    return path


def rows_of(caller: Caller, path: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """What an operation wrote."""
    params = {"operation_id": operation["id"], "limit": "500"}
    listed = caller.read(f"{path}/generations", params=params)
    assert not listed["has_more"]
    found: list[dict[str, Any]] = listed["data"]
    return found


def test_with_a_key_the_default_generator_is_anthropic_and_its_bills_are_told(
    service: Service,
) -> None:
    path = labelled(service.caller)
    before = len(service.messages.requests)
    ended = service.caller.waited(f"{path}/generate")
    result = ended["result"]
    assert (result["generator"], result["note"], result["stopped"]) == ("anthropic", None, None)
    assert result["outcomes"] == {"ok": result["calls"]}
    assert len(service.asked(before)) == result["calls"] > 10
    assert result["dollars"] == pytest.approx(BILL * result["calls"])
    cost = service.caller.read(f"{path}/metrics")["cost"]
    assert cost["total_dollars"] == pytest.approx(result["dollars"])
    assert [row["dollars"] for row in cost["operations"]] == pytest.approx([result["dollars"]])
    assert service.caller.read(path)["spent"]["dollars"] == pytest.approx(result["dollars"])


def test_written_rows_carry_the_model_the_request_and_the_prompts_hash(service: Service) -> None:
    path = labelled(service.caller)
    ended = service.caller.waited(f"{path}/generate")
    found = rows_of(service.caller, path, ended)
    assert len(found) == ended["result"]["asked"]
    assert {row["generator"] for row in found} == {"anthropic"}
    assert {row["model"] for row in found} == {"claude-haiku-5-5"}
    assert all(row["request_id"].startswith("req_") for row in found)
    assert len({row["prompt_sha256"] for row in found}) == ended["result"]["calls"]


def test_refusals_are_counted_by_class_and_cost_what_they_cost(service: Service) -> None:
    path = labelled(service.caller)
    service.model.refuses = True
    try:
        ended = service.caller.waited(f"{path}/generate")
    finally:
        service.model.refuses = False
    result = ended["result"]
    seeds = Counter(row["labels"][0] for row in rows_of(service.caller, path, ended))
    refused = result["refused_by_class"][REFUSED]
    assert seeds[REFUSED] == 0
    assert result["outcomes"] == {"ok": result["calls"] - refused, "refused": refused}
    assert result["refused_by_class"] == {REFUSED: refused}
    cost = service.caller.read(f"{path}/metrics")["cost"]
    assert cost["refused_by_class"][REFUSED] == refused > 0
    assert cost["total_dollars"] == pytest.approx(BILL * result["calls"])


def test_a_dry_run_prices_the_worst_case_and_asks_nobody(service: Service) -> None:
    path = labelled(service.caller)
    before = len(service.messages.requests)
    plan = service.caller.made(f"{path}/generate", {"dry_run": True})
    assert plan["generator"] == "anthropic"
    assert plan["dollars"] > BILL * plan["calls"]
    assert len(service.messages.requests) == before


def test_a_budget_too_small_ends_the_operation_and_keeps_what_was_written(
    service: Service,
) -> None:
    plan = service.caller.made(f"{labelled(service.caller)}/generate", {"dry_run": True})
    limit = 2 * plan["dollars"] / plan["calls"]
    path = labelled(service.caller, budget={"dollars": limit})
    before = len(service.messages.requests)
    ended = service.caller.waited(f"{path}/generate")
    result = ended["result"]
    paid = result["outcomes"]["ok"]
    assert (ended["state"], result["stopped"]) == ("succeeded", "budget-exceeded")
    assert 0 < paid < result["seeds"]
    assert result["outcomes"]["over_budget"] == 1
    assert len(service.asked(before)) == paid
    assert len(rows_of(service.caller, path, ended)) == result["proposed"] + result["dropped"] > 0
    spent = service.caller.read(f"{path}/metrics")["cost"]["total_dollars"]
    assert spent == pytest.approx(BILL * paid)
    assert spent <= limit


def test_an_operation_may_have_a_limit_of_its_own(service: Service) -> None:
    path = labelled(service.caller)
    plan = service.caller.made(f"{path}/generate", {"dry_run": True})
    wish = {"max_dollars": plan["dollars"] / plan["calls"] / 2}
    ended = service.caller.waited(f"{path}/generate", wish)
    assert ended["result"]["stopped"] == "budget-exceeded"
    assert ended["result"]["dollars"] == 0
    assert rows_of(service.caller, path, ended) == []


def test_a_killed_worker_pays_for_no_finished_seed_again(service: Service) -> None:
    path = labelled(service.caller)
    service.model.seconds = 0.2
    begun = len(service.messages.requests)
    operation = service.caller.made(f"{path}/generate")
    try:
        finished = [kill(service, path, operation, chance) for chance in chances()]
    finally:
        service.model.seconds = 0.0
    ended = service.caller.ended(operation)
    result = ended["result"]
    assert (ended["state"], ended["attempt"]) == ("succeeded", 1 + KILLS)
    for requests, seeds in finished:
        assert seeds
        assert not seeds & set(service.asked(requests))
    asked = service.asked(begun)
    assert result["calls"] <= len(asked) <= result["calls"] + KILLS
    found = rows_of(service.caller, path, ended)
    assert len({row["text"] for row in found}) == len(found) == result["asked"]
    lost = result["dollars"] - BILL * result["calls"]
    worst = service.caller.made(f"{path}/generate", {"dry_run": True})
    assert -1e-9 <= lost <= KILLS * 2 * worst["dollars"] / worst["calls"]


def chances() -> Iterator[random.Random]:
    for number in range(KILLS):
        yield random.Random(number)


def kill(
    service: Service, path: str, operation: dict[str, Any], chance: random.Random
) -> tuple[int, set[str]]:
    """Kill the worker among the next calls and start it again; how many requests there had
    been, and the seeds whose variations were stored."""
    wanted = len(service.messages.requests) + chance.randint(3, 7)
    until(lambda: len(service.messages.requests) >= wanted, what="calls")
    service.messages.closing.wait(chance.uniform(0.0, 0.25))
    service.server.kill_worker()
    seen = service.caller.read(f"/v1/operations/{operation['id']}")
    assert seen["state"] == "running"
    requests = len(service.messages.requests)
    stored = {row["seed_item_id"] for row in rows_of(service.caller, path, operation)}
    items = service.caller.read(f"{path}/items", params={"limit": "500"})["data"]
    service.server.start_worker()
    return requests, {row["text"] for row in items if row["id"] in stored}


def test_neither_the_key_nor_a_prompt_is_in_the_logs(service: Service) -> None:
    path = labelled(service.caller)
    before = len(service.messages.requests)
    service.caller.waited(f"{path}/generate")
    logs = service.server.logs()
    assert service.asked(before)
    assert KEY not in logs
    assert "data name=" not in logs
    assert all(seed not in logs for seed in service.asked(before))
