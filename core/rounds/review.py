"""Review: people (or the screens) decide which variations may train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from core.answers import check_labels
from core.errors import Conflict, FieldError, InvalidInput, TailwiseError
from core.events import announce
from core.ports import Clock, Repositories, Store
from core.records import Generation, GenerationState, Session
from core.requests import Mode, ReviewDecision, ReviewResult, ReviewRow
from core.texts import text_hash


def review(
    session: Session,
    decisions: Sequence[ReviewDecision],
    *,
    reviewer: str,
    mode: Mode,
    store: Store,
    clock: Clock,
) -> ReviewResult:
    """Apply decisions in order; atomic raises the first refusal and stores nothing.

    A decided row changes again only for a caller who names its revision. Refusals:
    NotFound ``unknown-generation``; Conflict ``already-reviewed``, ``generation-dropped``;
    PreconditionFailed; InvalidInput ``missing-field``, ``test-leak`` and label codes.
    """
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        if current.state in {"closed", "deleting"}:
            raise Conflict(
                "a closed session takes no reviews",
                code="session-not-open",
                extras={"state": current.state},
            )
        rows = [
            _attempt(tx, current, decision, index=n, reviewer=reviewer, mode=mode, clock=clock)
            for n, decision in enumerate(decisions)
        ]
        states = Counter(row.state for row in rows)
        counts = {state: states[state] for state in ("accepted", "edited", "rejected")}
        if any(counts.values()):
            announce(tx, session, "generations.reviewed", counts, clock=clock)
    return ReviewResult(
        accepted=states["accepted"],
        edited=states["edited"],
        rejected=states["rejected"],
        failed=states[None],
        results=tuple(rows),
    )


def _attempt(
    tx: Repositories,
    session: Session,
    decision: ReviewDecision,
    *,
    index: int,
    reviewer: str,
    mode: Mode,
    clock: Clock,
) -> ReviewRow:
    """One decision; a refusal is a row, unless the request is all or nothing."""
    try:
        return _decide(tx, session, decision, index=index, reviewer=reviewer, clock=clock)
    except TailwiseError as error:
        if mode == "atomic":
            raise
        found = FieldError(pointer=f"/decisions/{index}", code=error.code, detail=error.detail)
        return ReviewRow(index=index, generation_id=decision.generation_id, error=found)


def _decide(
    tx: Repositories,
    session: Session,
    decision: ReviewDecision,
    *,
    index: int,
    reviewer: str,
    clock: Clock,
) -> ReviewRow:
    row = tx.generations.get(session.id, decision.generation_id)
    expected = decision.expected_revision
    if row.state == "dropped":
        raise Conflict(
            "the row copies a stored text or leaks a test row; it cannot train",
            code="generation-dropped",
        )
    if row.state != "proposed" and expected is None:
        raise Conflict(
            f"the row was {row.state} already; name its revision to decide again",
            code="already-reviewed",
            extras={"state": row.state, "revision": row.revision},
        )
    changed = replace(
        _changed(tx, session, row, decision),
        reviewer=reviewer,
        reason=decision.reason,
        revision=row.revision + 1,
        reviewed_at=clock.now(),
    )
    tx.generations.save(changed, expected_revision=row.revision if expected is None else expected)
    return ReviewRow(
        index=index, generation_id=row.id, state=changed.state, revision=changed.revision
    )


def _changed(
    tx: Repositories, session: Session, row: Generation, decision: ReviewDecision
) -> Generation:
    """The row as the decision leaves it; what was written first is kept beside an edit."""
    if decision.decision == "reject":
        return replace(row, state="rejected")
    text, labels = row.text, row.labels
    if decision.decision == "edit":
        text = _edited_text(tx, session, decision)
    if decision.decision == "relabel" and decision.labels is None:
        raise InvalidInput.at("/labels", "relabel needs labels", code="missing-field")
    if decision.labels is not None:
        labels = check_labels(decision.labels, task=session.task)
    same = text == row.text and labels == row.labels
    state: GenerationState = "accepted" if same else "edited"
    return replace(
        row,
        state=state,
        text=text,
        labels=labels,
        original_text=row.original_text or (row.text if text != row.text else None),
        original_labels=row.original_labels or (row.labels if labels != row.labels else None),
    )


def _edited_text(tx: Repositories, session: Session, decision: ReviewDecision) -> str:
    text = (decision.text or "").strip()
    if not text:
        raise InvalidInput.at("/text", "edit needs a text", code="missing-field")
    match = tx.items.hash_matches(session.id, [text_hash(text)])
    if any(split == "test" for _, split in match.values()):
        raise InvalidInput.at("/text", "this text is a test row", code="test-leak")
    return text
