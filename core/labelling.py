"""How one answer meets an item: what is stored, replayed or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core.answers import check_labels, complete_batch
from core.errors import Conflict, FieldError, NotFound, TailwiseError
from core.events import announce
from core.ports import Clock, Ids, Repositories
from core.records import Batch, Item, ItemState, LabelEvent, LabelKind, Labels, Session
from core.requests import LabelResult, LabelRow, Mode, NewLabel

Status = Literal["created", "superseded", "skipped", "replayed", "rejected"]


@dataclass(slots=True, kw_only=True)
class _Ledger:
    """The state an upload starts from; each stored answer moves it on, so that the second
    answer for an item in one upload meets the first."""

    items: dict[str, Item]
    by_external_id: dict[str, str]
    current: dict[str, LabelEvent]
    by_client_id: dict[str, LabelEvent]
    batches: dict[str, Batch]
    watermark: int
    left_to_buy: int | None
    appended: list[LabelEvent] = field(default_factory=list)


def record_answers(
    tx: Repositories,
    session: Session,
    answers: Sequence[NewLabel],
    *,
    annotator_id: str,
    oracle: str,
    mode: Mode,
    allow_unsolicited: bool,
    clock: Clock,
    ids: Ids,
) -> LabelResult:
    """Append the answers inside the caller's transaction, in order.

    Atomic raises the first refusal (NotFound, InvalidInput or Conflict); partial reports
    it and goes on. Closes batches whose last item got its answer.
    """
    session = tx.sessions.get(session.tenant_id, session.id, lock=True)
    if session.state not in {"open", "paused"}:
        raise Conflict(
            f"labels need an open session; this one is {session.state}",
            code="session-not-open",
            extras={"state": session.state},
        )
    ledger = _open_ledger(tx, session, answers, annotator_id=annotator_id)
    rows = []
    for index, answer in enumerate(answers):
        try:
            rows.append(
                _record(
                    ledger,
                    session,
                    answer,
                    index=index,
                    annotator_id=annotator_id,
                    oracle=oracle,
                    allow_unsolicited=allow_unsolicited,
                    clock=clock,
                    ids=ids,
                )
            )
        except TailwiseError as error:
            if mode == "atomic":
                raise _pointed(error, index) from None
            rows.append(_rejected(error, index))
    _store(tx, session, ledger, clock=clock)
    return LabelResult(
        accepted=sum(row.status in {"created", "superseded", "skipped"} for row in rows),
        replayed=sum(row.status == "replayed" for row in rows),
        rejected=sum(row.status == "rejected" for row in rows),
        results=tuple(rows),
        label_watermark=ledger.watermark,
    )


def _open_ledger(
    tx: Repositories, session: Session, answers: Sequence[NewLabel], *, annotator_id: str
) -> _Ledger:
    by_id = tx.items.by_ids(session.id, [a.item_id for a in answers if a.item_id])
    by_external = tx.items.by_external_ids(
        session.id, [a.external_id for a in answers if a.external_id]
    )
    items = {item.id: item for item in (*by_id.values(), *by_external.values())}
    client_ids = [a.client_label_id for a in answers if a.client_label_id]
    limit = session.settings.budget.labels
    return _Ledger(
        items=items,
        by_external_id={name: item.id for name, item in by_external.items()},
        current=dict(tx.labels.current(session.id, list(items))),
        by_client_id=dict(tx.labels.by_client_ids(session.id, annotator_id, client_ids)),
        batches=dict(tx.batches.containing(session.id, list(items))),
        watermark=tx.labels.watermark(session.id),
        left_to_buy=None if limit is None else limit - tx.labels.bought(session.id),
    )


def _record(
    ledger: _Ledger,
    session: Session,
    answer: NewLabel,
    *,
    index: int,
    annotator_id: str,
    oracle: str,
    allow_unsolicited: bool,
    clock: Clock,
    ids: Ids,
) -> LabelRow:
    item = _find(ledger, answer)
    labels = () if answer.skip else check_labels(answer.labels, task=session.task)
    earlier = _replayed(ledger, answer, item, labels=labels, annotator_id=annotator_id)
    if earlier is not None:
        return LabelRow(
            index=index,
            status="replayed",
            label_id=earlier.id,
            item_id=item.id,
            item_state=item.state,
        )
    kind = _admit(ledger, answer, item, allow_unsolicited=allow_unsolicited)
    event = LabelEvent(
        id=ids.new("lab"),
        tenant_id=session.tenant_id,
        session_id=session.id,
        item_id=item.id,
        seq=ledger.watermark + 1,
        kind=kind,
        labels=labels,
        oracle=oracle,
        annotator_id=annotator_id,
        client_label_id=answer.client_label_id,
        batch_id=ledger.batches[item.id].id if item.id in ledger.batches else None,
        target_id=answer.supersedes,
        guidelines_version=session.guidelines_version,
        note=answer.note,
        duration_ms=answer.duration_ms,
        status="on_time" if item.state != "pooled" else "unsolicited",
        created_at=clock.now(),
    )
    return _advance(ledger, item, event, index=index)


def _find(ledger: _Ledger, answer: NewLabel) -> Item:
    item_id = answer.item_id or ledger.by_external_id.get(answer.external_id or "")
    if item_id not in ledger.items:
        raise NotFound("this session has no such item", code="unknown-item")
    return ledger.items[item_id]


def _replayed(
    ledger: _Ledger, answer: NewLabel, item: Item, *, labels: Labels, annotator_id: str
) -> LabelEvent | None:
    """The event this answer repeats; raises Conflict where it contradicts one."""
    if answer.client_label_id and (event := ledger.by_client_id.get(answer.client_label_id)):
        told = (event.item_id, event.labels, event.kind == "skipped")
        if told != (item.id, labels, answer.skip):
            raise Conflict(
                "this client_label_id was used for another answer",
                code="client-label-id-reused",
                extras={"label_id": event.id},
            )
        return event
    current = ledger.current.get(item.id)
    if current is None or answer.supersedes:
        return None
    if current.annotator_id != annotator_id:
        raise Conflict(
            "the item has its answer already",
            code="batch-closed" if answer.batch_id else "overlap-reached",
            extras={"label_id": current.id},
        )
    if answer.skip or current.labels != labels:
        raise Conflict(
            "you answered this item differently; name that label in supersedes, or undo it",
            code="already-labelled",
            extras={"label_id": current.id},
        )
    return current


def _admit(ledger: _Ledger, answer: NewLabel, item: Item, *, allow_unsolicited: bool) -> LabelKind:
    """The kind of event to append; raises Conflict where the item may not be answered."""
    current = ledger.current.get(item.id)
    if answer.supersedes:
        if current is None or current.id != answer.supersedes:
            raise Conflict(
                "supersedes must name the item's current label",
                code="label-not-current",
                extras={"label_id": current.id if current else None},
            )
        return "skipped" if answer.skip else "superseded"
    if item.split != "pool":
        raise Conflict(
            f"a {item.split} row is never labelled",
            code="item-not-in-pool",
            extras={"split": item.split},
        )
    if item.state == "excluded":
        raise Conflict("the item was skipped or taken out", code="item-excluded")
    if item.state == "pooled" and not allow_unsolicited:
        batch = ledger.batches.get(item.id)
        closed = batch is not None and batch.state == "cancelled"
        raise Conflict(
            "its batch was cancelled" if closed else "the item is in no open batch",
            code="batch-closed" if closed else "item-not-selected",
        )
    if item.state == "pooled" and not answer.skip:
        _buy(ledger)
    return "skipped" if answer.skip else "created"


def _buy(ledger: _Ledger) -> None:
    """An unsolicited answer counts against the label budget; a selected item already did."""
    if ledger.left_to_buy is None:
        return
    if ledger.left_to_buy <= 0:
        raise Conflict("the label budget is spent", code="budget-exceeded")
    ledger.left_to_buy -= 1


def _advance(ledger: _Ledger, item: Item, event: LabelEvent, *, index: int) -> LabelRow:
    """Append the event and let the next answer of the upload meet what it left."""
    skipped = event.kind == "skipped"
    state: ItemState = "excluded" if skipped else "resolved"
    ledger.appended.append(event)
    ledger.watermark = event.seq
    ledger.items[item.id] = replace(item, state=state, labels=None if skipped else event.labels)
    if event.client_label_id:
        ledger.by_client_id[event.client_label_id] = event
    ledger.current.pop(item.id, None)
    if not skipped:
        ledger.current[item.id] = event
    status: Status = "created" if event.kind == "undone" else event.kind
    return LabelRow(
        index=index, status=status, label_id=event.id, item_id=item.id, item_state=state
    )


def _store(tx: Repositories, session: Session, ledger: _Ledger, *, clock: Clock) -> None:
    if not ledger.appended:
        return
    tx.labels.add_many(ledger.appended)
    touched = {event.item_id for event in ledger.appended}
    tx.items.set_labels(
        session.id, {i: (ledger.items[i].labels, ledger.items[i].state) for i in touched}
    )
    announce(
        tx,
        session,
        "labels.added",
        {"count": len(ledger.appended), "label_watermark": ledger.watermark},
        clock=clock,
    )
    touched_batches = {b.id: b for i, b in ledger.batches.items() if i in touched}
    for _, batch in sorted(touched_batches.items()):
        complete_batch(tx, session, batch, clock=clock)


def _pointed(error: TailwiseError, index: int) -> TailwiseError:
    """The same refusal, its pointers leading into the upload."""
    error.errors = tuple(
        replace(found, pointer=f"/labels/{index}{found.pointer}") for found in error.errors
    ) or (FieldError(pointer=f"/labels/{index}", code=error.code, detail=error.detail),)
    return error


def _rejected(error: TailwiseError, index: int) -> LabelRow:
    found = _pointed(error, index)
    return LabelRow(index=index, status="rejected", error=found.errors[0], extras=found.extras)
