"""Purge: what a deleted session leaves behind is a tombstone and one event that says so."""

from __future__ import annotations

from core.erasing import Eraser, due_sessions, erase_left
from core.errors import Conflict, Gone
from core.events import announce
from core.ports import Blobs, Clock, Ids, Job, Jobs, Repositories, Store
from core.records import Operation, Options, Page

AT_ONCE = 500


def purge(
    operation: Operation,
    *,
    job: Job,
    store: Store,
    blobs: Blobs,
    jobs: Jobs,
    clock: Clock,
    eraser: Eraser,
) -> Options:
    """Delete the session's rows and step records, then the files nobody else refers to, then
    its batches at providers; of these, what cannot be had now is named and tried again later.

    The digests are a step's answer, so that a run after a crash still finds the files.
    """

    def delete_rows() -> list[str]:
        with store.read() as tx:
            ended = _ended(tx, operation)
        jobs.forget(ended)
        with store.write() as tx:
            _announce(tx, operation, clock=clock)
            return list(tx.sessions.purge(operation.session_id))

    digests = job.step("rows", delete_rows)
    for done, digest in enumerate(digests):
        blobs.delete(digest)
        job.progress("files", done + 1, len(digests))
    return {
        "files": len(digests),
        "batches": erase_left(operation.session_id, eraser=eraser, job=job),
    }


def _announce(tx: Repositories, operation: Operation, *, clock: Clock) -> None:
    try:
        session = tx.sessions.get(operation.tenant_id, operation.session_id, lock=True)
    except Gone:
        return  # purged before a crash, which was announced too
    because = operation.input.get("reason", "asked")
    announce(tx, session, "session.deleted", {"reason": because}, clock=clock)


def _ended(tx: Repositories, operation: Operation) -> list[str]:
    """The session's other jobs; those that still end are forgotten an hour after that."""
    found: list[str] = []
    after = None
    while True:
        page = Page(limit=AT_ONCE, after=after)
        rows = tx.operations.list(operation.tenant_id, page, session_id=operation.session_id)
        found += [row.id for row in rows if row.done and row.id != operation.id]
        if len(rows) < AT_ONCE:
            return found
        after = rows[-1].id


def purge_again(*, store: Store, jobs: Jobs, clock: Clock, ids: Ids) -> int:
    """Queue another purge for deleted sessions whose batches are due to be erased once more;
    how many. Nobody is told of it, because the session's end was told already."""
    found = due_sessions(store=store, clock=clock)
    return sum(
        _queue(tenant_id, session_id, store=store, jobs=jobs, clock=clock, ids=ids)
        for tenant_id, session_id in found
    )


def _queue(
    tenant_id: str, session_id: str, *, store: Store, jobs: Jobs, clock: Clock, ids: Ids
) -> bool:
    operation = Operation(
        id=ids.new("op"),
        tenant_id=tenant_id,
        session_id=session_id,
        kind="delete",
        state="queued",
        input={"reason": "provider"},
        lane=f"{session_id}:delete",
        created_at=clock.now(),
    )
    try:
        with store.write() as tx:
            tx.operations.add(operation)
    except Conflict:
        return False  # one is under way
    jobs.enqueue(operation)
    return True
