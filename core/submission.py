"""How an operation comes to be and how it ends: its row and an event, in the caller's
transaction."""

from __future__ import annotations

from datetime import datetime

from core.events import announce
from core.ports import Clock, Ids, Repositories
from core.records import Operation, OperationKind, OperationState, Options, Session


def repeated(tx: Repositories, session: Session, request_key: str | None) -> Operation | None:
    """The operation an earlier request with this key made, whose reply was lost.

    Asked before the state is checked: the first request changed the state that a repeat
    would be refused for.
    """
    return tx.operations.by_request(session.tenant_id, request_key) if request_key else None


def submit(
    tx: Repositories,
    session: Session,
    *,
    kind: OperationKind,
    input: Options,
    lane: str | None,
    request_key: str | None,
    ids: Ids,
    clock: Clock,
) -> tuple[Operation, bool]:
    """The operation of ``request_key`` and whether it is new.

    Raises Conflict ``operation-in-progress`` when another one holds the lane. The caller
    hands it to ``jobs.enqueue`` after the commit, new or not: twice is a no-op.
    """
    known = repeated(tx, session, request_key)
    if known is not None:
        return known, False
    now = clock.now()
    operation = Operation(
        id=ids.new("op"),
        tenant_id=session.tenant_id,
        session_id=session.id,
        kind=kind,
        state="queued",
        input=input,
        lane=lane,
        request_key=request_key,
        created_at=now,
    )
    tx.operations.add(operation)
    announce(
        tx, session, "operation.queued", {"operation_id": operation.id, "kind": kind}, clock=clock
    )
    return operation, True


def conclude(
    tx: Repositories,
    operation: Operation,
    state: OperationState,
    *,
    result: Options | None = None,
    error: Options | None = None,
    now: datetime,
) -> None:
    """Store how an operation ended, unless it has ended already.

    A verb calls this in the transaction of its effects: were they stored apart, a worker
    killed in between would have them twice.
    """
    if tx.operations.get(operation.tenant_id, operation.id).done:
        return
    tx.operations.finish(operation.id, state, result=result, error=error, now=now)
    if operation.kind != "delete":
        tx.events.add(
            tenant_id=operation.tenant_id,
            session_id=operation.session_id,
            type=f"operation.{state}",
            data={"operation_id": operation.id, "kind": operation.kind},
            now=now,
        )


def index_operation(tx: Repositories, session: Session, *, ids: Ids, clock: Clock) -> Operation:
    """An index operation that will see the rows of this transaction.

    One that is still queued will; one that already runs may have read past them, so
    there is no lane: a second one waits behind it.
    """
    for operation in tx.operations.unfinished(session.id, kinds=("index",)):
        if operation.state == "queued":
            return operation
    operation, _ = submit(
        tx, session, kind="index", input={}, lane=None, request_key=None, ids=ids, clock=clock
    )
    return operation


def waits_long(operation: Operation) -> bool:
    """Whether it hands its calls in as a batch and then waits, for up to a day."""
    generator = operation.input.get("generator")
    options = generator.get("options") if isinstance(generator, dict) else None
    return isinstance(options, dict) and options.get("mode") == "batch"
