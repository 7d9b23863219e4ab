"""A session at a glance: its phase and the verbs it allows, computed and never stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from core.ports import Repositories, Store
from core.records import Batch, Model, Operation, Session
from core.requests import Phase, SessionOverview

BUSY: Mapping[str, Phase] = {
    "import": "indexing",
    "index": "indexing",
    "retrain": "training",
    "activate": "training",
}


def _verbs(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_READY = "items imports select generate retrain predict export pause close delete"
ALLOWED: Mapping[Phase, tuple[str, ...]] = {
    "needs_items": _verbs("items imports close delete"),
    "indexing": _verbs("items imports label pause close delete"),
    "ready_to_select": _verbs(_READY),
    "labelling": _verbs("label cancel " + _READY.replace("select ", "")),
    "reviewing": _verbs(f"review {_READY}"),
    "ready_to_retrain": _verbs(_READY),
    "training": _verbs("items imports label review predict export pause close delete"),
    "budget_exhausted": _verbs("retrain review predict export pause close delete"),
    "paused": _verbs("label cancel review predict export resume close delete"),
    "closed": _verbs("predict export reopen delete"),
}
"""What a caller may do next; a verb may still be refused for a reason of its own."""

NEEDS_LABELS = frozenset({"generate", "retrain", "export"})
NEEDS_MODEL = frozenset({"predict"})


def overview(session: Session, *, store: Store) -> SessionOverview:
    """Counts, spending, what runs, and the phase they add up to."""
    with store.read() as tx:
        counts = _counts(tx, session)
        spent = {
            "labels": float(tx.labels.bought(session.id)),
            "dollars": tx.costs.total(session.id),
        }
        running = tuple(tx.operations.unfinished(session.id))
        open_batches = tx.batches.open(session.id)
        active = tx.models.active(session.id)
        watermark = tx.labels.watermark(session.id)
        rounds = tx.batches.count(session.id)
    newer = watermark > (active.label_watermark if active else 0)
    phase = _phase(session, counts, spent=spent, running=running, batches=open_batches, newer=newer)
    return SessionOverview(
        session=session,
        phase=phase,
        allowed=_allowed(phase, counts, active),
        counts=counts,
        spent=spent,
        round=rounds,
        active_model_id=active.id if active else None,
        open_batch_id=open_batches[-1].id if open_batches else None,
        running=running,
    )


def _counts(tx: Repositories, session: Session) -> dict[str, int]:
    rows: Counter[str] = Counter()
    for key, number in tx.items.counts(session.id).items():
        split, state = key.split("/")
        rows[split] += number
        if split == "pool":
            rows[state] += number
    written: Counter[str] = Counter()
    for (_, state), number in tx.generations.totals(session.id).items():
        written[state] += number
    return {
        "pool": rows["pool"],
        "test": rows["test"],
        "reserve": rows["reserve"],
        "check": rows["check"],
        "unlabelled": rows["pooled"],
        "selected": rows["selected"],
        "conflict": rows["conflict"],
        "labelled": rows["resolved"],
        "excluded": rows["excluded"],
        "unindexed": tx.items.unindexed(session.id),
        "generations_proposed": written["proposed"],
        "generations_usable": written["accepted"] + written["edited"],
    }


def _phase(
    session: Session,
    counts: Mapping[str, int],
    *,
    spent: Mapping[str, float],
    running: Sequence[Operation],
    batches: Sequence[Batch],
    newer: bool,
) -> Phase:
    """The first of these that holds; work overlaps, so this names what matters most now."""
    limit = session.settings.budget.labels
    busy = [BUSY[operation.kind] for operation in running if operation.kind in BUSY]
    cases: list[tuple[bool, Phase]] = [
        (session.state in {"closed", "deleting"}, "closed"),
        (session.state == "paused", "paused"),
        ("training" in busy, "training"),
        (counts["pool"] == 0, "needs_items"),
        (bool(batches), "labelling"),
        ("indexing" in busy or counts["unindexed"] > 0, "indexing"),
        (counts["generations_proposed"] > 0, "reviewing"),
        (newer, "ready_to_retrain"),
        (limit is not None and spent["labels"] >= limit, "budget_exhausted"),
    ]
    return next((phase for holds, phase in cases if holds), "ready_to_select")


def _allowed(phase: Phase, counts: Mapping[str, int], active: Model | None) -> tuple[str, ...]:
    missing: set[str] = set()
    if counts["labelled"] == 0:
        missing |= NEEDS_LABELS
    if active is None:
        missing |= NEEDS_MODEL
    return tuple(verb for verb in ALLOWED[phase] if verb not in missing)
