"""Jobs without an engine: they run in the caller's thread, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from adapters.jobs import step_records
from core.errors import Cancelled
from core.ports import Job
from core.records import Operation, Progress

T = TypeVar("T")


class InlineJob:
    """A job whose step records live in a list that outlasts it, as a database would."""

    def __init__(
        self,
        operation_id: str,
        *,
        records: list[tuple[str, str]],
        publish: Callable[[str, Progress], None],
        cancelled: Callable[[str], bool],
    ) -> None:
        self._operation_id = operation_id
        self._records = records
        self._publish = publish
        self._cancelled = cancelled
        self._next = 0

    @property
    def operation_id(self) -> str:
        return self._operation_id

    def step(self, name: str, work: Callable[[], T]) -> T:
        self.check()
        raised: list[Exception] = []
        if self._next == len(self._records):
            self._records.append((name, step_records.record(work, raised)))
        recorded_name, text = self._records[self._next]
        self._next += 1
        if recorded_name != name:
            message = f"step {self._next} was {recorded_name!r} before the crash, now {name!r}"
            raise RuntimeError(message)
        if raised:
            raise raised[0]
        return cast("T", step_records.replay(text))

    def progress(self, phase: str, done: int, total: int) -> None:
        self._publish(self._operation_id, Progress(phase=phase, done=done, total=total))

    def check(self) -> None:
        if self._cancelled(self._operation_id):
            raise Cancelled("the operation was cancelled")


class InlineJobs:
    """Runs each operation when it is enqueued, or on ``run_waiting`` when ``deferred``.

    A run that ``run`` leaves by an exception counts as a crash: the same id enqueued
    again goes on after the last recorded step, as with the durable engine.
    """

    def __init__(
        self,
        run: Callable[[str, Job], None],
        *,
        publish: Callable[[str, Progress], None] = lambda _id, _progress: None,
        cancelled: Callable[[str], bool] = lambda _id: False,
        deferred: bool = False,
    ) -> None:
        self._run = run
        self._publish = publish
        self._cancelled = cancelled
        self._deferred = deferred
        self._records: dict[str, list[tuple[str, str]]] = {}
        self._waiting: list[str] = []
        self._finished: set[str] = set()

    def enqueue(self, operation: Operation) -> None:
        known = operation.id in self._finished or operation.id in self._waiting
        if not known:
            self._waiting.append(operation.id)
        if not self._deferred:
            self.run_waiting()

    def cancel(self, operation_id: str) -> None:
        """Nothing to do: the mark on the operation is what a job looks at."""

    def forget(self, operation_ids: Sequence[str]) -> int:
        return sum(self._records.pop(id, None) is not None for id in operation_ids)

    def run_waiting(self) -> int:
        """Run what was enqueued, oldest first; how many ran."""
        count = 0
        while self._waiting:
            self._execute(self._waiting.pop(0))
            count += 1
        return count

    def _execute(self, operation_id: str) -> None:
        job = InlineJob(
            operation_id,
            records=self._records.setdefault(operation_id, []),
            publish=self._publish,
            cancelled=self._cancelled,
        )
        self._run(operation_id, job)
        self._finished.add(operation_id)
