"""Claim: a person gets items to answer, or hears why there are none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from core.access import new_token
from core.checks import mixed
from core.closing import expire_overdue
from core.errors import InvalidInput
from core.exposure import DAY, Allowance, allowance
from core.people import Assignment, Claimable
from core.ports import Clock, Ids, Repositories, Store
from core.records import Item, Session
from core.session_rules import require_open

MOST_AT_ONCE: Final = 20
TTL_S: Final = (30, 3_600)

Reason = Literal["none_left", "all_leased", "quota", "break_due"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """What a person asks for; ``ttl_s`` None = the session's. ``languages`` () = any."""

    count: int = 1
    ttl_s: int | None = None
    batch_id: str | None = None
    languages: tuple[str, ...] = ()
    avoid_topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """An item in somebody's hands; the token is in this answer only."""

    assignment: Assignment
    item: Item
    ttl_s: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """``reason`` says why there is nothing, where there is nothing."""

    leases: tuple[Lease, ...] = ()
    reason: Reason | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """A claim under way, inside its transaction."""

    tx: Repositories
    session: Session
    annotator_id: str
    request: ClaimRequest
    now: datetime
    ids: Ids

    @property
    def filters(self) -> dict[str, Any]:
        request = self.request
        return {"languages": request.languages, "avoid_topics": request.avoid_topics}


def claim(
    session: Session,
    request: ClaimRequest,
    *,
    annotator_id: str,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> Claimed:
    """Items for one person: those still held first, under new tokens, then others.

    Nobody gets an item again that they answered, skipped or flagged; what they let go
    comes last. Leases and answers together never exceed what an item needs. Raises
    Conflict ``session-not-open`` and InvalidInput ``invalid-number``.
    """
    _check(request)
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        require_open(current, verb="leases")
        expire_overdue(tx, current, clock=clock)
        desk = _Desk(
            tx=tx,
            session=current,
            annotator_id=annotator_id,
            request=request,
            now=clock.now(),
            ids=ids,
        )
        return _claim(desk)


def _claim(desk: _Desk) -> Claimed:
    tx = desk.tx
    kept = _still_held(desk)
    left = _left(desk, held=len(kept))
    if left.stop:
        tx.assignments.end([row.id for row in kept], "released", now=desk.now, reason="break")
        kept = []
    kept = kept[: desk.request.count]
    most = desk.request.count - len(kept)
    most = most if left.items is None else min(most, left.items)
    leases = [*_renewed(desk, kept), *(_new(desk, most) if most else ())]
    if leases:
        return Claimed(leases=tuple(leases))
    if left.reason is not None:
        return Claimed(reason=left.reason, retry_after_s=left.retry_after_s)
    return _why_empty(desk)


def _left(desk: _Desk, *, held: int) -> Allowance:
    """What the session's limits leave; without limits nobody's day is looked up."""
    people = desk.session.settings.people
    limits = (people.daily_items, people.break_after_items, people.break_after_minutes)
    if limits == (None, None, None):
        return Allowance()
    seen = desk.tx.assignments.exposure(
        desk.session.id,
        desk.annotator_id,
        since=desk.now - DAY,
        break_seconds=people.break_minutes * 60,
    )
    return allowance(people, seen, held=held, now=desk.now)


def _still_held(desk: _Desk) -> list[Assignment]:
    """The person's leases whose items still wait; the others are let go."""
    tx, session = desk.tx, desk.session
    rows = tx.assignments.held(session.id, desk.annotator_id, now=desk.now)
    items = tx.items.by_ids(session.id, [row.item_id for row in rows])
    waits = [row for row in rows if _waits(row, items)]
    gone = [row.id for row in rows if not _waits(row, items)]
    tx.assignments.end(gone, "released", now=desk.now, reason="closed")
    return waits


def _waits(row: Assignment, items: Mapping[str, Item]) -> bool:
    item = items.get(row.item_id)
    return item is not None and item.state == ("pooled" if row.check else "selected")


def _new(desk: _Desk, most: int) -> Sequence[Lease]:
    """Leases on items that the person does not hold."""
    tx, session, who = desk.tx, desk.session, desk.annotator_id
    ordinary = tx.assignments.claimable(
        session.id,
        who,
        limit=most,
        now=desk.now,
        batch_id=desk.request.batch_id,
        **desk.filters,
    )
    share = session.settings.people.check_share
    checks = (
        tx.assignments.claimable_checks(session.id, who, limit=MOST_AT_ONCE, **desk.filters)
        if share
        else ()
    )
    given = tx.assignments.given(session.id, who) if checks else 0
    chosen = mixed(session, ordinary, checks, annotator_id=who, given=given, most=most)
    again = [one.item_id for one in chosen if not one.fresh]
    earlier = tx.assignments.of_person(session.id, who, again)
    return _renewed(desk, [_row(desk, one, earlier.get(one.item_id)) for one in chosen])


def _row(desk: _Desk, one: Claimable, earlier: Assignment | None) -> Assignment:
    return Assignment(
        id=desk.ids.new("asg") if earlier is None else earlier.id,
        tenant_id=desk.session.tenant_id,
        session_id=desk.session.id,
        item_id=one.item_id,
        batch_id=one.batch_id,
        annotator_id=desk.annotator_id,
        state="leased",
        token_sha256="",
        check=one.check,
        claimed_at=desk.now,
        expires_at=desk.now,
    )


def _renewed(desk: _Desk, rows: Sequence[Assignment]) -> Sequence[Lease]:
    """Store the rows with fresh tokens and ends."""
    items = desk.tx.items.by_ids(desk.session.id, [row.item_id for row in rows])
    people = desk.session.settings.people
    seconds = people.lease_s if desk.request.ttl_s is None else desk.request.ttl_s
    leases = []
    for row in rows:
        token, sha256 = new_token("l")
        until = desk.now + timedelta(seconds=seconds)
        held = replace(row, token_sha256=sha256, expires_at=until)
        desk.tx.assignments.hold(held)
        leases.append(Lease(assignment=held, item=items[row.item_id], ttl_s=seconds, token=token))
    return leases


def _why_empty(desk: _Desk) -> Claimed:
    tx, session = desk.tx, desk.session
    leased = tx.assignments.all_leased(
        session.id,
        desk.annotator_id,
        now=desk.now,
        batch_id=desk.request.batch_id,
        **desk.filters,
    )
    if not leased:
        return Claimed(reason="none_left")
    first = tx.assignments.first_end(session.id, desk.annotator_id, now=desk.now)
    seconds = 1.0 if first is None else (first - desk.now).total_seconds()
    return Claimed(reason="all_leased", retry_after_s=max(1, math.ceil(seconds)))


def _check(request: ClaimRequest) -> None:
    if not 1 <= request.count <= MOST_AT_ONCE:
        detail = f"one claim takes 1 to {MOST_AT_ONCE} items"
        raise InvalidInput.at("/count", detail, code="invalid-number", limit=MOST_AT_ONCE)
    if request.ttl_s is not None:
        check_ttl(request.ttl_s)


def check_ttl(seconds: int) -> None:
    """Raises InvalidInput ``invalid-number`` outside of 30 to 3,600 seconds."""
    least, most = TTL_S
    if not least <= seconds <= most:
        detail = f"a lease lasts {least} to {most} seconds"
        raise InvalidInput.at("/ttl_s", detail, code="invalid-number", least=least, most=most)
