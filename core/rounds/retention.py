"""Retention: closed sessions whose days are over are deleted."""

from __future__ import annotations

from datetime import timedelta

from core.errors import Gone, NotFound, PreconditionFailed
from core.ports import Clock, Ids, Jobs, Store
from core.records import Session
from core.rounds.sessions import delete_session

AT_ONCE = 100
DAY = timedelta(days=1)


def delete_overdue(*, store: Store, jobs: Jobs, clock: Clock, ids: Ids) -> int:
    """Over all tenants; how many deletions were started. A legal hold stops the time."""
    with store.read() as tx:
        closed = tx.sessions.closed(before=clock.now() - DAY)
    overdue = [session for session in closed if _is_over(session, clock=clock)][:AT_ONCE]
    return sum(
        _delete(session, store=store, jobs=jobs, clock=clock, ids=ids) for session in overdue
    )


def _is_over(session: Session, *, clock: Clock) -> bool:
    """``updated_at`` of a closed session is when it was closed."""
    rule = session.settings.retention
    if rule.items_days is None or rule.hold:
        return False
    return clock.now() >= session.updated_at + rule.items_days * DAY


def _delete(session: Session, *, store: Store, jobs: Jobs, clock: Clock, ids: Ids) -> bool:
    try:
        delete_session(
            session,
            expected_revision=session.revision,
            request_key=None,
            reason="retention",
            store=store,
            jobs=jobs,
            clock=clock,
            ids=ids,
        )
    except (NotFound, Gone, PreconditionFailed):
        return False  # somebody was quicker; the next look decides anew
    return True
