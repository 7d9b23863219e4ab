"""Sessions come to life, change, rest and end here."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from core.errors import Conflict, PreconditionFailed
from core.events import announce
from core.ports import Clock, Ids, Jobs, Repositories, Store
from core.records import Operation, Session, SessionState
from core.requests import NewSession
from core.session_rules import KnownComponents, check_change, check_session, require_free
from core.submission import submit

Transition = Literal["pause", "resume", "close", "reopen"]

TRANSITIONS: MappingProxyType[Transition, tuple[frozenset[SessionState], SessionState]] = (
    MappingProxyType(
        {
            "pause": (frozenset({"open"}), "paused"),
            "resume": (frozenset({"paused"}), "open"),
            "close": (frozenset({"draft", "open", "paused"}), "closed"),
            "reopen": (frozenset({"closed"}), "open"),
        }
    )
)
"""Verb -> (states it may start from, state it leads to)."""


def create_session(
    tenant_id: str, new: NewSession, *, known: KnownComponents, store: Store, clock: Clock, ids: Ids
) -> Session:
    """A draft session; it opens when its first items arrive."""
    check_session(new, known=known)
    now = clock.now()
    session = Session(
        id=ids.new("ses"),
        tenant_id=tenant_id,
        name=new.name,
        task=new.task,
        guidelines=new.guidelines,
        guidelines_version=1,
        settings=new.settings,
        state="draft",
        revision=1,
        created_at=now,
        updated_at=now,
    )
    with store.write() as tx:
        tx.sessions.add(session)
        _announce(tx, session, "session.created", clock=clock)
    return session


def update_session(
    session: Session,
    new: NewSession,
    *,
    expected_revision: int,
    known: KnownComponents,
    store: Store,
    clock: Clock,
) -> Session:
    """Replace the document; guidelines get a new version when their text changes."""
    check_session(new, known=known)
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        _refuse_closed(current, new)
        indexed = tx.indexes.latest(session.id) is not None
        used = _classes_in_use(tx, session) if new.task != current.task else frozenset()
        check_change(current, new, used=used, indexed=indexed)
        changed = replace(
            current,
            name=new.name,
            task=new.task,
            guidelines=new.guidelines,
            guidelines_version=current.guidelines_version + (new.guidelines != current.guidelines),
            settings=new.settings,
            revision=current.revision + 1,
            updated_at=current.updated_at if current.state == "closed" else clock.now(),
        )
        tx.sessions.save(changed, expected_revision=expected_revision)
        _announce(tx, changed, "session.updated", clock=clock)
    return changed


def transition(session: Session, to: Transition, *, store: Store, clock: Clock) -> Session:
    """Pause, resume, close or reopen; raises Conflict ``invalid-transition``."""
    allowed_from, target = TRANSITIONS[to]
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        if current.state not in allowed_from:
            raise Conflict(
                f"a session that is {current.state} cannot {to}",
                code="invalid-transition",
                extras={"state": current.state, "allowed_from": sorted(allowed_from)},
            )
        if to == "reopen" and tx.items.next_position(session.id) == 0:
            target = "draft"
        changed = replace(
            current, state=target, revision=current.revision + 1, updated_at=clock.now()
        )
        tx.sessions.save(changed, expected_revision=current.revision)
        _announce(tx, changed, f"session.{changed.state}", clock=clock)
    return changed


def delete_session(
    session: Session,
    *,
    expected_revision: int,
    request_key: str | None,
    reason: Literal["asked", "retention"] = "asked",
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> Operation:
    """Mark the session as deleting and hand the purge to a worker; stops what still runs."""
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        if current.revision != expected_revision:
            raise PreconditionFailed("the session changed since it was read")
        require_free(current)
        running = tx.operations.unfinished(session.id)
        for operation in running:
            tx.operations.request_cancel(operation.id)
        changed = replace(
            current, state="deleting", revision=current.revision + 1, updated_at=clock.now()
        )
        tx.sessions.save(changed, expected_revision=current.revision)
        operation, _ = submit(
            tx,
            session,
            kind="delete",
            input={"reason": reason},
            lane=f"{session.id}:delete",
            request_key=request_key,
            ids=ids,
            clock=clock,
        )
    for other in running:
        jobs.cancel(other.id)
    jobs.enqueue(operation)
    return operation


def _refuse_closed(session: Session, new: NewSession) -> None:
    """A closed one keeps all but its retention, whose days count from ``updated_at``."""
    kept = replace(new.settings, retention=session.settings.retention)
    same = (new.name, new.task, new.guidelines) == (session.name, session.task, session.guidelines)
    if session.state == "closed" and same and kept == session.settings:
        return
    if session.state in {"closed", "deleting"}:
        raise Conflict(
            "a closed session does not change; reopen it first",
            code="session-not-open",
            extras={"state": session.state},
        )


def _classes_in_use(tx: Repositories, session: Session) -> Set[str]:
    """Class ids that answers, gold labels or generations of the session refer to."""
    answers = {c for row in tx.labels.labelled(session.id) for c in row.labels}
    written = {class_id for class_id, _, _ in tx.generations.counts(session.id)}
    gold = tx.items.gold_classes(session.id)
    return answers | written | set(gold)


def _announce(tx: Repositories, session: Session, type: str, *, clock: Clock) -> None:
    announce(tx, session, type, {"state": session.state, "revision": session.revision}, clock=clock)
