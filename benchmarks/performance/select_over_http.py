"""How long a select takes over HTTP on a real server, at 100,000 items."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, product
from statistics import median

import httpx2

from benchmarks.performance.serving import TENANT, key, prepared, serving
from benchmarks.performance.table import Row, seconds
from core.access import SCOPES
from core.records import Choice, LabelClass, NewItem, Session, SessionSettings, Task
from core.requests import NewSession, RetrainRequest, SelectRequest
from runtime.settings import Settings, load_settings
from runtime.tailwise import Tailwise

ITEMS = 100_000
LABELLED = 600
BATCH = 50
REPEATS = 15
CLASSES = ("north", "south", "east", "west", "up", "down")
WORDS = ("river", "hill", "stone", "cloud", "field", "lamp", "road", "bridge", "door", "tree")


def run() -> list[Row]:
    """Select 50 of 100,000 scored items by the default strategy, over HTTP and in process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"TAILWISE_DATA_DIR": folder, "TAILWISE_METRICS_PORT": "0"})
        tailwise = prepared(settings)
        session = _scored(tailwise)
        inside = _median(partial(_select_inside, tailwise, session))
        with _serving(settings, tailwise) as client:
            outside = _median(partial(_select_outside, client, session))
    return [
        Row(
            name=f"POST /select, {BATCH} of {ITEMS:,} items, over HTTP",
            ours_seconds=outside,
            reference_seconds=inside,
            ratio=outside / inside,
            target="≤ 0.1 s",
            note="reference: the same verb in process, database included",
        )
    ]


def _scored(tailwise: Tailwise) -> Session:
    """A session with every item embedded (hashed n-grams), clustered and scored."""
    new = NewSession(
        name="benchmark",
        task=Task(classes=tuple(LabelClass(id=name, name=name) for name in CLASSES)),
        settings=SessionSettings(
            encoder=Choice(name="hashing"),
            clusterer=Choice(name="kmeans", options={"count": 100}),
            oracle=Choice(name="gold"),
        ),
    )
    session = tailwise.create_session(TENANT, new)
    rows = list(_items())
    for start in range(0, len(rows), 1_000):
        part = rows[start : start + 1_000]
        tailwise.add_items(session, part, on_conflict="error", mode="atomic")
    tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
    session = tailwise.session(TENANT, session.id)
    request = SelectRequest(size=LABELLED, strategy=Choice(name="random"))
    batch = tailwise.select(session, request, request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
    return session


def _items() -> Iterator[NewItem]:
    """Distinct six-word texts; the class follows from the first word or two."""
    phrases = product(WORDS, repeat=5)
    for number, words in zip(range(ITEMS), phrases, strict=False):
        place = (WORDS.index(words[0]) + WORDS.index(words[1]) // 4) % len(CLASSES)
        yield NewItem(
            external_id=str(number), text=" ".join((*words, str(number))), gold=(CLASSES[place],)
        )


def _select_inside(tailwise: Tailwise, session: Session) -> float:
    """Seconds of one select; its batch is given back."""
    batch: list[str] = []

    def work() -> None:
        request = SelectRequest(size=BATCH)
        batch.append(tailwise.select(session, request, request_key=None).batch.id)

    took = seconds(work)
    tailwise.cancel_batch(session, batch[0])
    return took


def _select_outside(client: httpx2.Client, session: Session) -> float:
    """Seconds of one POST /select; its batch is given back."""
    path = f"/v1/sessions/{session.id}"
    answers: list[httpx2.Response] = []

    def work() -> None:
        headers = {"Idempotency-Key": f"select-{next(_KEYS)}"}
        answers.append(client.post(f"{path}/select", json={"size": BATCH}, headers=headers))

    took = seconds(work)
    answers[0].raise_for_status()
    client.post(f"{path}/batches/{answers[0].json()['id']}/cancel").raise_for_status()
    return took


_KEYS = count()


def _median(work: partial[float]) -> float:
    work()
    return median(work() for _ in range(REPEATS))


@contextmanager
def _serving(settings: Settings, tailwise: Tailwise) -> Iterator[httpx2.Client]:
    """The web half of the service on a free port, and a client with a key."""
    _, token = key(tailwise, SCOPES)
    headers = {"Authorization": f"Bearer {token}"}
    with (
        serving(settings) as url,
        httpx2.Client(base_url=url, headers=headers, timeout=30) as client,
    ):
        yield client
