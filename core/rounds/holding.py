"""What becomes of a lease: held longer, handed back, skipped, or its item flagged."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.access import digest
from core.answers import complete_batch
from core.errors import Conflict, NotAllowed
from core.events import announce
from core.labelling import decline
from core.people import Assignment, Flag, FlagReason
from core.ports import Clock, Ids, Repositories, Store
from core.records import ItemState, Session
from core.rounds.lease import check_ttl
from core.session_rules import require_accepting


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who says so: a person's lease and its token."""

    assignment_id: str
    token: str
    annotator_id: str


def heartbeat(
    session: Session, holder: Holder, *, ttl_s: int | None, store: Store, clock: Clock
) -> Assignment:
    """Hold an item longer, also one whose lease ran out while nobody else took it.

    Raises NotFound ``unknown-assignment``, NotAllowed ``lease-not-yours``, Conflict
    ``lease-expired`` or ``session-not-open``.
    """
    seconds = session.settings.people.lease_s if ttl_s is None else ttl_s
    check_ttl(seconds)
    with store.write() as tx:
        _working(tx, session)
        held = _held(tx, session, holder)
        _refuse_lost(tx, held, now=clock.now())
        until = clock.now() + timedelta(seconds=seconds)
        tx.assignments.extend(held.id, expires_at=until)
    return replace(held, expires_at=until)


def release(session: Session, holder: Holder, *, store: Store, clock: Clock) -> None:
    """Hand an item back; once more changes nothing. Raises as ``heartbeat``, but in a
    session of any state."""
    with store.write() as tx:
        tx.sessions.get(session.tenant_id, session.id, lock=True)
        held = _held(tx, session, holder)
        if held.state == "released":
            return
        if held.state != "leased":
            raise _ended(held)
        tx.assignments.end([held.id], "released", now=clock.now())


def skip(
    session: Session,
    holder: Holder,
    *,
    reason: str | None,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> ItemState:
    """Decline an item; enough people doing so take it out. Raises as ``heartbeat``."""
    with store.write() as tx:
        current = _working(tx, session)
        held = _held(tx, session, holder)
        _refuse_lost(tx, held, now=clock.now())
        state = decline(
            tx,
            current,
            tx.items.get(session.id, held.item_id),
            annotator_id=holder.annotator_id,
            assignment_id=held.id,
            note=reason,
            clock=clock,
            ids=ids,
        )
        tx.assignments.end([held.id], "skipped", now=clock.now(), reason=reason)
    return state


def flag(
    session: Session,
    holder: Holder,
    *,
    reason: FlagReason,
    note: str | None,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> Flag:
    """Take an item out of the queue until somebody decides, and out of everybody's hands.

    Raises as ``heartbeat``; what may be illegal can be flagged under a lost lease too.
    """
    with store.write() as tx:
        current = _working(tx, session)
        held = _held(tx, session, holder)
        if reason != "illegal_content":
            _refuse_lost(tx, held, now=clock.now())
        made = _flag(current, held, reason=reason, note=note, now=clock.now(), ids=ids)
        tx.flags.add(made)
        _take_out(tx, current, held, clock=clock)
        about = {"item_id": held.item_id, "flag_id": made.id, "reason": reason}
        announce(tx, current, "item.escalated", about, clock=clock)
        batch = tx.batches.containing(session.id, [held.item_id]).get(held.item_id)
        if batch is not None:
            complete_batch(tx, current, batch, clock=clock)
    return made


def _flag(
    session: Session,
    held: Assignment,
    *,
    reason: FlagReason,
    note: str | None,
    now: datetime,
    ids: Ids,
) -> Flag:
    return Flag(
        id=ids.new("flg"),
        tenant_id=session.tenant_id,
        session_id=session.id,
        item_id=held.item_id,
        assignment_id=held.id,
        annotator_id=held.annotator_id,
        reason=reason,
        note=note,
        state="open",
        resolution=None,
        resolved_by=None,
        created_at=now,
        resolved_at=None,
    )


def _take_out(tx: Repositories, session: Session, held: Assignment, *, clock: Clock) -> None:
    tx.items.set_state(session.id, [held.item_id], "excluded")
    rows = tx.assignments.of_item(session.id, held.item_id)
    others = [row.id for row in rows if row.state == "leased" and row.id != held.id]
    tx.assignments.end(others, "released", now=clock.now(), reason="flagged")
    tx.assignments.end([held.id], "flagged", now=clock.now())


def _working(tx: Repositories, session: Session) -> Session:
    """The session, locked; leases are kept and answered while it pauses."""
    current = tx.sessions.get(session.tenant_id, session.id, lock=True)
    require_accepting(current)
    return current


def _held(tx: Repositories, session: Session, holder: Holder) -> Assignment:
    """The assignment; raises NotAllowed where it is somebody else's or the token is old."""
    found = tx.assignments.get(session.id, holder.assignment_id)
    same = secrets.compare_digest(found.token_sha256, digest(holder.token))
    if not same or found.annotator_id != holder.annotator_id:
        raise NotAllowed("this lease is not yours, or its token is old", code="lease-not-yours")
    return found


def _refuse_lost(tx: Repositories, held: Assignment, *, now: datetime) -> None:
    """A lease that ran out counts as long as nobody else took the place."""
    if held.state != "leased":
        raise _ended(held)
    if held.expires_at <= now and not tx.assignments.can_take(held, now=now):
        raise Conflict(
            "the lease ran out, and the item waits for nobody any more",
            code="lease-expired",
            extras={"state": "expired"},
        )


def _ended(held: Assignment) -> Conflict:
    return Conflict(
        f"the lease ended: {held.state}", code="lease-expired", extras={"state": held.state}
    )
