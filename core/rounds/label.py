"""Label: append what people or the oracle answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from core.admission import PERSON
from core.answers import complete_batch
from core.consulting import consult
from core.errors import Conflict
from core.events import announce
from core.history import History
from core.labelling import record_answers
from core.people import CLOSED, UNDONE
from core.ports import Clock, Consultant, Ids, Oracle, Repositories, Store
from core.records import LabelEvent, Session
from core.requests import LabelResult, Mode, NewLabel
from core.settling import look, settle

UNDOABLE: Final = 10
"""How many of their latest answers a person can take back."""


def label(
    session: Session,
    answers: Sequence[NewLabel],
    *,
    annotator_id: str,
    mode: Mode,
    allow_unsolicited: bool,
    allow_extra: bool = False,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> LabelResult:
    """Store people's answers; see ``core.labelling`` for what is replayed and refused."""
    with store.write() as tx:
        return record_answers(
            tx,
            session,
            answers,
            annotator_id=annotator_id,
            oracle="human",
            mode=mode,
            allow_unsolicited=allow_unsolicited,
            allow_extra=allow_extra,
            clock=clock,
            ids=ids,
        )


def label_by_oracle(
    session: Session,
    batch_id: str,
    *,
    noise: float | None,
    oracle_for: Callable[[Session, float | None], Oracle],
    store: Store,
    clock: Clock,
    ids: Ids,
) -> LabelResult:
    """Ask the session's oracle about a batch now, and store what it knows.

    One that may leave items to people is asked about a part of the batch; see
    ``core.consulting``. Raises Conflict ``oracle-mismatch`` in a session whose labels
    people give, and ``gold-missing`` (with the items) where another has no answer.
    """
    if session.settings.oracle.name == "human":
        raise Conflict(
            "people label this session; its settings name no oracle that could be asked",
            code="oracle-mismatch",
            extras={"oracle": session.settings.oracle.name},
        )
    with store.read() as tx:
        batch = tx.batches.get(session.id, batch_id)
        items = tx.items.by_ids(session.id, [item.item_id for item in batch.items])
    if batch.state not in {"open", "completed"}:
        raise Conflict(
            f"the batch was {batch.state}", code="batch-closed", extras={"state": batch.state}
        )
    waiting = [i.item_id for i in batch.items if items[i.item_id].state == "selected"]
    oracle = oracle_for(session, noise)
    if isinstance(oracle, Consultant):
        return consult(session, batch, waiting, oracle=oracle, store=store, clock=clock, ids=ids)
    known = oracle.ask(waiting)
    missing = [item_id for item_id in waiting if item_id not in known]
    if missing:
        raise Conflict(
            "the oracle has no answer for some items",
            code="gold-missing",
            extras={"items": missing},
        )
    answers = [NewLabel(item_id=i, labels=known[i], batch_id=batch_id) for i in waiting]
    with store.write() as tx:
        return record_answers(
            tx,
            session,
            answers,
            annotator_id=f"oracle:{oracle.name}",
            oracle=oracle.name,
            mode="atomic",
            allow_unsolicited=False,
            clock=clock,
            ids=ids,
        )


def undo_label(
    session: Session, label_id: str, *, annotator_id: str, store: Store, clock: Clock, ids: Ids
) -> LabelEvent:
    """Take back one's own standing answer or skip; what it replaced counts again.

    The item waits again where too little is left to decide it, and the person may be
    given it again. Models trained on it keep their watermark. Raises Conflict
    ``not-your-label``, ``label-not-current``, or ``undo-window-closed`` where a person
    goes back further than their last ten.
    """
    with store.write() as tx:
        tx.sessions.get(session.tenant_id, session.id, lock=True)
        target = tx.labels.get(session.id, label_id)
        _refuse_undo(tx, session, target, annotator_id=annotator_id)
        event = replace(
            target,
            id=ids.new("lab"),
            seq=tx.labels.watermark(session.id) + 1,
            kind="undone",
            labels=(),
            client_label_id=None,
            target_id=target.id,
            guidelines_version=session.guidelines_version,
            note=None,
            duration_ms=None,
            created_at=clock.now(),
        )
        tx.labels.add_many([event])
        _give_back(tx, session, target, clock=clock)
        _restore(tx, session, target, clock=clock, ids=ids)
        watermark = tx.labels.watermark(session.id)
        announce(
            tx,
            session,
            "label.undone",
            {"label_id": event.id, "target_id": target.id, "label_watermark": watermark},
            clock=clock,
        )
    return event


def latest_labels(
    session: Session, *, annotator_id: str, limit: int, store: Store
) -> Sequence[tuple[LabelEvent, bool]]:
    """A person's latest answers and skips, newest first, and whether each can be undone."""
    with store.read() as tx:
        latest = tx.labels.by_annotator(session.id, annotator_id, limit=limit)
        return [
            (event, place < UNDOABLE and tx.labels.counts_now(session.id, event.id))
            for place, event in enumerate(latest)
        ]


def _refuse_undo(
    tx: Repositories, session: Session, target: LabelEvent, *, annotator_id: str
) -> None:
    if target.annotator_id != annotator_id:
        raise Conflict("somebody else gave this label", code="not-your-label")
    if not tx.labels.counts_now(session.id, target.id):
        raise Conflict("the label was replaced or undone already", code="label-not-current")
    if not annotator_id.startswith(PERSON):
        return
    latest = tx.labels.by_annotator(session.id, annotator_id, limit=UNDOABLE)
    if target.id not in {event.id for event in latest}:
        raise Conflict(
            f"only your last {UNDOABLE} answers can be taken back",
            code="undo-window-closed",
            extras={"limit": UNDOABLE},
        )


def _give_back(tx: Repositories, session: Session, target: LabelEvent, *, clock: Clock) -> None:
    """The person may claim the item again, unless an earlier answer of theirs stands."""
    who, item_id = target.annotator_id, target.item_id
    history = History(tx.labels.of_items(session.id, [item_id])[item_id])
    said, word = history.said(who), history.word()
    if said is not None or (word is not None and word.annotator_id == who):
        return
    held = tx.assignments.of_person(session.id, who, [item_id])
    closed = [row.id for row in held.values() if row.state in CLOSED]
    if closed:
        tx.assignments.end(closed, "released", now=clock.now(), reason=UNDONE)


def _restore(
    tx: Repositories, session: Session, target: LabelEvent, *, clock: Clock, ids: Ids
) -> None:
    """Put the item where what is left of its answers says it is."""
    skipped = {target.item_id} if target.kind == "skipped" else set()
    scene = look(tx, session, [target.item_id])
    settle(tx, session, scene, clock=clock, ids=ids, unskipped=skipped)
    batch = scene.batches.get(target.item_id)
    if batch is not None:
        complete_batch(tx, session, batch, clock=clock)
