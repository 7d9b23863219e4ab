"""Quality: how people agree, how they do on check items, and how the work goes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from core.agreement import Agreement, agreement, agreement_by_label
from core.people import Vote
from core.ports import Clock, Repositories, Store
from core.records import Labels, Session

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckScore:
    """Answers to check items, and how many were the known label."""

    answered: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChecks:
    """One person's answers to check items; ``name`` is None for a key or somebody unknown."""

    annotator_id: str
    name: str | None
    score: CheckScore


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """For leads. ``disagreements`` are (label, other label, items) of differing pairs of
    answers, most frequent first; ``answered`` are people's answers of the last hour and day,
    ``median_ms`` how long those of the day took."""

    agreement: Agreement
    by_label: Mapping[str, Agreement]
    disagreements: tuple[tuple[str, str, int], ...]
    checks: CheckScore
    checks_by_label: Mapping[str, CheckScore]
    checks_by_person: tuple[PersonChecks, ...]
    skipped: int
    flags_open: int
    flags_by_reason: Mapping[str, int]
    answered_hour: int
    answered_day: int
    median_ms: float | None


def quality(session: Session, *, store: Store, clock: Clock) -> Quality:
    """What a lead needs to know about the people's answers; speed and exposure only as sums."""
    now = clock.now()
    with store.read() as tx:
        votes = tx.labels.votes(session.id)
        checks = tx.labels.checks(session.id)
        known = tx.items.gold(session.id, sorted({check.item_id for check in checks}))
        people = _people(tx, checks)
        skipped = len(tx.labels.declines(session.id))
        flags = tx.flags.counts(session.id)
        answers = tx.labels.given_since(session.id, since=now - DAY)
    took = [milliseconds for _, milliseconds in answers if milliseconds is not None]
    reasons: Counter[str] = Counter()
    for (_, reason), number in flags.items():
        reasons[reason] += number
    class_ids = session.task.class_ids
    return Quality(
        agreement=agreement(votes),
        by_label=agreement_by_label(votes, class_ids),
        disagreements=_disagreements(votes),
        checks=_score(checks, known),
        checks_by_label={
            label: _score([c for c in checks if label in known.get(c.item_id, ())], known)
            for label in class_ids
        },
        checks_by_person=tuple(
            PersonChecks(
                annotator_id=person,
                name=name,
                score=_score([c for c in checks if c.annotator_id == person], known),
            )
            for person, name in people.items()
        ),
        skipped=skipped,
        flags_open=sum(number for (state, _), number in flags.items() if state == "open"),
        flags_by_reason=reasons,
        answered_hour=sum(given >= now - HOUR for given, _ in answers),
        answered_day=len(answers),
        median_ms=float(median(took)) if took else None,
    )


def _score(checks: Sequence[Vote], known: Mapping[str, Labels]) -> CheckScore:
    """A check whose known label was taken away since counts no longer."""
    judged = [check for check in checks if check.item_id in known]
    right = sum(set(check.labels) == set(known[check.item_id]) for check in judged)
    return CheckScore(answered=len(judged), right=right)


def _people(tx: Repositories, checks: Sequence[Vote]) -> dict[str, str | None]:
    ids = sorted({check.annotator_id for check in checks})
    found = {person_id: tx.people.get_person(person_id) for person_id in ids}
    return {person_id: person.name if person else None for person_id, person in found.items()}


def _disagreements(votes: Sequence[Vote]) -> tuple[tuple[str, str, int], ...]:
    """Which labels are taken for which: each item counts once per pair of differing answers."""
    answers: dict[str, set[str]] = defaultdict(set)
    for vote in votes:
        answers[vote.item_id].add(" + ".join(vote.labels) or "none")
    pairs: Counter[tuple[str, str]] = Counter()
    for given in answers.values():
        ordered = sorted(given)
        pairs.update((a, b) for n, a in enumerate(ordered) for b in ordered[n + 1 :])
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((one, other, number) for (one, other), number in ranked)
