"""Where a random baseline comes from: a second simulated session over the same texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from core.ports import Repositories
from core.records import Options, Page, Session
from core.report_models import curve_with_intervals

SIMULATED = "gold"
AT_RANDOM = "random"
PAGE_ROWS = 200
MOST_SESSIONS = 2_000
"""Sessions of a tenant that are looked through; more would make a page wait."""
MOST_BASELINES = 5
COMPARED_ROWS = 40
"""Evenly spaced rows whose text hashes must agree."""

REAL = (
    "There is no random baseline in a session that people label: nobody labelled random "
    "picks, so how a random choice would have done is not known. Sessions whose answers are "
    "known beforehand (the gold oracle) can be compared with a second one that picks at random."
)
ITSELF = "This simulated session picks at random itself: its own line is the random baseline."
NONE_YET = (
    "There is no random baseline yet: no other simulated session over these texts picks at "
    "random. Make one over the same file with the strategy 'random' and the same settings, "
    "or run 'tailwise demo', which plays both."
)
FOUND = (
    "The random baseline was played, not guessed: it comes from another simulated session "
    "over the same texts and test rows, which picks at random."
)


def random_baseline(tx: Repositories, session: Session, *, alone: bool) -> Options:
    """The curves of the sessions that pick at random from the same texts, and ``why``.

    ``alone`` keeps to this session, for a caller who may see no other.
    """
    if session.settings.oracle.name != SIMULATED:
        return {"simulated": False, "why": REAL, "sessions": []}
    if session.settings.strategy.name == AT_RANDOM:
        return {"simulated": True, "why": ITSELF, "sessions": []}
    found = [] if alone else [_curve(tx, twin) for twin in _twins(tx, session)]
    played = [row for row in found if row["models"]][:MOST_BASELINES]
    return {"simulated": True, "why": FOUND if played else NONE_YET, "sessions": played}


def _curve(tx: Repositories, twin: Session) -> dict[str, Any]:
    rows = curve_with_intervals(tx.models.all(twin.id))["models"]
    names = ("version", "labels", "macro_f1", "interval", "evaluated_on")
    return {
        "session_id": twin.id,
        "name": twin.name,
        "models": [{name: row[name] for name in names} for row in rows if row["macro_f1"]],
    }


def _twins(tx: Repositories, session: Session) -> Iterator[Session]:
    """Simulated sessions that pick at random and whose rows are this session's."""
    size = _size(tx, session)
    sample = np.linspace(0, max(sum(size.values()) - 1, 0), COMPARED_ROWS).astype(int).tolist()
    mine = _hashes(tx, session, sample)
    for other in _sessions(tx, session.tenant_id):
        if (
            _plays_at_random(other, beside=session)
            and _size(tx, other) == size
            and _hashes(tx, other, sample) == mine
        ):
            yield other


def _sessions(tx: Repositories, tenant_id: str) -> Iterator[Session]:
    after: str | None = None
    for _ in range(MOST_SESSIONS // PAGE_ROWS):
        rows = tx.sessions.list(tenant_id, Page(limit=PAGE_ROWS, after=after))
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].id


def _plays_at_random(other: Session, *, beside: Session) -> bool:
    """Whether only the choice of texts differs: same classes, encoder, learner and oracle."""
    mine, its = beside.settings, other.settings
    return (
        other.id != beside.id
        and its.strategy.name == AT_RANDOM
        and its.oracle == mine.oracle
        and its.encoder == mine.encoder
        and its.learner == mine.learner
        and other.task.class_ids == beside.task.class_ids
        and other.task.kind == beside.task.kind
    )


def _size(tx: Repositories, session: Session) -> dict[str, int]:
    """Rows by split, whatever became of them."""
    sizes: dict[str, int] = {}
    for key, number in tx.items.counts(session.id).items():
        split = key.partition("/")[0]
        sizes[split] = sizes.get(split, 0) + number
    return sizes


def _hashes(tx: Repositories, session: Session, sample: Sequence[int]) -> dict[int, str]:
    found = tx.items.by_positions(session.id, sample)
    return {position: item.text_hash for position, item in found.items()}
