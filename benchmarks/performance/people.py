"""What sixteen people labelling at once wait for, on two API processes over one database."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import httpx2
import numpy as np

from benchmarks.performance.serving import TENANT, key, prepared, serving
from benchmarks.performance.table import Row
from core.records import Choice, LabelClass, NewItem, PeopleSettings, Session, SessionSettings, Task
from core.requests import NewSession, SelectRequest
from runtime.settings import load_settings
from runtime.tailwise import Tailwise

ITEMS = 5_000
PEOPLE = 16
OVERLAP = 2
THINKING = (1.0, 3.0)
ABANDONED = 0.05
LEASE = 30
WORKING_SECONDS = 75.0
SATURATED_SECONDS = 15.0
SERVER_ERRORS = 500


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the people saw; ``waits`` are seconds of a claim and its answer together."""

    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: int = 0
    abandoned: int = 0


def run() -> list[Row]:
    """Claim and label with pauses to think, then as fast as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "TAILWISE_DATA_DIR": folder,
            "TAILWISE_METRICS_PORT": "0",
            "TAILWISE_WEB_PROCESSES": "2",
            "TAILWISE_MAX_BATCH": str(ITEMS),
            "TAILWISE_REQUESTS_PER_MINUTE": "0",
        }
        settings = load_settings(given)
        tailwise = prepared(settings)
        session = _waiting(tailwise)
        tokens = [key(tailwise, {"annotate"})[1] for _ in range(PEOPLE)]
        with serving(settings) as url:
            calm = _work(url, session, tokens, seconds=WORKING_SECONDS, thinking=THINKING)
            eager = _work(url, session, tokens, seconds=SATURATED_SECONDS, thinking=None)
        _check(tailwise, session, (calm, eager))
    return [*_rows(calm), _saturation(eager)]


def _waiting(tailwise: Tailwise) -> Session:
    """A session whose 5,000 items wait for two answers each."""
    classes = tuple(LabelClass(id=name, name=name) for name in ("calm", "urgent"))
    settings = SessionSettings(
        encoder=Choice(name="hashing"),
        clusterer=Choice(name="kmeans", options={"count": 20}),
        people=PeopleSettings(overlap=OVERLAP, lease_s=LEASE),
    )
    new = NewSession(name="people", task=Task(classes=classes), settings=settings)
    session = tailwise.create_session(TENANT, new)
    rows = [NewItem(external_id=str(n), text=f"message number {n}") for n in range(ITEMS)]
    for start in range(0, ITEMS, 1_000):
        part = rows[start : start + 1_000]
        tailwise.add_items(session, part, on_conflict="error", mode="atomic")
    tailwise.jobs.run_waiting()  # type: ignore[attr-defined]
    session = tailwise.session(TENANT, session.id)
    request = SelectRequest(size=ITEMS, strategy=Choice(name="random"), min_distance=0)
    tailwise.select(session, request, request_key=None)
    return session


def _work(
    url: str,
    session: Session,
    tokens: list[str],
    *,
    seconds: float,
    thinking: tuple[float, float] | None,
) -> Tally:
    tallies = [Tally() for _ in tokens]
    until = time.monotonic() + seconds

    def person(number: int) -> None:
        rng = np.random.default_rng(number)
        headers = {"Authorization": f"Bearer {tokens[number]}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
            for lease, claim in _leases(client, session, tallies[number], until=until):
                if thinking is not None:
                    time.sleep(rng.uniform(*thinking))
                    if rng.random() < ABANDONED:
                        _abandon(client, session, lease, tallies[number], rng=rng)
                        continue
                _answer(client, session, lease, tallies[number], rng=rng, claim=claim)

    threads = [threading.Thread(target=person, args=(n,)) for n in range(len(tokens))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _joined(tallies)


def _leases(
    client: httpx2.Client, session: Session, tally: Tally, *, until: float
) -> Iterator[tuple[dict[str, Any], float]]:
    """Leases, each with the seconds its claim took."""
    path = f"/v1/sessions/{session.id}/leases"
    while time.monotonic() < until:
        start = time.perf_counter()
        answer = client.post(path, json={"count": 1})
        took = time.perf_counter() - start
        tally.statuses[answer.status_code] += 1
        yield from ((lease, took) for lease in answer.json().get("assignments", []))


def _answer(
    client: httpx2.Client,
    session: Session,
    lease: dict[str, Any],
    tally: Tally,
    *,
    rng: np.random.Generator,
    claim: float,
) -> None:
    label = {
        "item_id": lease["item"]["id"],
        "label": "urgent" if rng.random() < 0.2 else "calm",
        "assignment_id": lease["id"],
        "lease_token": lease["lease_token"],
        "client_label_id": lease["id"],
    }
    path = f"/v1/sessions/{session.id}/label"
    start = time.perf_counter()
    answer = client.post(path, json={"labels": [label]})
    tally.waits.append(claim + time.perf_counter() - start)
    tally.statuses[answer.status_code] += 1
    tally.accepted += answer.json().get("accepted", 0)


def _abandon(
    client: httpx2.Client,
    session: Session,
    lease: dict[str, Any],
    tally: Tally,
    *,
    rng: np.random.Generator,
) -> None:
    """Half give the item back; the others walk away from it until its lease has run out."""
    tally.abandoned += 1
    if rng.random() < 0.5:
        path = f"/v1/sessions/{session.id}/assignments/{lease['id']}/release"
        client.post(path, json={"lease_token": lease["lease_token"]})
    else:
        time.sleep(LEASE + 1)


def _joined(tallies: list[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole.waits += tally.waits
        whole.statuses += tally.statuses
        whole.accepted += tally.accepted
        whole.abandoned += tally.abandoned
    return whole


def _check(tailwise: Tailwise, session: Session, tallies: tuple[Tally, ...]) -> None:
    """Every answer counted once, nobody twice on an item, no item past its overlap."""
    with tailwise.store.read() as tx:
        votes = tx.labels.votes(session.id)
    people = Counter((vote.item_id, vote.annotator_id) for vote in votes)
    answers = Counter(vote.item_id for vote in votes)
    assert len(votes) == sum(tally.accepted for tally in tallies), "answers were lost or doubled"
    assert max(people.values()) == 1, "somebody answered an item twice"
    assert max(answers.values()) <= OVERLAP, "an item was answered too often"
    worst = max(status for tally in tallies for status in tally.statuses)
    assert worst < SERVER_ERRORS, f"the server answered {worst}"


def _rows(calm: Tally) -> Iterator[Row]:
    note = (
        f"{PEOPLE} people, 1 to 3 s to think, {len(calm.waits)} answers, "
        f"{calm.abandoned} leases given up"
    )
    yield Row(
        name="claim + label, median", ours_seconds=median(calm.waits), target="≤ 0.05 s", note=note
    )
    worst = quantiles(calm.waits, n=20)[-1]
    yield Row(name="claim + label, 95 %", ours_seconds=worst, target="≤ 0.25 s", note=note)


def _saturation(eager: Tally) -> Row:
    rate = eager.accepted / SATURATED_SECONDS
    return Row(
        name="claim + label without pauses, median",
        ours_seconds=median(eager.waits),
        note=f"saturated: {rate:.0f} answers a second by {PEOPLE} people",
    )
