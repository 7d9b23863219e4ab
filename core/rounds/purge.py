"""Purge: what a deleted session leaves behind is a tombstone and one event that says so."""

from __future__ import annotations

from core.errors import Gone
from core.events import announce
from core.ports import Blobs, Clock, Job, Jobs, Repositories, Store
from core.records import Operation, Options, Page

AT_ONCE = 500


def purge(
    operation: Operation, *, job: Job, store: Store, blobs: Blobs, jobs: Jobs, clock: Clock
) -> Options:
    """Delete the session's rows and step records, then the files nobody else refers to.

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
    return {"files": len(digests)}


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
