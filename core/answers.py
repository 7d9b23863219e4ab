"""What an answer must be, and what the last one of a batch brings about."""

from __future__ import annotations

from core.errors import InvalidInput
from core.events import announce
from core.ports import Clock, Repositories
from core.records import Batch, Labels, Session, Task


def check_labels(labels: Labels | None, *, task: Task, pointer: str = "/labels") -> Labels:
    """The answer as it is stored: one class of the schema, or in a multi-label task any
    number of different ones, where () says that none applies. None is no answer.

    Raises InvalidInput ``missing-label``, ``too-many-labels``, ``label-not-in-schema`` or
    ``duplicate-label``.
    """
    if labels is None or not (labels or task.multi_label):
        raise InvalidInput.at(pointer, "name a class, or skip the item", code="missing-label")
    if len(labels) > 1 and not task.multi_label:
        raise InvalidInput.at(
            pointer, "this task takes one class per item", code="too-many-labels", allowed=1
        )
    stray = [class_id for class_id in labels if class_id not in task.class_ids]
    if stray:
        raise InvalidInput.at(
            pointer,
            f"not a class of this session; allowed: {', '.join(task.class_ids)}",
            code="label-not-in-schema",
            allowed=list(task.class_ids),
        )
    if len(set(labels)) < len(labels):
        raise InvalidInput.at(pointer, "an answer names each class once", code="duplicate-label")
    return tuple(sorted(labels))


def complete_batch(tx: Repositories, session: Session, batch: Batch, *, clock: Clock) -> None:
    """Close an open batch none of whose items still waits for an answer or a decision."""
    if batch.state != "open" or tx.batches.waits(batch.id):
        return
    tx.batches.set_state(batch.id, "completed")
    announce(
        tx, session, "batch.completed", {"batch_id": batch.id, "round": batch.round}, clock=clock
    )
