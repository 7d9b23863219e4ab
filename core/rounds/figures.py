"""Figures that a lead looks at one by one: the curve, the models and what a point cost."""

from __future__ import annotations

from collections.abc import Mapping

from core.ports import Repositories, Store
from core.records import Batch, Operation, Options, Page, Session
from core.report_baseline import random_baseline
from core.report_models import curve_with_intervals, model_figures
from core.report_value import value
from core.reporting import cost, learning_curve

PAGE_ROWS = 500
MS_PER_MINUTE = 60_000


def curve_figures(session: Session, *, alone: bool, store: Store) -> Options:
    """Macro-F1 with its interval against the labels bought, beside a random choice.

    ``alone``: the caller may see no other session, so that none is compared with.
    """
    with store.read() as tx:
        models = tx.models.all(session.id)
        baseline = random_baseline(tx, session, alone=alone)
    return {
        "session_id": session.id,
        **curve_with_intervals(models),
        "random_baseline": baseline,
    }


def quality_of_models(session: Session, *, store: Store) -> Options:
    """Each model's confusions, figures by class and calibration."""
    with store.read() as tx:
        models = tx.models.all(session.id)
    return {"session_id": session.id, **model_figures(models, task=session.task)}


def cost_figures(session: Session, *, store: Store) -> Options:
    """Dollars and people's minutes by round, and what a point of macro-F1 cost."""
    with store.read() as tx:
        batches = tx.batches.all(session.id)
        spent = cost(
            operations=_generations(tx, session),
            batches=batches,
            dollars=dict(tx.costs.by_operation(session.id)),
            task=session.task,
        )
        curve = learning_curve(tx.models.all(session.id))
        minutes = _minutes(tx.labels.time_spent(session.id), batches={b.id: b for b in batches})
    return {
        "session_id": session.id,
        **spent,
        "minutes": [{"round": n, "minutes": minutes[n]} for n in sorted(minutes)],
        "total_minutes": sum(minutes.values()),
        "per_point": value(curve, dollars=spent["rounds"], minutes=minutes),
    }


def _minutes(spent: Mapping[str | None, int], *, batches: Mapping[str, Batch]) -> dict[int, float]:
    """People's minutes by round; answers outside of batches belong to round 0."""
    minutes: dict[int, float] = {}
    for batch_id, milliseconds in spent.items():
        batch = batches.get(batch_id or "")
        number = batch.round if batch else 0
        minutes[number] = minutes.get(number, 0.0) + milliseconds / MS_PER_MINUTE
    return minutes


def _generations(tx: Repositories, session: Session) -> list[Operation]:
    """Every generate operation of the session."""
    found: list[Operation] = []
    while True:
        rows = tx.operations.list(
            session.tenant_id,
            Page(limit=PAGE_ROWS, after=found[-1].id if found else None),
            session_id=session.id,
            kind="generate",
        )
        found += rows
        if len(rows) < PAGE_ROWS:
            return found
