"""Operations: looked at, waited for, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tailwise_client.binding import Described, verb
from tailwise_client.errors import OperationCancelled, OperationFailed, TimedOut
from tailwise_client.records.operations import Operation, Progress
from tailwise_client.steps import Flow

OnProgress: TypeAlias = Callable[[Progress], None]
LOOK_S = 10.0
"""How long one request lets the service wait for the end; it answers at once when it comes."""


class OperationVerbs(Described):
    """What long work is doing."""

    @verb
    def operation(self, operation_id: str) -> Flow[Operation]:
        """Read an operation."""
        return self._get(Operation, f"/v1/operations/{operation_id}")

    @verb
    def cancel_operation(self, operation_id: str) -> Flow[Operation]:
        """Ask it to stop at its next step; what it did so far is kept."""
        return self._post(Operation, f"/v1/operations/{operation_id}/cancel")

    @verb
    def wait(
        self,
        operation: Operation | str,
        *,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Flow[Operation]:
        """The operation once it succeeded; ``on_progress`` hears how far it is.

        Raises OperationFailed, OperationCancelled, or TimedOut after ``timeout`` seconds (the
        operation goes on then).
        """
        id = operation if isinstance(operation, str) else operation.id
        now = self._sender.monotonic
        deadline = None if timeout is None else now() + timeout
        while True:
            left = LOOK_S if deadline is None else max(0.0, min(LOOK_S, deadline - now()))
            found = yield from self._get(Operation, f"/v1/operations/{id}", wait=left)
            if on_progress is not None:
                on_progress(found.progress)
            if found.done:
                return _succeeded(found)
            if deadline is not None and now() >= deadline:
                raise TimedOut(f"the {found.kind} operation {id} is still {found.state}")


def _succeeded(operation: Operation) -> Operation:
    if operation.state == "cancelled":
        raise OperationCancelled(operation)
    if operation.state != "succeeded":
        raise OperationFailed(operation)
    return operation
