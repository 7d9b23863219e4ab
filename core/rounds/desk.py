"""Desk: what somebody who labels sees of a session, and the sessions they can work in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.access import Caller, allows
from core.errors import Gone, NotFound
from core.exposure import DAY
from core.ports import Clock, Repositories, Store
from core.records import Page, Session, SessionState

UNDOABLE: Final = 10
MOST_SESSIONS: Final = 500
SHOWN: Final[tuple[SessionState, ...]] = ("open", "paused", "closed", "draft")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asked for or set for themselves: languages, and topics not to see."""

    languages: tuple[str, ...] = ()
    avoid_topics: tuple[str, ...] = ()

    def filters(self) -> dict[str, Any]:
        """As keyword arguments of the queue's queries."""
        return {"languages": self.languages, "avoid_topics": self.avoid_topics}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """A person's own work in a session."""

    answered_24h: int
    held: int
    undoable: int
    open_batches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRow:
    """A session somebody can work in. ``review`` counts variations, None for who may not."""

    session: Session
    waiting: bool
    review: int | None = field(default=None)


def wishes(
    caller: Caller, *, languages: Sequence[str] = (), avoid_topics: Sequence[str] = ()
) -> Wishes:
    """The request's, and the person's own: topics add up, languages that are asked for win."""
    own: Mapping[str, Any] = caller.person.preferences if caller.person else {}
    mine = tuple(own.get("languages") or ())
    topics = (*avoid_topics, *(own.get("avoid_topics") or ()))
    return Wishes(languages=tuple(languages) or mine, avoid_topics=tuple(dict.fromkeys(topics)))


def mine(session: Session, annotator_id: str, *, store: Store, clock: Clock) -> Mine:
    """What the person did, holds and can take back."""
    now = clock.now()
    with store.read() as tx:
        seen = tx.assignments.exposure(
            session.id, annotator_id, since=now - DAY, break_seconds=DAY.total_seconds()
        )
        latest = tx.labels.by_annotator(session.id, annotator_id, limit=UNDOABLE)
        return Mine(
            answered_24h=seen.answered,
            held=len(tx.assignments.held(session.id, annotator_id, now=now)),
            undoable=sum(tx.labels.counts_now(session.id, event.id) for event in latest),
            open_batches=len(tx.batches.open(session.id)),
        )


def desks(caller: Caller, *, store: Store, clock: Clock) -> Sequence[DeskRow]:
    """The sessions the caller can work in, the open ones first, then by id."""
    with store.read() as tx:
        found = [session for state in SHOWN for session in _sessions(tx, caller, state=state)]
        return [_row(tx, caller, session, clock=clock) for session in found[:MOST_SESSIONS]]


def _sessions(tx: Repositories, caller: Caller, *, state: SessionState) -> Sequence[Session]:
    if caller.session_id is None:
        return tx.sessions.list(caller.tenant_id, Page(limit=MOST_SESSIONS), state=state)
    try:
        session = tx.sessions.get(caller.tenant_id, caller.session_id)
    except (NotFound, Gone):
        return []
    return [session] if session.state == state else []


def _row(tx: Repositories, caller: Caller, session: Session, *, clock: Clock) -> DeskRow:
    waits = session.state == "open" and bool(
        tx.assignments.held(session.id, caller.id, now=clock.now())
        or tx.assignments.claimable(
            session.id, caller.id, limit=1, now=clock.now(), **wishes(caller).filters()
        )
    )
    proposed = None
    if allows(caller, "review"):
        totals = tx.generations.totals(session.id)
        proposed = sum(number for (_, state), number in totals.items() if state == "proposed")
    return DeskRow(session=session, waiting=waits, review=proposed)
