"""Purge: what a deleted session leaves behind is a tombstone."""

from __future__ import annotations

from core.ports import Blobs, Job, Store
from core.records import Operation, Options


def purge(operation: Operation, *, job: Job, store: Store, blobs: Blobs) -> Options:
    """Delete the session's rows, then the files nobody else refers to.

    The digests are a step's answer, so that a run after a crash still finds the files.
    """

    def delete_rows() -> list[str]:
        with store.write() as tx:
            return list(tx.sessions.purge(operation.session_id))

    digests = job.step("rows", delete_rows)
    for done, digest in enumerate(digests):
        blobs.delete(digest)
        job.progress("files", done + 1, len(digests))
    return {"files": len(digests)}
