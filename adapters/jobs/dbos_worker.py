"""Executes operations: the worker's side of the durable engine, one per process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, StepOptions

from adapters.jobs import step_records
from adapters.jobs.dbos_jobs import (
    APPLICATION_NAME,
    APPLICATION_VERSION,
    BULK,
    CALLS,
    WORKFLOW,
)
from core.errors import STORE_BUSY, Cancelled, Unavailable
from core.ports import Job
from core.records import Progress

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")

POLLING_SECONDS: Final = 0.15
PUBLISH_SECONDS: Final = 0.25
CHECK_SECONDS: Final = 0.1
BULK_AT_ONCE: Final = 2
CALLS_AT_ONCE: Final = 8
DISPATCHES: Final = 50
"""The engine's own limit is only a backstop: the operation's attempt counter decides,
because a job that the engine drops would leave its operation running for ever."""


class Interrupted(BaseException):
    """Unwinds a job that a later process is to resume.

    Not an Exception, so that neither a job nor the engine records it as an outcome: the
    engine keeps the job as pending, exactly as after a crash at this point.
    """


class CutOff(Interrupted):
    """Unwinds a job whose database went away for a moment; this process resumes it."""


class DbosJob:
    """One execution of an operation, called in its own thread only."""

    def __init__(
        self,
        operation_id: str,
        *,
        publish: Callable[[str, Progress], None],
        cancelled: Callable[[str], bool],
        stopping: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operation_id = operation_id
        self._publish = publish
        self._cancelled = cancelled
        self._stopping = stopping
        self._monotonic = monotonic
        self._published: tuple[float, Progress] | None = None
        self._checked = float("-inf")

    @property
    def operation_id(self) -> str:
        return self._operation_id

    def step(self, name: str, work: Callable[[], T]) -> T:
        if DBOS.workflow_id != self._operation_id:
            message = "a step must run in its job's own thread, or it would not be recorded"
            raise RuntimeError(message)
        self.check()
        raised: list[Exception] = []
        options = StepOptions(name=name, retries_allowed=False)
        text = DBOS.run_step(options, step_records.record, _unless_cut_off(work), raised)
        if raised:
            raise raised[0]
        return cast("T", step_records.replay(text))

    def progress(self, phase: str, done: int, total: int) -> None:
        """Publish at most four times a second; a new phase and its end always."""
        new = Progress(phase=phase, done=done, total=total)
        now = self._monotonic()
        if self._published is not None:
            at, old = self._published
            milestone = new.phase != old.phase or (done == total and new != old)
            if not milestone and now - at < PUBLISH_SECONDS:
                return
        self._published = (now, new)
        with suppress(Unavailable):  # the next one will tell more
            self._publish(self._operation_id, new)

    def check(self) -> None:
        if self._stopping.is_set():
            raise Interrupted
        now = self._monotonic()
        if now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        if self._asked_to_end():
            raise Cancelled("the operation was cancelled")

    def _asked_to_end(self) -> bool:
        try:
            return self._cancelled(self._operation_id)
        except Unavailable:
            return False  # asked again before long


class DbosWorker:
    """Runs ``run(operation_id, job)`` for every queued operation and resumes its own.

    ``worker_id`` must be alive only once at a time: a second worker of the same id would
    run the first one's jobs again. ``run`` is expected to catch everything but a database
    that went away (Unavailable ``store-busy``): such a job waits for ``resume_cut_off``. What
    else it lets out sets ``fault``, and the job stays pending until a worker of this id starts
    again.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        run: Callable[[str, Job], None],
        worker_id: str,
        publish: Callable[[str, Progress], None],
        cancelled: Callable[[str], bool],
        application_name: str = APPLICATION_NAME,
    ) -> None:
        self._engine = engine
        self._run = run
        self._worker_id = worker_id
        self._publish = publish
        self._cancelled = cancelled
        self._application_name = application_name
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._active = 0
        self._cut_off: set[str] = set()
        self.fault = threading.Event()

    def launch(self) -> None:
        """Make or upgrade the engine's tables, resume this id's jobs and take new ones."""
        DBOS(config=self._config())
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=DISPATCHES)(self._workflow())
        DBOS.launch()
        DBOS.register_queue(
            BULK,
            worker_concurrency=BULK_AT_ONCE,
            partition_concurrency=1,
            polling_interval_sec=POLLING_SECONDS,
            on_conflict="always_update",
        )
        DBOS.register_queue(
            CALLS,
            worker_concurrency=CALLS_AT_ONCE,
            polling_interval_sec=POLLING_SECONDS,
            on_conflict="always_update",
        )

    def resume_cut_off(self) -> int:
        """Queue again what lost its database on the way; how many jobs that were.

        They go on behind their last recorded step. Called every few seconds, from outside
        any job.
        """
        with self._idle:
            ready = list(self._cut_off)
        for operation_id in ready:
            self._cut_off.discard(operation_id)
            try:
                status = DBOS.get_workflow_status(operation_id)
                if status is not None:
                    DBOS.resume_workflow(operation_id, queue_name=status.queue_name)
            except Exception:
                self._cut_off.add(operation_id)
                raise
        return len(ready)

    def stop(self, *, timeout_seconds: float = 25.0) -> bool:
        """Let jobs reach their next step or check, then leave; whether all of them did."""
        self._stopping.set()
        with self._idle:
            calm = self._idle.wait_for(lambda: self._active == 0, timeout_seconds)
        DBOS.destroy(destroy_registry=True)
        return calm

    def _config(self) -> DBOSConfig:
        return DBOSConfig(
            name=self._application_name,
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),
            application_version=APPLICATION_VERSION,
            executor_id=self._worker_id,
            log_level="WARNING",
        )

    def _workflow(self) -> Callable[[str], None]:
        def operation(operation_id: str) -> None:
            self._execute(operation_id)

        return operation

    def _execute(self, operation_id: str) -> None:
        left: list[str] = []
        with self._idle:
            self._active += 1
        try:
            self._refuse_while_stopping()
            _unless_cut_off(partial(self._run, operation_id, self._job(operation_id)))()
        except CutOff:
            left.append(operation_id)
            raise
        except Exception as error:
            self.fault.set()
            raise Interrupted from error
        finally:
            with self._idle:
                self._active -= 1
                self._cut_off.update(left)
                self._idle.notify_all()

    def _refuse_while_stopping(self) -> None:
        if self._stopping.is_set():
            raise Interrupted

    def _job(self, operation_id: str) -> DbosJob:
        return DbosJob(
            operation_id,
            publish=self._publish,
            cancelled=self._cancelled,
            stopping=self._stopping,
        )


def _unless_cut_off(work: Callable[[], T]) -> Callable[[], T]:
    """``work`` that raises CutOff where the database went away, so that nobody records it."""

    def run() -> T:
        try:
            return work()
        except Unavailable as error:
            if error.code != STORE_BUSY:
                raise
            raise CutOff from error

    return run


def migrate_jobs(engine: Engine, *, application_name: str = APPLICATION_NAME) -> None:
    """Make or upgrade the engine's tables without taking a job."""
    DBOS(
        config=DBOSConfig(
            name=application_name,
            system_database_engine=engine,
            serializer=DBOSPortableJSONSerializer(),
            application_version=APPLICATION_VERSION,
            executor_id="db-upgrade",
            log_level="WARNING",
        )
    )
    DBOS.listen_queues([])
    try:
        DBOS.launch()
    finally:
        DBOS.destroy(destroy_registry=True)
