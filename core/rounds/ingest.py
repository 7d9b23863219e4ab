"""Ingest: rows of one request enter the pool."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.errors import Conflict, FieldError, InvalidInput, TailwiseError
from core.events import announce
from core.intake import TRANSACTION_ROWS, Candidate, Decision, apply, decide, writable
from core.ports import Clock, Ids, Jobs, Repositories, Store
from core.records import NewItem, Operation, Session
from core.requests import IngestResult, Mode, OnConflict, RowResult
from core.submission import index_operation

MAX_ROWS = 1_000


def add_items(
    session: Session,
    rows: Sequence[NewItem | Exception],
    *,
    on_conflict: OnConflict,
    mode: Mode,
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> IngestResult:
    """Store up to 1,000 rows; a row may be the InvalidInput the edge found in its place.

    Partial: good rows are stored in transactions of 500, each bad one is reported.
    Atomic: one transaction; any bad row raises and nothing is stored: InvalidInput
    where the request itself is at fault, Conflict where the pool is, every row listed
    under ``/items/<index>``. The first rows open a draft session; whatever was stored
    is followed by an index operation.
    """
    if len(rows) > MAX_ROWS:
        detail = f"at most {MAX_ROWS} rows a request; use an import for more"
        raise InvalidInput.at("/items", detail, code="too-many-items", limit=MAX_ROWS)
    refused = _refused(rows)
    if refused and mode == "atomic":
        raise _invalid(rows, refused)
    results = {i: _rejected(i, rows[i], errors) for i, errors in refused.items()}
    good = [
        Candidate(index=index, item=row)
        for index, row in enumerate(rows)
        if index not in refused and isinstance(row, NewItem)
    ]
    operation = None
    for part in _parts(good, size=MAX_ROWS if mode == "atomic" else TRANSACTION_ROWS):
        with store.write() as tx:
            current = writable(tx, session)
            decisions = decide(tx, current, part, on_conflict=on_conflict, ids=ids)
            if mode == "atomic":
                _refuse_conflicts(decisions)
            operation = _store(tx, current, decisions, clock=clock, ids=ids) or operation
        results |= {decision.index: _result(decision) for decision in decisions}
    if operation is not None:
        jobs.enqueue(operation)
    return _summary([results[index] for index in range(len(rows))], operation=operation)


def _parts(rows: Sequence[Candidate], *, size: int) -> Iterator[Sequence[Candidate]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _store(
    tx: Repositories, session: Session, decisions: Sequence[Decision], *, clock: Clock, ids: Ids
) -> Operation | None:
    """Rows, event and index operation in one transaction; None where nothing changed."""
    counts = Counter(decision.status for decision in decisions)
    if not counts["created"] + counts["updated"]:
        return None
    apply(tx, session, decisions, clock=clock)
    announce(
        tx,
        session,
        "items.added",
        {"created": counts["created"], "updated": counts["updated"]},
        clock=clock,
    )
    return index_operation(tx, session, ids=ids, clock=clock)


# --- refusals ---------------------------------------------------------------


def _refused(rows: Sequence[NewItem | Exception]) -> dict[int, tuple[FieldError, ...]]:
    """Errors of rows that are bad by themselves or among one another, by index."""
    refused = {i: _errors_of(row) for i, row in enumerate(rows) if not isinstance(row, NewItem)}
    for places in _repeated(rows):
        named = ", ".join(map(str, places))
        detail = f"rows {named} have the same external id (by default, the same text)"
        error = FieldError(pointer="/external_id", code="duplicate-external-id", detail=detail)
        refused |= dict.fromkeys(places, (error,))
    return refused


def _repeated(rows: Sequence[NewItem | Exception]) -> list[list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if isinstance(row, NewItem):
            places[row.external_id].append(index)
    return [found for found in places.values() if len(found) > 1]


def _errors_of(row: Exception) -> tuple[FieldError, ...]:
    if not isinstance(row, TailwiseError):
        raise row
    return row.errors or (FieldError(pointer="", code=row.code, detail=row.detail),)


def _invalid(
    rows: Sequence[NewItem | Exception], refused: dict[int, tuple[FieldError, ...]]
) -> InvalidInput:
    errors = [_within(i, error) for i in sorted(refused) for error in refused[i]]
    repeated = _repeated(rows)
    return InvalidInput(
        f"{len(refused)} of {len(rows)} rows are refused; nothing was stored",
        code=_common_code(errors, otherwise="invalid-items"),
        errors=errors,
        extras={"indexes": repeated} if repeated else {},
    )


def _refuse_conflicts(decisions: Sequence[Decision]) -> None:
    errors = [_within(d.index, d.error) for d in decisions if d.error is not None]
    if errors:
        raise Conflict(
            f"{len(errors)} of {len(decisions)} rows contradict the pool; nothing was stored",
            code=_common_code(errors, otherwise="items-refused"),
            errors=errors,
        )


def _common_code(errors: Sequence[FieldError], *, otherwise: str) -> str:
    codes = {error.code for error in errors}
    return codes.pop() if len(codes) == 1 else otherwise


def _within(index: int, error: FieldError) -> FieldError:
    return replace(error, pointer=f"/items/{index}{error.pointer}")


# --- results ----------------------------------------------------------------


def _rejected(index: int, row: NewItem | Exception, errors: tuple[FieldError, ...]) -> RowResult:
    name = row.external_id if isinstance(row, NewItem) else None
    return RowResult(
        index=index, status="rejected", external_id=name, error=_within(index, errors[0])
    )


def _result(decision: Decision) -> RowResult:
    return RowResult(
        index=decision.index,
        status=decision.status,
        id=decision.id,
        external_id=decision.item.external_id,
        error=_within(decision.index, decision.error) if decision.error else None,
    )


def _summary(results: Sequence[RowResult], *, operation: Operation | None) -> IngestResult:
    counts = Counter(result.status for result in results)
    return IngestResult(
        created=counts["created"],
        updated=counts["updated"],
        unchanged=counts["unchanged"],
        skipped=counts["skipped"],
        rejected=counts["rejected"],
        results=tuple(results),
        operation=operation,
    )
