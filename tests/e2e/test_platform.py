"""A moderation platform that knows the service by its client and its signed webhooks alone.

It answers every batch in an order of its own, by callback or by its key, and what comes out
is what the gold oracle would have brought about.
"""

from __future__ import annotations

import csv
import gzip
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from tailwise_client import Event, NewLabel, Tailwise, verify
from tests.e2e.running import ALL_SCOPES, Running, running

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[3] / "shared" / "data" / "edos5.csv.gz"
POOL, TEST, BATCH, ROUNDS = 600, 150, 30, 3
CLASSES = ("not_sexist", "derogation", "animosity", "prejudiced_discussions", "threats")
PATIENCE = 60.0


@dataclass(kw_only=True)
class Platform:
    """Holds the true labels, hears of batches, and has them answered in a shuffled order."""

    labels: Mapping[str, str]
    client: Tailwise
    chance: random.Random
    secret: str = ""
    heard: Queue[Event] = field(default_factory=Queue)
    by_callback: int = 0

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """What the webhook's route does: believe only what is signed, and answer later."""
        self.heard.put(verify(headers, body, self.secret))

    def next_batch(self) -> Event:
        while True:
            event = self.heard.get(timeout=PATIENCE)
            if event.type == "batch.ready":
                return event

    def answer(self, event: Event, *, by_callback: bool) -> None:
        session = self.client.session(event.data["session_id"])
        picks = list(session.batch(event.data["batch_id"]).items)
        self.chance.shuffle(picks)
        answers = [
            NewLabel(
                external_id=pick.external_id,
                labels=[self.labels[pick.external_id]],
                client_label_id=f"{event.data['batch_id']}-{pick.external_id}",
            )
            for pick in picks
        ]
        for start in range(0, len(answers), 7):
            part = answers[start : start + 7]
            if by_callback:
                url = event.data["callback_url"]
                done = self.client.answer_callback(url, part, secret=self.secret)
                self.by_callback += done.accepted
            else:
                done = session.label(part, annotator_id="moderator-7")
            assert done.rejected == 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a session's rounds came to."""

    picks: Sequence[Sequence[str]]
    counts: Sequence[Mapping[str, int]]
    scores: Sequence[float]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """Pool and test rows, drawn by a fixed seed."""
    if not DATA.exists():
        pytest.skip("the data set edos5 is not on this machine")
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream))
    chance = random.Random(7)
    pool = chance.sample([row for row in found if row["split"] == "train"], POOL)
    test = chance.sample([row for row in found if row["split"] == "test"], TEST)
    return [
        {"external_id": row["id"], "text": row["text"], "gold": row["label"], "split": split}
        for part, split in ((pool, "pool"), (test, "test"))
        for row in part
    ]


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[int, list[Platform]]]:
    """The port of the platform's webhook route; the list holds the platform once it is there."""
    platforms: list[Platform] = []

    class Route(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            platforms[0].receive(dict(self.headers), body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Route)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, platforms
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def server(
    receiver: tuple[int, list[Platform]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    allowed = f"127.0.0.1:{receiver[0]}"
    data = tmp_path_factory.mktemp("platform") / "data"
    with running(data, webhook_allow=allowed) as started:
        yield started


def session_of(client: Tailwise, file: Path, *, oracle: str) -> Any:
    settings = {"oracle": oracle, "seed": 11, "batch_size": BATCH}
    session = client.create_session(oracle, labels=CLASSES, settings=settings)
    session.upload(file)
    return session


def played(client: Tailwise, session: Any, answer: Any) -> Outcome:
    picks, counts, scores = [], [], []
    labels: Counter[str] = Counter()
    for _ in range(ROUNDS):
        batch = session.select()
        answer(batch)
        picks.append([pick.external_id for pick in batch.items])
        operation = client.wait(session.retrain(), timeout=120)
        model = session.model(operation.result["model_id"])
        labels = Counter(model.human_counts)
        counts.append(dict(labels))
        scores.append(model.metrics["macro_f1"])
    return Outcome(picks=picks, counts=counts, scores=scores)


def test_three_rounds_by_webhook_are_those_of_the_gold_oracle(
    rows: list[dict[str, str]],
    receiver: tuple[int, list[Platform]],
    server: Running,
    tmp_path: Path,
) -> None:
    file = tmp_path / "messages.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    key = server.key(*ALL_SCOPES)
    with Tailwise(server.url, key) as client:
        gold = session_of(client, file, oracle="gold")
        expected = played(client, gold, lambda batch: gold.ask_oracle(batch.id))

        truth = {row["external_id"]: row["gold"] for row in rows}
        platform = Platform(labels=truth, client=client, chance=random.Random(3))
        receiver[1].append(platform)
        human = session_of(client, file, oracle="human")
        endpoint = client.create_endpoint(
            f"http://127.0.0.1:{receiver[0]}/tailwise", session_id=human.id
        )
        platform.secret = endpoint.secret or ""

        def by_webhook(batch: Any) -> None:
            event = platform.next_batch()
            assert event.data["batch_id"] == batch.id
            platform.answer(event, by_callback=batch.round != 2)

        found = played(client, human, by_webhook)
        feed = [event.type for event in human.events()]

    assert found.picks == expected.picks
    assert found.counts == expected.counts
    assert found.scores == pytest.approx(expected.scores, abs=1e-9)
    assert platform.by_callback == 2 * BATCH
    assert feed.count("batch.completed") == ROUNDS


def test_the_port_of_the_platform_is_the_only_one_allowed(server: Running) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{other.getsockname()[1]}/"
        answer = server.caller().post("/v1/webhook-endpoints", {"url": url}, key=None)
    assert (answer.status_code, answer.json()["code"]) == (422, "url-not-allowed")
