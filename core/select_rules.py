"""When a batch may not be selected, and how large one the label budget still pays for."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import Conflict
from core.pool import PoolView
from core.ports import Repositories
from core.records import Operation, Session


def affordable(tx: Repositories, session: Session, *, size: int) -> int:
    """How many of ``size`` items the label budget still covers."""
    limit = session.settings.budget.labels
    if limit is None:
        return size
    spent = tx.labels.bought(session.id) + tx.labels.pledged(session.id)
    if spent >= limit:
        raise Conflict(
            "the label budget is spent; raise /settings/budget/labels to go on",
            code="budget-exceeded",
            extras={"spent": spent, "limit": limit},
        )
    return min(size, limit - spent)


def refuse_open(tx: Repositories, session: Session) -> None:
    """Raises Conflict ``batch-open``."""
    open_batches = tx.batches.open(session.id)
    if open_batches:
        raise Conflict(
            "the last batch is still being labelled; finish or cancel it, or allow_parallel",
            code="batch-open",
            extras={"batch_id": open_batches[-1].id},
        )


def refuse_busy(operations: Sequence[Operation]) -> None:
    """Raises Conflict ``operation-in-progress`` while the model is being replaced."""
    if operations:
        raise Conflict(
            "the model is being replaced; select when that operation is done",
            code="operation-in-progress",
            extras={"operation": operations[0].id, "kind": operations[0].kind},
        )


def not_indexed(operations: Sequence[Operation]) -> Conflict:
    """The refusal that names the operation to wait for."""
    extras = {"operation": operations[0].id} if operations else {}
    return Conflict(
        "the pool is not indexed yet; wait for the operation, or allow_unindexed",
        code="not-indexed",
        extras=extras,
    )


def refuse_empty(view: PoolView) -> None:
    """Raises Conflict ``pool-empty``."""
    if not view.eligible.any():
        raise Conflict(
            "no unlabelled pool item is left; add items to go on",
            code="pool-empty",
            extras={"pooled": 0, "resolved": len(view.labelled_positions)},
        )
