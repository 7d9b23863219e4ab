"""The worker process: takes jobs, sends webhooks, says that it lives, sweeps up what waits."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from adapters.jobs.dbos_jobs import DbosJobs
from adapters.jobs.dbos_worker import DbosWorker
from adapters.jobs.slot import already_running, claim_slot
from core.errors import TailwiseError
from core.ports import Clock, Store
from core.records import Progress
from core.rounds.expire import expire_batches
from runtime import database
from runtime.deliveries import Sender
from runtime.execution import execute, sweep
from runtime.logs import configure_logs, described
from runtime.processes import die_with_parent, stop_on_signals
from runtime.pruning import Pruning
from runtime.settings import Settings, load_settings
from runtime.traces import configure_traces
from runtime.wiring import build

__all__ = ["execute", "main", "refuse_twin", "run_worker"]

BEAT_SECONDS: Final = 5.0
FRESH_BEAT: Final = timedelta(seconds=10)
KEEP_RECORDS: Final = timedelta(hours=1)


def run_worker(settings: Settings, *, announce: Callable[[], None] = lambda: None) -> int:
    """Work until SIGTERM or SIGINT; the exit code is 0, or 1 when an ending could not be
    stored (the job stays pending and is resumed by the next start).

    ``announce`` is called once jobs are taken. Raises Conflict ``worker-already-running``
    and NotInstalled ``database-outdated``.
    """
    stopping = stop_on_signals()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database.prepare(settings)
    with claim_slot(settings.data_dir / "workers", settings.worker_id):
        services = build(database.with_shared_secret(settings), role="worker")
        store, clock = services.store, services.clock
        if not settings.embedded:
            refuse_twin(store=store, worker_id=settings.worker_id, clock=clock, pause=stopping.wait)
        engine = services.jobs_engine()
        worker = DbosWorker(
            engine,
            run=partial(execute, services=services),
            worker_id=settings.worker_id,
            publish=partial(_publish, store),
            cancelled=partial(_cancelled, store),
        )
        worker.launch()
        upkeep = partial(
            _keep_up,
            resume=worker.resume_cut_off,
            store=store,
            clock=clock,
            jobs=DbosJobs(engine),
            pruning=Pruning(store=store, jobs=services.jobs, clock=clock, ids=services.ids),
            worker_id=settings.worker_id,
            keep_replies=timedelta(hours=settings.idempotency_hours),
        )
        upkeep()
        sender = Sender(services.webhooks.desk(), concurrency=settings.webhook_concurrency)
        sender.start()
        announce()
        structlog.get_logger().info("worker ready", worker_id=settings.worker_id)
        while not stopping.wait(BEAT_SECONDS) and not worker.fault.is_set():
            upkeep()
        calm = all([sender.stop(), worker.stop()])
    code = 1 if worker.fault.is_set() else 0
    structlog.get_logger().info("worker stopped", worker_id=settings.worker_id, calm=calm)
    if not calm:
        _leave_at_once(code)
    return code


def refuse_twin(
    *, store: Store, worker_id: str, clock: Clock, pause: Callable[[float], object]
) -> None:
    """Raise Conflict ``worker-already-running`` when a worker of this id lives elsewhere.

    A fresh heartbeat may be the last one of a worker that just died, so this watches for
    up to ten seconds whether another one comes.
    """

    def latest() -> datetime | None:
        with store.read() as repos:
            return repos.heartbeats.latest().get(worker_id)

    seen = latest()
    while seen is not None and clock.now() - seen < FRESH_BEAT:
        pause(0.5)
        if latest() != seen:
            raise already_running(worker_id)


def _keep_up(
    *,
    resume: Callable[[], int],
    store: Store,
    clock: Clock,
    jobs: DbosJobs,
    pruning: Pruning,
    worker_id: str,
    keep_replies: timedelta,
) -> None:
    """One heartbeat, one sweep, and an end to what is too old to keep.

    Database trouble is logged, and all of it is tried again later.
    """
    now = clock.now()
    try:
        with store.write() as repos:
            repos.heartbeats.beat(worker_id, now=now)
            repos.replies.expire(before=now - keep_replies)
        sweep(store=store, jobs=jobs, now=now)
        resume()
        expire_batches(store=store, clock=clock)
        jobs.forget_finished(before=now - KEEP_RECORDS)
        pruning.look()
    except (SQLAlchemyError, TailwiseError) as error:
        structlog.get_logger().warning("upkeep failed", **described(error))


def _publish(store: Store, operation_id: str, progress: Progress) -> None:
    with store.write() as repos:
        repos.operations.progress(operation_id, progress)


def _cancelled(store: Store, operation_id: str) -> bool:
    with store.read() as repos:
        return repos.operations.cancel_requested(operation_id)


def _leave_at_once(code: int) -> None:
    """End without waiting for threads: a job that would not pause resumes at its step."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m runtime.worker``.

    ``--ready-fd`` gets one line once jobs are taken; ``--die-with-parent`` leaves the jobs
    to the next start where the supervisor is killed, like any other crash.
    """
    parser = argparse.ArgumentParser(prog="tailwise worker")
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--die-with-parent", action="store_true")
    options = parser.parse_args(argv)
    ready_fd = options.ready_fd
    if options.die_with_parent:
        die_with_parent("SIGKILL")

    def announce() -> None:
        if ready_fd is not None:
            os.write(ready_fd, b"ready\n")
            os.close(ready_fd)

    try:
        settings = load_settings()
        configure_logs(level=settings.log_level, format=settings.log_format)
        configure_traces(settings, process=settings.worker_id)
        return run_worker(settings, announce=announce)
    except TailwiseError as error:
        sys.stderr.write(f"error: {error.detail}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
