"""Which items a person may be given, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import sqlalchemy as sa

from adapters.store.column_types import UtcTime
from adapters.store.labels import PERSONAL
from adapters.store.tables import assignments, batch_items, batches, items, label_events
from core.people import CLOSED, UNDONE

Sort: TypeAlias = Literal["undone", "new", "let_go"]
SORTS: Final[tuple[Sort, ...]] = ("undone", "new", "let_go")
"""What the person took an answer back from, never had, or handed back or lost; in this order."""

MINE = assignments.alias("mine")
OTHERS = assignments.alias("others")
SAID, VOTE, LATER, UNDO = map(label_events.alias, ("said", "vote", "later", "undo"))
"""Made once: an alias costs more than the statement that uses it."""


SESSION, WHO, BATCH = (sa.bindparam(name, type_=sa.Text) for name in ("session", "who", "batch"))
NOW, MOST = sa.bindparam("now", type_=UtcTime), sa.bindparam("most", type_=sa.Integer)
AMONG: sa.BindParameter[Any] = sa.bindparam("among", expanding=True)
SPOKEN: sa.BindParameter[Any] = sa.bindparam("spoken", expanding=True)
"""What differs from call to call. A query is built once for each of its shapes, because that
takes longer than running it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """Who asks for work, where and when; ``languages`` () = any."""

    session_id: str
    annotator_id: str
    now: datetime
    languages: Sequence[str] = ()
    avoid_topics: Sequence[str] = ()

    def given(self) -> dict[str, Any]:
        """What the queries ask for by name."""
        spoken = [name.lower() for name in self.languages]
        named = {"session": self.session_id, "who": self.annotator_id, "now": self.now}
        return {**named, "spoken": spoken} if spoken else named


def live(table: Any) -> sa.ColumnElement[bool]:
    """Held, and the end lies ahead."""
    return sa.and_(table.c.state == "leased", table.c.expires_at > NOW)


def lost(table: Any) -> sa.ColumnElement[bool]:
    """Released, or never answered in time."""
    over = sa.and_(table.c.state == "leased", table.c.expires_at <= NOW)
    return sa.or_(table.c.state == "released", over)


LET_GO = sa.select(assignments.c.item_id, assignments.c.reason).where(
    assignments.c.session_id == SESSION,
    assignments.c.annotator_id == WHO,
    assignments.c.state.in_(("released", "leased")),
    lost(assignments),
)
"""(item id, why) of what the person handed back, lost, or took an answer back from."""


@cache
def open_items(*, sort: Sort, among: bool, spoken: bool, facts: bool) -> sa.Select[Any]:
    """Items of ``BATCH`` with room for one more answer that this person may be given, in the
    batch's order.

    The conditions name ``items``, so that SQLite looks at an item's state before it asks
    them: most items of an old batch have their answers. ``among`` looks only at ``AMONG``.
    """
    query = (
        _select(batch_items.c.item_id, facts=facts)
        .select_from(batch_items.join(items, items.c.id == batch_items.c.item_id))
        .where(batch_items.c.batch_id == BATCH, items.c.state == "selected")
        .order_by(batch_items.c.ordinal)
    )
    if among:
        query = query.where(batch_items.c.item_id.in_(AMONG))
    had = sa.exists().where(_mine())
    undone = sa.func.coalesce(MINE.c.reason, "") == UNDONE
    if sort == "new":
        query = query.where(~had)
    else:
        query = query.where(had.where(lost(MINE), undone if sort == "undone" else ~undone))
    room = _votes() + _held_by_others() < batch_items.c.answers_needed
    return _spoken(query.where(~_said(), room), spoken=spoken)


@cache
def leased_items(*, in_batch: bool, spoken: bool, facts: bool) -> sa.Select[Any]:
    """Items of open batches that others hold, and that this person might be given but for them.

    It begins with the leases that run, which are few, however many items there are.
    """
    held = OTHERS.join(items, items.c.id == OTHERS.c.item_id)
    here = sa.and_(batch_items.c.session_id == SESSION, batch_items.c.item_id == items.c.id)
    placed = held.join(batch_items, here).join(batches, batches.c.id == batch_items.c.batch_id)
    query = (
        _select(OTHERS.c.item_id, facts=facts)
        .select_from(placed)
        .where(
            OTHERS.c.session_id == SESSION,
            OTHERS.c.annotator_id != WHO,
            live(OTHERS),
            items.c.state == "selected",
            batches.c.state == "open",
            ~sa.exists().where(_mine(), ~lost(MINE)),
            ~_said(),
            _votes() < batch_items.c.answers_needed,
        )
    )
    query = query.where(batches.c.id == BATCH) if in_batch else query
    return _spoken(query, spoken=spoken)


@cache
def check_items(*, among: bool, spoken: bool, facts: bool) -> sa.Select[Any]:
    """Check items the person has not answered, skipped or flagged, by position."""
    mine = sa.exists().where(_mine())
    done = mine.where(MINE.c.state.in_(CLOSED))
    undone = mine.where(MINE.c.state == "released", MINE.c.reason == UNDONE).label("taken_back")
    query = _select(items.c.id.label("item_id"), undone, facts=facts).where(
        items.c.session_id == SESSION,
        items.c.split == "check",
        items.c.state == "pooled",
        ~done,
        ~_said(),
    )
    if among:
        query = query.where(items.c.id.in_(AMONG))
    return _spoken(query.order_by(undone.desc(), items.c.position), spoken=spoken)


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


def _select(*columns: Any, facts: bool) -> sa.Select[Any]:
    """``facts`` adds the item's metadata, for what SQL cannot ask of it."""
    return sa.select(*columns, *([items.c.metadata.label("facts")] if facts else []))


def _spoken(query: sa.Select[Any], *, spoken: bool) -> sa.Select[Any]:
    return query.where(sa.func.lower(items.c.lang).in_(SPOKEN)) if spoken else query


def _mine() -> sa.ColumnElement[bool]:
    """The person's assignment of the item."""
    return sa.and_(
        MINE.c.session_id == SESSION, MINE.c.item_id == items.c.id, MINE.c.annotator_id == WHO
    )


def _said() -> sa.ColumnElement[bool]:
    """Whether a word of the person stands that came without a lease."""
    return sa.exists().where(
        SAID.c.session_id == SESSION,
        SAID.c.item_id == items.c.id,
        SAID.c.annotator_id == WHO,
        SAID.c.kind.in_((*PERSONAL, "check")),
        ~_undone(SAID),
    )


def _held_by_others() -> sa.ColumnElement[int]:
    held = sa.select(sa.func.count()).where(
        OTHERS.c.session_id == SESSION,
        OTHERS.c.item_id == items.c.id,
        OTHERS.c.annotator_id != WHO,
        live(OTHERS),
    )
    return held.correlate(items).scalar_subquery()


def _votes() -> sa.ColumnElement[int]:
    """How many people's answers to an item stand and count."""
    replaced = sa.exists().where(
        LATER.c.session_id == SESSION,
        LATER.c.item_id == VOTE.c.item_id,
        LATER.c.annotator_id == VOTE.c.annotator_id,
        LATER.c.seq > VOTE.c.seq,
        LATER.c.kind.in_(PERSONAL),
        ~_undone(LATER),
    )
    query = sa.select(sa.func.count()).where(
        VOTE.c.session_id == SESSION,
        VOTE.c.item_id == items.c.id,
        VOTE.c.kind == "vote",
        VOTE.c.status != "unsolicited",
        ~_undone(VOTE),
        ~replaced,
    )
    return query.correlate(items).scalar_subquery()


def _undone(event: Any) -> sa.ColumnElement[bool]:
    return sa.exists().where(UNDO.c.target_id == event.c.id, UNDO.c.kind == "undone")
