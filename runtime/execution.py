"""One operation from its start to its stored ending, and the sweep that misses none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from adapters.full_disk import disk_full, has_no_room
from core.errors import STORE_BUSY, Cancelled, NotFound, TailwiseError
from core.ports import Clock, Job, Jobs, Store
from core.records import Operation, OperationState, Options
from core.submission import conclude, waits_long
from runtime.logs import bound, described
from runtime.traces import mark, operation_span

MAX_ATTEMPTS: Final = 5
MAX_WAITING_ATTEMPTS: Final = 40
"""Of an operation that waits for a provider for up to a day: restarts in that time are no
sign that it kills its worker."""

WAITING_AGE: Final = timedelta(seconds=2)

Task = Callable[[Any, Operation, Job], Options]
"""(services, operation, job) to the operation's result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one execution ended."""

    state: OperationState
    result: Options | None = None
    error: Options | None = None


def execute(
    operation_id: str, job: Job, *, services: Any, tasks: Mapping[str, Task] | None = None
) -> None:
    """Run one operation to its end and store how it ended.

    Raises Unavailable ``store-busy`` where the database went away: it is to be run again, as
    after a crash. Raises what else keeps an ending from being stored.
    An operation that is already finished, or was purged, is left alone.
    """
    if tasks is None:
        tasks = _all_tasks()
    operation = _start(operation_id, store=services.store, clock=services.clock)
    if operation is None or operation.done:
        return
    ids = {"operation_id": operation.id, "session_id": operation.session_id}
    with bound(kind=operation.kind, **ids), operation_span(operation.kind, **ids) as span:
        ending = _run(operation, job, services=services, task=tasks[operation.kind])
        code = (ending.error or {}).get("code")
        mark(span, failed=ending.state == "failed", code=code)
        structlog.get_logger().info(
            "operation ended",
            state=ending.state,
            attempt=operation.attempt,
            code=code,
        )
        finish(operation, ending, store=services.store, now=services.clock.now())


def _all_tasks() -> Mapping[str, Task]:
    from runtime.tasks import TASKS  # noqa: PLC0415 -- brings in every verb

    return {str(kind): task for kind, task in TASKS.items()}


def finish(operation: Operation, ending: Ending, *, store: Store, now: datetime) -> None:
    """Store an ending that the verb did not store with its effects, unless the operation went
    with its session meanwhile."""
    with store.write() as tx, suppress(NotFound):
        conclude(tx, operation, ending.state, result=ending.result, error=ending.error, now=now)


def _start(operation_id: str, *, store: Store, clock: Clock) -> Operation | None:
    try:
        with store.write() as repos:
            return repos.operations.start(operation_id, now=clock.now())
    except NotFound:
        return None


def _run(operation: Operation, job: Job, *, services: Any, task: Task) -> Ending:
    most = MAX_WAITING_ATTEMPTS if waits_long(operation) else MAX_ATTEMPTS
    if operation.attempt > most:
        detail = f"its worker died {most} times while it ran"
        return Ending(state="failed", error={"code": "worker-lost", "detail": detail})
    try:
        if operation.attempt == 1:
            # A later attempt may have things to put in order before it stops.
            job.check()
        return Ending(state="succeeded", result=task(services, operation, job))
    except Cancelled as error:
        return Ending(state="cancelled", error=problem(error))
    except TailwiseError as error:
        if error.code == STORE_BUSY:
            raise  # nothing is wrong with the operation: whoever runs it does so again
        return Ending(state="failed", error=problem(error))
    except Exception as error:  # noqa: BLE001 -- the worker's boundary
        if has_no_room(error):
            return Ending(state="failed", error=problem(disk_full()))
        structlog.get_logger().error("operation broke", **described(error))
        detail = f"unexpected {type(error).__name__}"
        return Ending(state="failed", error={"code": "internal", "detail": detail})


def problem(error: TailwiseError) -> dict[str, Any]:
    """An error as an operation stores it: code, detail, and errors and extras if any."""
    document: dict[str, Any] = {"code": error.code, "detail": error.detail}
    if error.errors:
        document["errors"] = [asdict(field) for field in error.errors]
    if error.extras:
        document["extras"] = error.extras
    return document


def sweep(*, store: Store, jobs: Jobs, now: datetime) -> int:
    """Enqueue again what was committed but maybe never enqueued, and end what was cancelled
    while it waited; how many operations were looked at."""
    with store.read() as repos:
        waiting = [o for o in repos.operations.queued() if o.created_at <= now - WAITING_AGE]
    for operation in waiting:
        if operation.cancel_requested:
            error = problem(Cancelled("the operation was cancelled before it started"))
            finish(operation, Ending(state="cancelled", error=error), store=store, now=now)
        else:
            jobs.enqueue(operation)
    return len(waiting)
