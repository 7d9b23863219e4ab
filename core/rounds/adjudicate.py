"""Adjudicate: somebody decides what several people answered differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase

from core.answers import check_labels, complete_batch
from core.blinding import names_of
from core.errors import Conflict
from core.events import announce
from core.people import Vote
from core.ports import Clock, Ids, Repositories, Store
from core.records import Item, ItemState, LabelEvent, Labels, Page, Session
from core.settling import look, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """One person's answer. ``who`` is a letter; the rest of who it was is None until it is
    decided, and ``name`` stays None for a key."""

    who: str
    labels: Labels
    note: str | None
    annotator_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contested:
    """An item that people answered differently."""

    item: Item
    answers: tuple[GivenAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An adjudication, and whose answers it was about."""

    item_state: ItemState
    label_id: str
    answers: tuple[GivenAnswer, ...]


def conflicts(session: Session, page: Page, *, store: Store) -> Sequence[Contested]:
    """Items in conflict by position, with their answers and without names."""
    with store.read() as tx:
        items = tx.items.list(session.id, page, state="conflict", split="pool")
        votes = _votes(tx, session, [item.id for item in items])
    return [Contested(item=i, answers=_answers(votes[i.id])) for i in items]


def adjudicate(
    session: Session,
    item_id: str,
    labels: Labels | None,
    *,
    note: str | None,
    adjudicator: str,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> Decided:
    """Decide an item in conflict, which may complete its batch.

    Raises NotFound ``unknown-item``, InvalidInput as for any answer, Conflict
    ``no-conflict`` or ``session-not-open``.
    """
    decided = check_labels(labels, task=session.task)
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        item = tx.items.get(session.id, item_id)
        _refuse(current, item)
        batch = tx.batches.containing(session.id, [item.id]).get(item.id)
        event = LabelEvent(
            id=ids.new("lab"),
            tenant_id=session.tenant_id,
            session_id=session.id,
            item_id=item.id,
            seq=tx.labels.watermark(session.id) + 1,
            kind="created",
            labels=decided,
            oracle="adjudicated",
            annotator_id=adjudicator,
            client_label_id=None,
            batch_id=batch.id if batch else None,
            target_id=None,
            guidelines_version=current.guidelines_version,
            note=note,
            duration_ms=None,
            status="on_time",
            created_at=clock.now(),
        )
        _decide(tx, current, event, clock=clock, ids=ids)
        if batch is not None:
            complete_batch(tx, current, batch, clock=clock)
        votes = _votes(tx, session, [item.id])[item.id]
        names = names_of(tx, session, [vote.annotator_id for vote in votes])
    answers = tuple(
        replace(answer, annotator_id=vote.annotator_id, name=names.get(vote.annotator_id))
        for answer, vote in zip(_answers(votes), votes, strict=True)
    )
    return Decided(item_state="resolved", label_id=event.id, answers=answers)


def _refuse(session: Session, item: Item) -> None:
    if session.state not in {"open", "paused"}:
        raise Conflict(
            f"decisions need an open session; this one is {session.state}",
            code="session-not-open",
            extras={"state": session.state},
        )
    if item.state != "conflict":
        raise Conflict(
            f"the item is {item.state}; there is nothing to decide",
            code="no-conflict",
            extras={"state": item.state},
        )


def _decide(
    tx: Repositories, session: Session, event: LabelEvent, *, clock: Clock, ids: Ids
) -> None:
    tx.labels.add_many([event])
    settle(tx, session, look(tx, session, [event.item_id]), clock=clock, ids=ids)
    announce(
        tx,
        session,
        "item.resolved",
        {"item_id": event.item_id, "batch_id": event.batch_id, "labels": list(event.labels)},
        clock=clock,
    )


def _votes(
    tx: Repositories, session: Session, item_ids: Sequence[str]
) -> Mapping[str, Sequence[Vote]]:
    found: dict[str, list[Vote]] = defaultdict(list)
    for vote in tx.labels.votes(session.id, item_ids):
        found[vote.item_id].append(vote)
    return found


def _answers(votes: Sequence[Vote]) -> tuple[GivenAnswer, ...]:
    """Without names, lettered by arrival; a letter says nothing about who it is."""
    return tuple(
        GivenAnswer(who=_letter(place), labels=vote.labels, note=vote.note)
        for place, vote in enumerate(votes)
    )


def _letter(place: int) -> str:
    """A to Z, then A2, B2, ..."""
    turn, place = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn + 1) if turn else "")
