"""Enqueues operations for the workers: the client's side of the durable engine.

The engine's rows hold the operation's id and step records only. The operations table
of the service is the public truth; the engine's tables are an implementation detail.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from dbos import DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy.exc import SQLAlchemyError

from core.records import Operation

if TYPE_CHECKING:
    from sqlalchemy import Engine

APPLICATION_NAME: Final = "tailwise"
APPLICATION_VERSION: Final = "jobs-v1"
"""Pinned by hand: a started job is only resumed under the version that started it.
Raise it when the order of steps in a job changes, after draining the workers."""

WORKFLOW: Final = "operation"
BULK: Final = "bulk"
CALLS: Final = "calls"
QUEUES: Final = {
    "import": BULK,
    "index": BULK,
    "retrain": BULK,
    "activate": BULK,
    "delete": BULK,
    "generate": CALLS,
    "export": CALLS,
}
"""``bulk`` keeps a processor busy and runs one job per session at a time; ``calls``
mostly waits for others."""

_ENDED: Final = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class DbosJobs:
    """Hands operations to the queue. The tables are made by the worker, not by this."""

    def __init__(self, engine: Engine, *, application_name: str = APPLICATION_NAME) -> None:
        self._client = DBOSClient(
            system_database_engine=engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=application_name,
            lazy=True,
            retry_connection_errors=False,
        )

    def enqueue(self, operation: Operation) -> None:
        """Where the queue cannot be had (no worker ever ran, its disk is full), the operation
        waits, committed as it is, for the sweep of a worker to bring it here."""
        queue = QUEUES[operation.kind]
        options = EnqueueOptions(
            workflow_name=WORKFLOW,
            queue_name=queue,
            workflow_id=operation.id,
            app_version=APPLICATION_VERSION,
        )
        if queue == BULK:
            options["queue_partition_key"] = operation.session_id
        try:
            self._client.enqueue(options, operation.id)
        except SQLAlchemyError:
            logging.getLogger(__name__).warning("an operation waits for the next sweep")

    def cancel(self, operation_id: str) -> None:
        """Nothing to do: a job looks at the mark on its operation before every step, and
        the worker's sweep ends operations that were cancelled while they waited."""

    def forget_finished(self, *, before: datetime, limit: int = 200) -> int:
        """Delete the records of jobs that ended before then; how many there were."""
        ended = self._client.list_workflows(
            status=_ENDED,
            completed_before=before.isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        return self.forget([job.workflow_id for job in ended])

    def forget(self, operation_ids: Sequence[str]) -> int:
        """Delete the records of these jobs, whatever their state."""
        if operation_ids:
            self._client.delete_workflows(list(operation_ids))
        return len(operation_ids)

    def close(self) -> None:
        self._client.destroy()
