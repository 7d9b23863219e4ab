"""How one answer meets an item: what is stored, replayed or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from core.admission import admit, check_lease, find, replayed, shown_state
from core.answers import check_labels, complete_batch
from core.errors import FieldError, TailwiseError
from core.events import announce
from core.history import VOICES, WORDS
from core.ledger import Ledger, Upload, open_ledger, scene_of
from core.people import AssignmentState
from core.ports import Clock, Ids, Repositories
from core.records import Item, ItemState, LabelEvent, Session
from core.requests import LabelResult, LabelRow, Mode, NewLabel
from core.session_rules import require_accepting
from core.settling import after, look, settle

STORED: Final = frozenset({"created", "superseded", "skipped"})
WAITS: Final[frozenset[ItemState]] = frozenset({"selected", "conflict"})
"""States of an item that keep its batch open."""


def record_answers(
    tx: Repositories,
    session: Session,
    answers: Sequence[NewLabel],
    *,
    annotator_id: str,
    oracle: str,
    mode: Mode,
    allow_unsolicited: bool,
    allow_extra: bool = False,
    clock: Clock,
    ids: Ids,
) -> LabelResult:
    """Append the answers inside the caller's transaction, in order.

    Atomic raises the first refusal (NotFound, InvalidInput, NotAllowed or Conflict);
    partial reports it and goes on. What several people said of an item is decided when
    the last of them answered. Closes batches whose last item got its answer.
    """
    session = tx.sessions.get(session.tenant_id, session.id, lock=True)
    require_accepting(session)
    upload = Upload(
        session=session,
        annotator_id=annotator_id,
        oracle=oracle,
        allow_unsolicited=allow_unsolicited,
        allow_extra=allow_extra,
        now=clock.now(),
    )
    ledger = open_ledger(tx, upload, answers)
    rows = []
    for index, answer in enumerate(answers):
        try:
            rows.append(_record(ledger, upload, answer, index=index, clock=clock, ids=ids))
        except TailwiseError as error:
            if mode == "atomic":
                raise _pointed(error, index) from None
            rows.append(_rejected(error, index))
    _store(tx, upload, ledger, clock=clock, ids=ids)
    rows = [_moved(row, ledger) for row in rows]
    return LabelResult(
        accepted=sum(row.status in STORED for row in rows),
        replayed=sum(row.status == "replayed" for row in rows),
        rejected=sum(row.status == "rejected" for row in rows),
        results=tuple(rows),
        label_watermark=ledger.watermark,
    )


def decline(
    tx: Repositories,
    session: Session,
    item: Item,
    *,
    annotator_id: str,
    assignment_id: str | None,
    note: str | None,
    clock: Clock,
    ids: Ids,
) -> ItemState:
    """One person will not answer an item; the state that leaves it in.

    As many people as the session's ``skip_limit`` take it out, which may complete its
    batch. The caller holds the session's lock and ends the assignment.
    """
    scene = look(tx, session, [item.id])
    batch = scene.batches.get(item.id)
    event = LabelEvent(
        id=ids.new("lab"),
        tenant_id=session.tenant_id,
        session_id=session.id,
        item_id=item.id,
        seq=scene.watermark + 1,
        kind="declined",
        labels=(),
        oracle="human",
        annotator_id=annotator_id,
        client_label_id=None,
        batch_id=batch.id if batch else None,
        target_id=None,
        guidelines_version=session.guidelines_version,
        note=note,
        duration_ms=None,
        status="on_time",
        created_at=clock.now(),
        assignment_id=assignment_id,
    )
    tx.labels.add_many([event])
    if item.split == "check":
        return shown_state(item, "declined", session=session)
    settled = settle(tx, session, after(scene, [event]), clock=clock, ids=ids)
    if batch is not None:
        complete_batch(tx, session, batch, clock=clock)
    return settled.states[item.id]


def _record(
    ledger: Ledger, upload: Upload, answer: NewLabel, *, index: int, clock: Clock, ids: Ids
) -> LabelRow:
    session = upload.session
    item = find(ledger, answer)
    lease = check_lease(ledger, answer, item)
    labels = () if answer.skip else check_labels(answer.labels, task=session.task)
    earlier = replayed(ledger, upload, answer, item, labels=labels)
    if earlier is not None:
        return LabelRow(
            index=index,
            status="replayed",
            label_id=earlier.id,
            item_id=item.id,
            item_state=shown_state(item, earlier.kind, session=session),
        )
    admitted = admit(ledger, upload, answer, item, lease=lease)
    batch = ledger.batches.get(item.id)
    event = LabelEvent(
        id=ids.new("lab"),
        tenant_id=session.tenant_id,
        session_id=session.id,
        item_id=item.id,
        seq=ledger.watermark + 1,
        kind=admitted.kind,
        labels=labels,
        oracle=upload.oracle,
        annotator_id=upload.annotator_id,
        client_label_id=answer.client_label_id,
        batch_id=batch.id if batch else None,
        target_id=answer.supersedes,
        guidelines_version=session.guidelines_version,
        note=answer.note,
        duration_ms=answer.duration_ms,
        status=admitted.status,
        created_at=clock.now(),
        assignment_id=lease.id if lease else None,
    )
    return _advance(ledger, upload, item, event, index=index)


def _advance(
    ledger: Ledger, upload: Upload, item: Item, event: LabelEvent, *, index: int
) -> LabelRow:
    """Append the event and let the next answer of the upload meet what it left."""
    ledger.appended.append(event)
    ledger.watermark = event.seq
    if event.client_label_id:
        ledger.by_client_id[event.client_label_id] = event
    if event.kind in WORDS:
        item = _decide(ledger, item, event)
    else:
        ledger.said[item.id] = event
    return LabelRow(
        index=index,
        status=_told(event),
        label_id=event.id,
        item_id=item.id,
        item_state=shown_state(item, event.kind, session=upload.session),
    )


def _decide(ledger: Ledger, item: Item, event: LabelEvent) -> Item:
    """A person's own word on the item takes effect at once."""
    skipped = event.kind == "skipped"
    item = replace(
        item,
        state="excluded" if skipped else "resolved",
        labels=None if skipped else event.labels,
    )
    ledger.items[item.id] = item
    ledger.current.pop(item.id, None)
    if not skipped:
        ledger.current[item.id] = event
    return item


def _told(event: LabelEvent) -> Literal["created", "superseded", "skipped"]:
    """Whether several people answer, and who checks whom, shows in no row."""
    if event.kind in {"skipped", "declined"}:
        return "skipped"
    return "superseded" if event.target_id else "created"


def _store(tx: Repositories, upload: Upload, ledger: Ledger, *, clock: Clock, ids: Ids) -> None:
    if not ledger.appended:
        return
    session = upload.session
    tx.labels.add_many(ledger.appended)
    decided = {e.item_id for e in ledger.appended if e.kind in WORDS}
    tx.items.set_labels(
        session.id, {i: (ledger.items[i].labels, ledger.items[i].state) for i in decided}
    )
    announce(
        tx,
        session,
        "labels.added",
        {"count": len(ledger.appended), "label_watermark": ledger.watermark},
        clock=clock,
    )
    _end_leases(tx, upload, ledger)
    voted = {e.item_id for e in ledger.appended if e.kind in VOICES} - decided
    if voted:
        settled = settle(tx, session, scene_of(ledger, voted), clock=clock, ids=ids)
        ledger.settled, ledger.watermark = settled.states, settled.watermark
    touched = {b.id: b for i, b in ledger.batches.items() if i in decided | voted}
    waiting = {b.id for i, b in ledger.batches.items() if ledger.settled.get(i) in WAITS}
    for batch_id in sorted(touched.keys() - waiting):
        complete_batch(tx, session, touched[batch_id], clock=clock)


def _end_leases(tx: Repositories, upload: Upload, ledger: Ledger) -> None:
    """An answer ends what its person held, named or not."""
    ended: dict[AssignmentState, list[str]] = {"submitted": [], "skipped": []}
    for event in ledger.appended:
        if event.assignment_id is not None:
            skipped = event.kind in {"skipped", "declined"}
            ended["skipped" if skipped else "submitted"].append(event.assignment_id)
    for state, assignment_ids in ended.items():
        if assignment_ids:
            tx.assignments.end(assignment_ids, state, now=upload.now)


def _moved(row: LabelRow, ledger: Ledger) -> LabelRow:
    """The row with where its item came to be when all votes were in."""
    state = ledger.settled.get(row.item_id or "")
    return row if state is None or row.status == "rejected" else replace(row, item_state=state)


def _pointed(error: TailwiseError, index: int) -> TailwiseError:
    """The same refusal, its pointers leading into the upload."""
    error.errors = tuple(
        replace(found, pointer=f"/labels/{index}{found.pointer}") for found in error.errors
    ) or (FieldError(pointer=f"/labels/{index}", code=error.code, detail=error.detail),)
    return error


def _rejected(error: TailwiseError, index: int) -> LabelRow:
    found = _pointed(error, index)
    return LabelRow(index=index, status="rejected", error=found.errors[0], extras=found.extras)
