"""Label: append what people or the oracle answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.errors import Conflict
from core.events import announce
from core.labelling import record_answers
from core.ports import Clock, Ids, Oracle, Repositories, Store
from core.records import LabelEvent, Session
from core.requests import LabelResult, Mode, NewLabel


def label(
    session: Session,
    answers: Sequence[NewLabel],
    *,
    annotator_id: str,
    mode: Mode,
    allow_unsolicited: bool,
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

    Raises Conflict ``oracle-mismatch`` in a session whose labels people give, and
    ``gold-missing`` (with the items) where the oracle has no answer.
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
    if batch.state == "cancelled":
        raise Conflict("the batch was cancelled", code="batch-closed")
    waiting = [i.item_id for i in batch.items if items[i.item_id].state == "selected"]
    oracle = oracle_for(session, noise)
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
    """Take back one's own current answer; what it replaced counts again.

    Models trained on it keep their watermark. Raises Conflict ``label-not-current`` or
    ``not-your-label``.
    """
    with store.write() as tx:
        tx.sessions.get(session.tenant_id, session.id, lock=True)
        target = tx.labels.get(session.id, label_id)
        if target.annotator_id != annotator_id:
            raise Conflict("somebody else gave this label", code="not-your-label")
        if not tx.labels.counts_now(session.id, target.id):
            raise Conflict("the label was replaced or undone already", code="label-not-current")
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
        _restore(tx, session, target.item_id)
        announce(
            tx,
            session,
            "label.undone",
            {"label_id": event.id, "target_id": target.id, "label_watermark": event.seq},
            clock=clock,
        )
    return event


def _restore(tx: Repositories, session: Session, item_id: str) -> None:
    """Put the item where its remaining answers say it is; an open batch waits for it again."""
    before = tx.labels.current(session.id, [item_id]).get(item_id)
    batch = tx.batches.containing(session.id, [item_id]).get(item_id)
    if before is not None:
        tx.items.set_labels(session.id, {item_id: (before.labels, "resolved")})
    elif batch is not None and batch.state != "cancelled":
        tx.items.set_labels(session.id, {item_id: (None, "selected")})
        tx.batches.set_state(batch.id, "open")
    else:
        tx.items.set_labels(session.id, {item_id: (None, "pooled")})
