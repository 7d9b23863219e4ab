"""A worker killed at random points: it resumes, and nobody can tell from what it leaves."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from core.ports import Repositories
from core.records import Generation, Page, Session
from tests.e2e.databases import Database
from tests.e2e.made_texts import rows, task
from tests.e2e.running import Caller
from tests.e2e.server import Server, serving, until

pytestmark = pytest.mark.slow

Kills = Mapping[str, Sequence[int]]

KILLS: Mapping[str, Kills] = {
    "sqlite": {"index": (2, 3, 2), "generate": (2, 3, 2), "retrain": (1, 2, 3)},
    "postgresql": {"index": (0, 2), "generate": (2,), "retrain": (2,)},
}
"""Kills by operation: an operation whose worker died five times would be given up. Files and
arithmetic are the same on both; on PostgreSQL there are as many kills as see each kind twice."""
ADDED = 600
"""Items per index operation, about: three checkpoints of the cache."""

ALL = Page(limit=100_000)
SETTINGS = {
    "oracle": "gold",
    "review": "screened",
    "review_sample": 0.2,
    "learner": {"name": "linear", "options": {"choose_c": True}},
    "variations": 4,
    "seed": 7,
}

During = Callable[[str, int, str], None]
"""(kind, its number, operation id): what happens while an operation runs."""


@dataclass(kw_only=True)
class Killer:
    """Kills the worker at random points of an operation, and counts what that hit.

    The points are spread over the operation: over its units of work where it counts them,
    else over the seconds (``lasted``) that it took in the undisturbed run.
    """

    server: Server
    caller: Caller
    chance: random.Random
    lasted: Mapping[tuple[str, int], float]
    plan: Kills
    kills: int = 0
    hits: list[str] = field(default_factory=list)

    def __call__(self, kind: str, number: int, operation_id: str) -> None:
        wanted = self.plan[kind][number]
        for round in range(wanted):
            before = self._see(operation_id)["attempt"] if round else 0
            share = (round + self.chance.random()) / wanted
            point = partial(self._reached, operation_id, before, 0 if kind == "retrain" else share)
            until(point, what="the operation to get there")
            rest = share * self.lasted[kind, number] if kind == "retrain" else 0.3
            time.sleep(self.chance.uniform(0.0, rest))
            self.server.kill_worker()
            self.kills += 1
            left = self._see(operation_id)
            if left["state"] == "running":
                phase = left["progress"]
                self.hits.append(f"{kind} {phase['phase']} {phase['done']}/{phase['total']}")
            self.server.start_worker()

    def _reached(self, operation_id: str, before: int, share: float) -> bool:
        """Whether an attempt after ``before`` has done that share of the operation's work."""
        found = self._see(operation_id)
        if found["done"] or found["attempt"] <= before:
            return bool(found["done"])
        progress = found["progress"]
        work = min(progress["total"], ADDED)
        begun = progress["phase"] in {"embed", "generate"}
        return share == 0 or (begun and progress["done"] >= progress["total"] - work * (1 - share))

    def _see(self, operation_id: str) -> dict[str, Any]:
        return self.caller.read(f"/v1/operations/{operation_id}")


@dataclass(kw_only=True)
class Story:
    """One session driven through every operation; ``lasted`` fills as it goes."""

    caller: Caller
    during: During
    plan: Kills
    lasted: dict[tuple[str, int], float] = field(default_factory=dict)
    attempts: dict[tuple[str, int], int] = field(default_factory=dict)
    session_id: str = ""

    def run(self) -> None:
        made = self.caller.made(
            "/v1/sessions", {"name": "kills", "task": task(), "settings": SETTINGS}
        )
        self.session_id = made["id"]
        for number in range(len(self.plan["index"])):
            self._add(number)
        seeds = self._label(600)
        for number in range(len(self.plan["generate"])):
            part = seeds[number :: len(self.plan["generate"])]
            self._operate("generate", number, {"item_ids": part, "generator": "perturb"})
        for number in range(len(self.plan["retrain"])):
            self._label(300)
            self._operate("retrain", number, {})

    def _add(self, number: int) -> None:
        new = rows(ADDED - 90, split="pool", seed=number)
        new += rows(90, split="test", seed=100 + number)
        added = self.caller.made(f"{self._path}/items", {"items": new})
        self._finish("index", number, added["operation"])

    def _label(self, size: int) -> list[str]:
        """The items of a batch that gold answered, rare classes only."""
        batch = self.caller.made(f"{self._path}/select", {"size": size})
        self.caller.made(f"{self._path}/label", {"oracle": "gold", "batch_id": batch["id"]})
        listed = self.caller.read(
            f"{self._path}/items", params={"batch_id": batch["id"], "limit": "200"}
        )
        return [row["id"] for row in listed["data"] if row["labels"] != ["garden"]]

    def _operate(self, kind: str, number: int, document: Mapping[str, Any]) -> None:
        self._finish(kind, number, self.caller.made(f"{self._path}/{kind}", document))

    def _finish(self, kind: str, number: int, operation: Mapping[str, Any]) -> None:
        self.during(kind, number, operation["id"])
        ended = self.caller.ended(operation)
        assert ended["state"] == "succeeded", ended["error"]
        begun, done = (datetime.fromisoformat(ended[f]) for f in ("started_at", "finished_at"))
        self.lasted[kind, number] = (done - begun).total_seconds()
        self.attempts[kind, number] = ended["attempt"]

    @property
    def _path(self) -> str:
        return f"/v1/sessions/{self.session_id}"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """Both stories, and what is stored of each."""

    plain: dict[str, Any]
    killed: dict[str, Any]
    story: Story
    killer: Killer
    plan: Kills


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Ran]:
    """The same story in two tenants, which share no cached vector: calm, then with kills."""
    plan, chance = KILLS[database.kind], random.Random(20)
    told = {"requests_per_minute": 0, "encoder_threads": 1, **database.settings}
    with serving(tmp_path_factory.mktemp("kills"), **told) as server:
        with server.caller() as caller:
            calm = Story(caller=caller, during=lambda *_: None, plan=plan)
            calm.run()
        with server.caller(server.tenant_token("second")) as caller:
            killer = Killer(
                server=server, caller=caller, chance=chance, lasted=calm.lasted, plan=plan
            )
            story = Story(caller=caller, during=killer, plan=plan)
            story.run()
        server.stop()
        plain, killed = (_stored(server, each.session_id) for each in (calm, story))
        yield Ran(plain=plain, killed=killed, story=story, killer=killer, plan=plan)


def test_the_worker_was_killed_as_planned_and_mostly_in_the_middle(ran: Ran) -> None:
    print("hits:", len(ran.killer.hits), ran.killer.hits)  # noqa: T201 -- shown with -s
    planned = sum(map(sum, ran.plan.values()))
    must_hit = planned * 3 // 5
    assert ran.killer.kills == planned
    assert len(ran.killer.hits) >= must_hit
    assert sum(attempt - 1 for attempt in ran.story.attempts.values()) >= must_hit
    assert {hit.split()[0] for hit in ran.killer.hits} == set(ran.plan)


def test_a_killed_index_ends_with_the_same_arrays(ran: Ran) -> None:
    assert ran.killed["index"] == ran.plain["index"]
    assert ran.killed["items"] == ran.plain["items"]


def test_a_killed_generate_ends_with_the_same_texts_in_the_same_order(ran: Ran) -> None:
    assert len(ran.plain["generations"]) > 100
    assert ran.killed["generations"] == ran.plain["generations"]


def test_a_killed_retrain_ends_with_the_same_models(ran: Ran) -> None:
    assert len(ran.plain["models"]) == len(ran.plan["retrain"])
    assert ran.killed["models"] == ran.plain["models"]


def test_nothing_happened_twice(ran: Ran) -> None:
    assert ran.killed["labels"] == ran.plain["labels"]
    assert ran.killed["results"] == ran.plain["results"]
    assert ran.killed["events"] == ran.plain["events"]


def _stored(server: Server, session_id: str) -> dict[str, Any]:
    """What two runs of one story must agree on: everything but ids and times."""
    with server.store() as store, store.read() as tx:
        tenants = [
            key.tenant_id for t in ("default", "second") for key in tx.access.list_keys(t, ALL)
        ]
        session = next(s for t in tenants for s in tx.sessions.list(t, ALL) if s.id == session_id)
        return _facts(tx, session)


def _facts(tx: Repositories, session: Session) -> dict[str, Any]:
    items = tx.items.list(session.id, ALL)
    names = {item.id: item.external_id for item in items}
    index = tx.indexes.latest(session.id)
    assert index is not None
    operations = tx.operations.list(session.tenant_id, ALL, session_id=session.id)
    return {
        "index": (index.sequence, index.rows, index.cluster_count, index.centroids, index.shards),
        "items": [(i.external_id, i.position, i.split, i.state, i.labels) for i in items],
        "generations": [_written(row, names) for row in tx.generations.list(session.id, ALL)],
        "models": [
            (m.version, m.state, m.onnx, m.metrics, m.label_watermark, m.human_counts, m.revision)
            for m in tx.models.all(session.id)
        ],
        "labels": [
            (e.seq, names[e.item_id], e.kind, e.labels) for e in tx.labels.list(session.id, ALL)
        ],
        "results": [(o.kind, o.state, _plain(o.result or {})) for o in operations],
        "events": [
            (e.sequence, e.type, _plain(e.data))
            for e in tx.events.list(session.id, after=0, limit=100_000)
        ],
    }


def _written(row: Generation, names: Mapping[str, str]) -> tuple[Any, ...]:
    screens = [(s.check, s.passed, s.value, names.get(s.match_id or "")) for s in row.screens]
    lineage = (names[row.seed_item_id], row.attributes, row.contrast, row.prompt_sha256)
    return (row.text, row.labels, row.state, row.needs_review, screens, lineage)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without ids, which no two runs share."""
    return {k: v for k, v in document.items() if not k.endswith(("_id", "operation"))}
