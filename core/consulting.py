"""Asking an oracle that may leave items to people: a part of a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.events import announce
from core.labelling import record_answers
from core.opinions import Consultation, Doubt
from core.ports import Clock, Consultant, Ids, Repositories, Store
from core.records import Batch, Session
from core.requests import Escalation, LabelResult, NewLabel
from core.session_rules import require_accepting

AT_ONCE: Final = 50
"""Items that one request asks about: more would outlast a client's patience."""

ESCALATED: Final = "item.escalated"
PAGE: Final = 1_000


def consult(
    session: Session,
    batch: Batch,
    waiting: Sequence[str],
    *,
    oracle: Consultant,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> LabelResult:
    """Ask about the first ``AT_ONCE`` waiting items, store what is known, and escalate the rest.

    An escalated item stays in the people's queue and is not asked about again; so does one
    that needs several people's answers, without being asked about at all. ``remaining``
    counts the items that another request would ask about.
    """
    require_accepting(session)
    with store.read() as tx:
        before = _escalated(tx, session, batch, oracle=oracle.name)
    several = {item.item_id for item in batch.items if item.answers_needed > 1}
    left = [item_id for item_id in waiting if item_id not in before]
    alone = [item_id for item_id in left if item_id not in several]
    said = oracle.consult(alone[:AT_ONCE])
    doubts: dict[str, Doubt] = {i: "several-answers" for i in left if i in several}
    doubts |= said.doubts
    result = _store(
        session, batch, said, doubts, oracle=oracle.name, store=store, clock=clock, ids=ids
    )
    return replace(
        result,
        escalated=tuple(Escalation(item_id=i, reason=doubt) for i, doubt in doubts.items()),
        remaining=len(alone) - len(said.answers) - len(said.doubts),
    )


def _store(
    session: Session,
    batch: Batch,
    said: Consultation,
    doubts: Mapping[str, Doubt],
    *,
    oracle: str,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> LabelResult:
    """Partial: what somebody answered while the oracle was thinking stays theirs."""
    answers = [NewLabel(item_id=i, labels=x, batch_id=batch.id) for i, x in said.answers.items()]
    with store.write() as tx:
        result = record_answers(
            tx,
            session,
            answers,
            annotator_id=f"oracle:{oracle}",
            oracle=oracle,
            mode="partial",
            allow_unsolicited=False,
            clock=clock,
            ids=ids,
        )
        for item_id, doubt in doubts.items():
            facts = {"item_id": item_id, "batch_id": batch.id, "reason": doubt, "oracle": oracle}
            announce(tx, session, ESCALATED, facts, clock=clock)
    return result


def _escalated(tx: Repositories, session: Session, batch: Batch, *, oracle: str) -> set[str]:
    """The batch's items that this oracle has left to people."""
    found: set[str] = set()
    after = 0
    while True:
        rows = tx.events.list(session.id, after=after, limit=PAGE, types=(ESCALATED,))
        mine = [r.data for r in rows if r.data.get("oracle") == oracle]
        found.update(str(d["item_id"]) for d in mine if d.get("batch_id") == batch.id)
        if len(rows) < PAGE:
            return found
        after = rows[-1].sequence
