"""A server killed at random points while labels arrive: what it acknowledged, it has, once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from pysqlite3 import dbapi2

from tests.e2e.databases import Database
from tests.e2e.made_texts import SUBJECTS, rows, task
from tests.e2e.running import Caller
from tests.e2e.server import Server, serving, until
from tests.postgres import Postgres

pytestmark = pytest.mark.slow

KILLS = {"sqlite": 20, "postgresql": 6}
"""Fewer where every start has to ask a database server first; what differs there is that the
dead server's transactions are somebody else's to end."""

CLIENTS = 4
PATIENCE = 180.0
RETRY_SECONDS = 0.2
MOST_POSTS = 12
"""Requests that may be answered between two kills."""

SETTINGS = {"encoder": "hashing", "oracle": "human", "batch_size": 1000}
CLASSES = tuple(SUBJECTS)

Answer = dict[str, Any]


@dataclass(kw_only=True)
class Client:
    """Labels its own share of the items, a few at a time; sends again what was not answered.

    ``acknowledged`` are the stored rows by ``client_label_id``. ``cut`` counts requests that
    had reached the server when it died, ``lost`` answers that were stored although their
    acknowledgement never arrived.
    """

    caller: Caller
    path: str
    items: Sequence[str]
    chance: random.Random
    stopping: threading.Event
    name: str
    busy: bool = False
    sent: dict[str, Answer] = field(default_factory=dict)
    acknowledged: dict[str, Answer] = field(default_factory=dict)
    watermark: int = 0
    posts: int = 0
    cut: int = 0
    lost: int = 0

    def work(self) -> None:
        """Until told to stop; the last answers are sent until they are acknowledged."""
        waiting = list(self.items)
        while not self.stopping.wait(self.chance.uniform(0.0, 0.05)):
            if not waiting or (self.sent and self.chance.random() < 0.1):
                self._repeat()
                continue
            count = self.chance.randint(1, 5)
            mine, waiting = waiting[:count], waiting[count:]
            self._label([self._answer(item) for item in mine])

    def _answer(self, item: str) -> Answer:
        name = f"{self.name}-{len(self.sent)}"
        label = self.chance.choice(CLASSES)
        self.sent[name] = {"item_id": item, "label": label, "client_label_id": name}
        return self.sent[name]

    def _label(self, answers: list[Answer]) -> None:
        tries, result = self._post(answers)
        assert result["rejected"] == 0, result
        if tries == 1:
            assert result["accepted"] == len(answers), result
        self.lost += result["replayed"]
        self._keep(answers, result)

    def _repeat(self) -> None:
        """Send something again that was acknowledged: nothing may come of it."""
        before = self.acknowledged[self.chance.choice(list(self.acknowledged))]
        answer = self.sent[before["client_label_id"]]
        _, result = self._post([answer])
        assert result["replayed"] == 1, result
        assert result["results"][0]["label_id"] == before["label_id"]
        assert result["label_watermark"] >= self.watermark

    def _keep(self, answers: list[Answer], result: Answer) -> None:
        assert result["label_watermark"] >= self.watermark + result["accepted"]
        self.watermark = result["label_watermark"]
        for answer, row in zip(answers, result["results"], strict=True):
            name = answer["client_label_id"]
            self.acknowledged[name] = {**row, "client_label_id": name}

    def _post(self, answers: list[Answer]) -> tuple[int, Answer]:
        """(tries, the result) of one request that is sent until it is answered."""
        document = {"labels": answers, "allow_unsolicited": True}
        tries = 0

        def acknowledged() -> Answer | None:
            nonlocal tries
            tries += 1
            return self._try(document)

        result: Answer = until(acknowledged, seconds=PATIENCE, what="an acknowledgement")
        return tries, result

    def _try(self, document: Answer) -> Answer | None:
        self.busy = True
        try:
            answer = self.caller.post(f"{self.path}/label", document, key=None)
        except httpx.ConnectError:
            threading.Event().wait(RETRY_SECONDS)
            return None
        except httpx.TransportError:
            self.cut += 1
            return None
        finally:
            self.busy = False
        self.posts += 1
        assert answer.status_code == 200, answer.text
        found: Answer = answer.json()
        return found


@dataclass(frozen=True, kw_only=True)
class Ran:
    """The clients after their work, what the server then answered, and the hits: how many
    requests each kill cut off."""

    clients: Sequence[Client]
    hits: Sequence[int]
    events: list[Answer]
    feed: list[Answer]
    items: dict[str, Answer]
    batches: list[Answer]
    kills: int
    damage: list[str]

    @property
    def acknowledged(self) -> dict[str, Answer]:
        return {k: v for client in self.clients for k, v in client.acknowledged.items()}

    @property
    def sent(self) -> dict[str, Answer]:
        return {k: v for client in self.clients for k, v in client.sent.items()}


@pytest.fixture(scope="module")
def ran(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: Database
) -> Iterator[Ran]:
    folder, kills = tmp_path_factory.mktemp("server"), KILLS[database.kind]
    with serving(folder, requests_per_minute=0, **database.settings) as server:
        with server.caller() as caller:
            path, items = pool(caller)
        with labelling(server, path, items) as clients:
            hits = kill_again_and_again(server, clients, times=kills)
        with server.caller() as caller:
            found = {
                "events": everything(caller, f"{path}/labels"),
                "feed": everything(caller, f"{path}/events"),
                "items": {row["id"]: row for row in everything(caller, f"{path}/items")},
                "batches": everything(caller, f"{path}/batches"),
            }
        server.stop()
        if database.shared:
            damage = left_open(request.getfixturevalue("postgres"), database.settings)
        else:
            damage = broken(server.data_dir.glob("*.sqlite"))
        yield Ran(clients=clients, hits=hits, kills=kills, damage=damage, **found)


def pool(caller: Caller) -> tuple[str, list[str]]:
    """A session of some thousand items, a part of them in two open batches."""
    session = caller.made("/v1/sessions", {"name": "kills", "task": task(), "settings": SETTINGS})
    path = f"/v1/sessions/{session['id']}"
    for number in range(4):
        new = rows(990, split="pool", seed=number)
        added = caller.made(f"{path}/items", {"items": new})
    assert caller.ended(added["operation"])["state"] == "succeeded"
    for size in (40, 900):
        caller.made(f"{path}/select", {"size": size, "allow_parallel": True})
    listed = everything(caller, f"{path}/items")
    return path, [row["id"] for row in sorted(listed, key=lambda r: r["state"] != "selected")]


@contextmanager
def labelling(server: Server, path: str, items: Sequence[str]) -> Iterator[list[Client]]:
    """Clients at work, each in its own thread; afterwards all that they sent is answered."""
    stopping = threading.Event()
    clients = [
        Client(
            caller=Caller(server.url, server.token),
            path=path,
            items=items[number::CLIENTS],
            chance=random.Random(number),
            stopping=stopping,
            name=f"client{number}",
        )
        for number in range(CLIENTS)
    ]
    with ThreadPoolExecutor(CLIENTS) as threads:
        work = [threads.submit(client.work) for client in clients]
        try:
            yield clients
        finally:
            stopping.set()
    for client in clients:
        client.caller.http.close()
    for done in work:
        done.result()


def kill_again_and_again(server: Server, clients: Sequence[Client], *, times: int) -> list[int]:
    """How many requests each kill cut off."""
    chance = random.Random(20)
    hits = []
    for _ in range(times):
        wanted = total(clients, "posts") + chance.randint(1, MOST_POSTS)
        until(lambda n=wanted: total(clients, "posts") >= n, what="labels")
        threading.Event().wait(chance.uniform(0.0, 0.1))
        before = total(clients, "cut")
        until(lambda: any(client.busy for client in clients), what="a request")
        server.kill_api()
        server.start_api()
        hits.append(total(clients, "cut") - before)
        with server.caller() as caller:
            ready = caller.get("/readyz")
        assert ready.status_code == 200, ready.text
    return hits


def total(clients: Sequence[Client], figure: str) -> int:
    return sum(getattr(client, figure) for client in clients)


def everything(caller: Caller, path: str) -> list[Answer]:
    """All rows of a listing or a feed."""
    found: Answer = {"has_more": True}
    rows_read: list[Answer] = []
    params = {"limit": "500"}
    while found["has_more"]:
        found = caller.read(path, params=params)
        rows_read += found["data"]
        place = "cursor" if "next_cursor" in found else "after"
        params[place] = str(found[f"next_{place}"])
    return rows_read


def broken(paths: Iterable[Path]) -> list[str]:
    """What SQLite finds wrong with its files, of which there are two."""
    verdicts = {}
    for path in paths:
        with closing(dbapi2.connect(str(path))) as connection:
            verdicts[path.name] = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    assert set(verdicts) == {"app.sqlite", "jobs.sqlite"}
    return [f"{name}: {verdict}" for name, verdict in verdicts.items() if verdict != "ok"]


def left_open(postgres: Postgres, settings: Mapping[str, object]) -> list[str]:
    """Databases in which a transaction of a dead process still holds its locks."""
    return [name for name, url in settings.items() if postgres.left_open(str(url))]


def test_the_server_was_killed_again_and_again_with_labels_on_their_way(ran: Ran) -> None:
    figures = {
        "requests cut off by each kill": list(ran.hits),
        "requests answered": total(ran.clients, "posts"),
        "stored, acknowledgement lost": total(ran.clients, "lost"),
        "labels": len(ran.events),
    }
    print(figures)  # noqa: T201 -- shown with -s
    assert len(ran.hits) == ran.kills
    assert sum(count > 0 for count in ran.hits) >= ran.kills * 3 // 5, figures
    assert len(ran.acknowledged) > 10 * ran.kills


def test_every_acknowledged_label_is_stored_as_it_was_sent(ran: Ran) -> None:
    stored = {event["client_label_id"]: event for event in ran.events}
    for name, row in ran.acknowledged.items():
        answer, event = ran.sent[name], stored[name]
        assert event["id"] == row["label_id"]
        assert event["item_id"] == answer["item_id"]
        assert event["labels"] == [answer["label"]]


def test_no_label_is_stored_twice(ran: Ran) -> None:
    names = Counter(event["client_label_id"] for event in ran.events)
    items = Counter(event["item_id"] for event in ran.events)
    assert set(names.values()) == set(items.values()) == {1}
    assert set(names) == set(ran.sent)


def test_the_watermark_counts_every_label_without_a_gap(ran: Ran) -> None:
    assert [event["seq"] for event in ran.events] == list(range(1, len(ran.events) + 1))
    assert max(client.watermark for client in ran.clients) <= len(ran.events)
    by_id = {event["id"]: event["seq"] for event in ran.events}
    for client in ran.clients:
        seqs = [by_id[row["label_id"]] for row in client.acknowledged.values()]
        assert seqs == sorted(seqs)
        assert client.watermark >= seqs[-1]


def test_items_and_batches_agree_with_the_labels(ran: Ran) -> None:
    labels = {event["item_id"]: event["labels"] for event in ran.events}
    for item in ran.items.values():
        assert item["labels"] == labels.get(item["id"])
        assert (item["state"] == "resolved") == (item["id"] in labels)
    for batch in ran.batches:
        left = [i for i in batch["items"] if i["id"] not in labels]
        assert batch["state"] == ("open" if left else "completed")


def test_the_feed_tells_of_every_label_once(ran: Ran) -> None:
    assert [event["sequence"] for event in ran.feed] == list(range(1, len(ran.feed) + 1))
    added = [event["data"] for event in ran.feed if event["type"] == "labels.added"]
    assert sum(data["count"] for data in added) == len(ran.events)
    assert added[-1]["label_watermark"] == len(ran.events)


def test_the_databases_are_sound(ran: Ran) -> None:
    assert ran.damage == []
