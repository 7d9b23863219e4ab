"""Which items a person may be given, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import sqlalchemy as sa

from adapters.store.labels import PERSONAL
from adapters.store.tables import assignments, batch_items, items, label_events
from core.people import CLOSED, UNDONE

Sort: TypeAlias = Literal["undone", "new", "let_go"]
SORTS: Final[tuple[Sort, ...]] = ("undone", "new", "let_go")
"""What the person took an answer back from, never had, or handed back or lost; in this order."""

MINE = assignments.alias("mine")
OTHERS = assignments.alias("others")
SAID, VOTE, LATER, UNDO = map(label_events.alias, ("said", "vote", "later", "undo"))
"""Made once: an alias costs more than the statement that uses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """Who asks for work, where and when."""

    session_id: str
    annotator_id: str
    now: datetime


def live(table: Any, *, now: datetime) -> sa.ColumnElement[bool]:
    """Held, and the end lies ahead."""
    return sa.and_(table.c.state == "leased", table.c.expires_at > now)


def lost(table: Any, *, now: datetime) -> sa.ColumnElement[bool]:
    """Released, or never answered in time."""
    over = sa.and_(table.c.state == "leased", table.c.expires_at <= now)
    return sa.or_(table.c.state == "released", over)


def let_go(seeker: Seeker) -> sa.Select[Any]:
    """(item id, why) of what the person handed back, lost, or took an answer back from."""
    return sa.select(assignments.c.item_id, assignments.c.reason).where(
        assignments.c.session_id == seeker.session_id,
        assignments.c.annotator_id == seeker.annotator_id,
        assignments.c.state.in_(("released", "leased")),
        lost(assignments, now=seeker.now),
    )


def open_items(
    seeker: Seeker,
    batch_id: str,
    *,
    sort: Sort,
    among: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> sa.Select[Any]:
    """Items of a batch that wait for answers and that this person may be given, in its order.

    The conditions name ``items``, so that SQLite looks at an item's state before it asks
    them: most items of an old batch have their answers. ``among`` () = all items.
    """
    mine = sa.and_(
        MINE.c.session_id == seeker.session_id,
        MINE.c.item_id == items.c.id,
        MINE.c.annotator_id == seeker.annotator_id,
    )
    query = (
        sa.select(batch_items.c.item_id)
        .select_from(batch_items.join(items, items.c.id == batch_items.c.item_id))
        .where(batch_items.c.batch_id == batch_id, items.c.state == "selected")
        .order_by(batch_items.c.ordinal)
    )
    if among:
        query = query.where(batch_items.c.item_id.in_(among))
    had = sa.exists().where(mine)
    said = _said(seeker.session_id, seeker.annotator_id, items.c.id)
    if sort == "new":
        return _spoken(query.where(~had, ~said), languages)
    undone = sa.func.coalesce(MINE.c.reason, "") == UNDONE
    gone = had.where(lost(MINE, now=seeker.now), undone if sort == "undone" else ~undone)
    return _spoken(query.where(gone, ~said), languages)


def check_items(
    session_id: str, annotator_id: str, *, languages: Sequence[str] = ()
) -> sa.Select[Any]:
    """Check items the person has not answered, skipped or flagged, by position."""
    mine = sa.exists().where(
        MINE.c.session_id == session_id,
        MINE.c.item_id == items.c.id,
        MINE.c.annotator_id == annotator_id,
    )
    done = mine.where(MINE.c.state.in_(CLOSED))
    undone = mine.where(MINE.c.state == "released", MINE.c.reason == UNDONE).label("taken_back")
    query = sa.select(items.c.id.label("item_id"), undone).where(
        items.c.session_id == session_id,
        items.c.split == "check",
        items.c.state == "pooled",
        ~done,
        ~_said(session_id, annotator_id, items.c.id),
    )
    return _spoken(query.order_by(undone.desc(), items.c.position), languages)


def room_for(seeker: Seeker, *, leases: bool = True) -> sa.ColumnElement[bool]:
    """Whether answers given, and with ``leases`` those that others are about to give, leave
    room for this person's."""
    taken = _votes(seeker.session_id, items.c.id)
    if leases:
        held = sa.select(sa.func.count()).where(
            OTHERS.c.session_id == seeker.session_id,
            OTHERS.c.item_id == items.c.id,
            OTHERS.c.annotator_id != seeker.annotator_id,
            live(OTHERS, now=seeker.now),
        )
        taken = taken + held.correlate(items).scalar_subquery()
    return taken < batch_items.c.answers_needed


def wanted(facts: Mapping[str, Any] | None, avoid_topics: Sequence[str]) -> bool:
    """Whether an item's metadata names none of the topics; case makes no difference."""
    named = (facts or {}).get("topics") or ()
    topics = [named] if isinstance(named, str) else named
    avoided = {topic.casefold() for topic in avoid_topics}
    return not isinstance(topics, list | tuple) or not any(
        isinstance(topic, str) and topic.casefold() in avoided for topic in topics
    )


def sitting_of(
    worked: Iterable[Any], *, break_seconds: float
) -> tuple[datetime | None, int, datetime | None]:
    """(start, items, end) of the last sitting, from (claimed, ended) rows, latest first.

    It goes back to the last pause, and starts at that pause's end at the earliest: items may
    be claimed long before they are read.
    """
    started: datetime | None = None
    last: datetime | None = None
    later: datetime | None = None
    count = 0
    for claimed, ended in worked:
        if later is not None and (later - ended).total_seconds() >= break_seconds:
            rested = ended + timedelta(seconds=break_seconds)
            return (rested if started is None else max(started, rested)), count, last
        started, later, count = claimed, ended, count + 1
        last = ended if last is None else last
    return started, count, last


def _spoken(query: sa.Select[Any], languages: Sequence[str]) -> sa.Select[Any]:
    if not languages:
        return query
    return query.where(sa.func.lower(items.c.lang).in_([name.lower() for name in languages]))


def _said(
    session_id: str, annotator_id: str, item_id: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Whether a word of the person stands that came without a lease."""
    return sa.exists().where(
        SAID.c.session_id == session_id,
        SAID.c.item_id == item_id,
        SAID.c.annotator_id == annotator_id,
        SAID.c.kind.in_((*PERSONAL, "check")),
        ~_undone(SAID),
    )


def _votes(session_id: str, item_id: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    """How many people's answers to an item stand and count."""
    replaced = sa.exists().where(
        LATER.c.session_id == session_id,
        LATER.c.item_id == VOTE.c.item_id,
        LATER.c.annotator_id == VOTE.c.annotator_id,
        LATER.c.seq > VOTE.c.seq,
        LATER.c.kind.in_(PERSONAL),
        ~_undone(LATER),
    )
    query = sa.select(sa.func.count()).where(
        VOTE.c.session_id == session_id,
        VOTE.c.item_id == item_id,
        VOTE.c.kind == "vote",
        VOTE.c.status != "unsolicited",
        ~_undone(VOTE),
        ~replaced,
    )
    return query.correlate(items).scalar_subquery()


def _undone(event: Any) -> sa.ColumnElement[bool]:
    return sa.exists().where(UNDO.c.target_id == event.c.id, UNDO.c.kind == "undone")
