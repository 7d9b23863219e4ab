"""How a batch gets its answers: from a program or person at hand, or from people elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, TypeAlias

from tailwise_client.asking import NewLabel, Skip
from tailwise_client.binding import collected
from tailwise_client.errors import Conflict, Problem, TimedOut, error_for
from tailwise_client.records.pool import Item
from tailwise_client.records.rounds import Batch, LabelRow
from tailwise_client.steps import Flow, invoke, pause
from tailwise_client.verbs.session import SessionVerbs

Given: TypeAlias = str | Sequence[str] | Skip
Annotate: TypeAlias = (
    Literal["oracle"] | Callable[[Item], Given] | Callable[[Item], Awaitable[Given]]
)

NOT_NEEDED = frozenset(
    {
        "already-labelled",
        "batch-closed",
        "client-label-id-reused",
        "item-excluded",
        "item-not-selected",
        "overlap-reached",
    }
)
"""Somebody else was quicker, or this run's answer arrived before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How people are waited for: a look every so many seconds, for so long (None = ever)."""

    every_s: float = 2.0
    timeout_s: float | None = None

    def looks(self) -> Iterator[int]:
        """One per look that is left."""
        if self.timeout_s is None:
            return iter(count())
        return iter(range(1 + int(self.timeout_s / self.every_s)))


@dataclass(slots=True, kw_only=True)
class Answers:
    """What became of this run's answers."""

    accepted: int = 0
    skipped: int = 0
    refused: int = 0

    def add(self, row: LabelRow) -> None:
        if row.error is not None:
            self.refused += 1
        elif row.status == "skipped":
            self.skipped += 1
        elif row.status != "replayed":
            self.accepted += 1


def answer_batch(
    session: SessionVerbs,
    batch: Batch,
    *,
    annotate: Annotate | None,
    fresh: bool,
    save_every: int,
    patience: Patience,
) -> Flow[Answers]:
    """Ask ``annotate`` about every item that waits, then wait for what others still owe."""
    answers = Answers()
    if annotate == "oracle":
        yield from _asked(session, batch, answers)
    elif annotate is not None and batch.state == "open":
        given = yield from _given_before(session, batch, fresh=fresh)
        waiting = yield from _waiting(session, batch)
        pending: list[NewLabel] = []
        for item in waiting:
            if item.id in given.standing:
                continue
            told = yield from invoke(annotate, item)
            pending.append(_answer(batch, item, told, again=given.undone.get(item.id, 0)))
            if len(pending) >= save_every:
                yield from _save(session, pending, answers)
                pending = []
        yield from _save(session, pending, answers)
    yield from _completed(session, batch, patience)
    return answers


def _asked(session: SessionVerbs, batch: Batch, answers: Answers) -> Flow[None]:
    """The session's own oracle, until it was asked about everything."""
    chosen = (yield from session.get()).settings["oracle"]
    name = chosen["name"] if isinstance(chosen, Mapping) else str(chosen)
    while batch.state == "open":
        result = yield from session.ask_oracle(batch.id, oracle=name)
        for row in result.results:
            answers.add(row)
        if not result.remaining:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """Items that an earlier run answered, and how often such an answer was undone."""

    standing: frozenset[str]
    undone: dict[str, int]


def _given_before(session: SessionVerbs, batch: Batch, *, fresh: bool) -> Flow[_Before]:
    if fresh:
        return _Before(standing=frozenset(), undone={})
    events = yield from collected(session.labels())
    ours = {e.id: e.item_id for e in events if (e.client_label_id or "").startswith(batch.id)}
    undone: dict[str, int] = {}
    for event in events:
        if event.kind == "undone" and event.target_id in ours:
            item_id = ours.pop(event.target_id)
            undone[item_id] = undone.get(item_id, 0) + 1
    return _Before(standing=frozenset(ours.values()), undone=undone)


def _waiting(session: SessionVerbs, batch: Batch) -> Flow[list[Item]]:
    """Items without their answer, in the order in which they were picked."""
    items = yield from collected(session.items(batch_id=batch.id))
    place = {pick.id: n for n, pick in enumerate(batch.items)}
    waiting = [item for item in items if item.state == "selected" and item.id in place]
    return sorted(waiting, key=lambda item: place[item.id])


def _answer(batch: Batch, item: Item, told: Given, *, again: int) -> NewLabel:
    """Its id follows from batch and item, so that no run of the loop doubles it."""
    id = f"{batch.id}:{item.id}" + (f":{again}" if again else "")
    if isinstance(told, Skip):
        return NewLabel(
            item_id=item.id,
            batch_id=batch.id,
            client_label_id=id,
            skip=True,
            note=told.reason,
        )
    labels = [told] if isinstance(told, str) else list(told)
    return NewLabel(item_id=item.id, batch_id=batch.id, client_label_id=id, labels=labels)


def _save(session: SessionVerbs, pending: Sequence[NewLabel], answers: Answers) -> Flow[None]:
    """Store answers; what nobody needs any more is counted, any other refusal is raised."""
    try:
        result = yield from session.label(pending)
    except Conflict as refusal:
        if refusal.code not in NOT_NEEDED:
            raise
        answers.refused += 1
        return
    for row in result.results:
        answers.add(row)
        if row.error is not None and row.error.code not in NOT_NEEDED:
            raise error_for(
                Problem(
                    status=422,
                    code=row.error.code,
                    detail=row.error.detail,
                    errors=(row.error,),
                    extras=row.extras,
                )
            )


def _completed(session: SessionVerbs, batch: Batch, patience: Patience) -> Flow[None]:
    """Until the batch is not open any more."""
    for _ in patience.looks():
        now = yield from session.batch(batch.id)
        if now.state != "open":
            return
        yield from pause(patience.every_s)
    raise TimedOut(f"batch {batch.id} still waits for answers")
