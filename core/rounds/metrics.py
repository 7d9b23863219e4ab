"""Metrics: read what the session's rounds add up to; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core import report_pool, report_stopping, reporting
from core.arrays import PoolArrays
from core.metrics import class_counts, imbalance, lost_labels, stuck_clusters
from core.ports import Blobs, Repositories, Store
from core.records import (
    Batch,
    Generation,
    GenerationState,
    IndexVersion,
    Labelled,
    Labels,
    Model,
    Operation,
    Options,
    Page,
    Session,
    Task,
)
from core.report_models import curve_with_intervals
from core.report_pool import RoundArrays
from core.report_stopping import Scored
from core.reporting import WrittenCounts, check_plot

PAGE_ROWS = 500

Row = TypeVar("Row", Generation, Operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What one read transaction saw of a session; ``index`` None before indexing.

    ``classes`` is the column order of the index's probabilities.
    """

    batches: tuple[Batch, ...]
    labelled: tuple[Labelled, ...]
    models: tuple[Model, ...]
    scored: tuple[Scored, ...]
    rows: dict[str, int]
    bought: int
    unindexed: int
    busy: NDArray[np.int64]
    index: IndexVersion | None
    indexes: dict[str, IndexVersion]
    classes: Labels
    thresholds: Mapping[str, float] | None
    written: WrittenCounts
    totals: Mapping[tuple[str, GenerationState], int]
    checked: tuple[int, int]
    operations: tuple[Operation, ...]
    dollars: dict[str, float]


def metrics(session: Session, *, store: Store, blobs: Blobs) -> Options:
    """Everything a lead asks of a session, from counts to warnings, JSON-shaped."""
    with store.read() as tx:
        facts = _read(tx, session)
    arrays = PoolArrays(facts.index, blobs=blobs) if facts.index else None
    rounds = _rounds(facts, blobs=blobs)
    free = report_pool.free_positions(arrays, busy=facts.busy)
    predicted = report_pool.predicted_counts(
        arrays, free=free, classes=facts.classes, thresholds=facts.thresholds
    )
    answers = {row.item_id: row.labels for row in facts.labelled}
    human = class_counts(answers.values(), classes=session.task.class_ids)
    return {
        "session_id": session.id,
        "round": len(facts.batches),
        "counts": _counts(facts),
        "balance": reporting.balance(
            session.task,
            human=human,
            written=facts.written,
            predicted=predicted,
            answers=len(answers),
            totals=facts.totals,
        ),
        "evenness": reporting.evenness(session.task, batches=facts.batches, answers=answers),
        "coverage": report_pool.coverage(rounds, labelled=facts.labelled),
        "learning_curve": {"models": reporting.learning_curve(facts.models)},
        "entropy": report_pool.entropy_figures(
            rounds, arrays=arrays, free=free, classes=len(facts.classes), task=session.task
        ),
        "cost": reporting.cost(
            operations=facts.operations,
            batches=facts.batches,
            dollars=facts.dollars,
            task=session.task,
        ),
        "generation": reporting.generation(
            session.task, written=facts.written, totals=facts.totals
        ),
        "stopping": report_stopping.stopping(facts.scored, task=session.task, blobs=blobs),
        "warnings": _warnings(session, facts, human=human, arrays=arrays, free=free),
    }


def clusters(
    session: Session, *, batch_id: str | None = None, store: Store, blobs: Blobs
) -> Options:
    """Each cluster's size, labels and entropy, and a map of at most 1,200 rows by id.

    ``rows`` counts the pool rows that the map stands for. ``last_batch`` marks the dots of
    the last batch, or of ``batch_id``; raises NotFound ``unknown-batch``.
    """
    with store.read() as tx:
        index = tx.indexes.latest(session.id)
        labelled = tuple(tx.labels.labelled(session.id))
        batches = tx.batches.all(session.id)
        busy = tx.items.busy_positions(session.id)
        asked = tx.batches.get(session.id, batch_id) if batch_id else None
    last = asked or (batches[-1] if batches else None)
    answer: dict[str, Any] = {
        "session_id": session.id,
        "index_id": index.id if index else None,
        "model_id": index.model_id if index else None,
        "cluster_count": index.cluster_count if index else 0,
        "last_batch_id": batches[-1].id if batches else None,
        "batch_id": last.id if last else None,
        "maximum_entropy": _maximum(session.task),
        "clusters": [],
        "points": [],
        "rows": 0,
    }
    if index is None:
        return answer
    arrays = PoolArrays(index, blobs=blobs)
    free = report_pool.free_positions(arrays, busy=busy)
    picked = [i.pick.position for i in last.items] if last else []
    positions = report_pool.map_positions(arrays, labelled=labelled, last=picked)
    with store.read() as tx:
        items = tx.items.by_positions(session.id, [int(p) for p in positions])
    answer["clusters"] = report_pool.cluster_rows(
        arrays, free=free, labelled=labelled, multi_label=session.task.multi_label
    )
    answer["rows"] = sum(row["size"] for row in answer["clusters"])
    answer["points"] = report_pool.map_points(
        arrays,
        positions=positions,
        items=items,
        labelled=labelled,
        last=picked,
        multi_label=session.task.multi_label,
    )
    return answer


def _maximum(task: Task) -> float:
    return report_pool.highest_entropy(len(task.classes), multi_label=task.multi_label)


def plot_data(session: Session, name: str, *, store: Store, blobs: Blobs) -> Options:
    """What ``adapters.charts.render`` needs to draw ``name``.

    Raises InvalidInput ``unknown-plot``.
    """
    check_plot(name)
    if name == "clusters":
        return clusters(session, store=store, blobs=blobs)
    if name == "curve":
        with store.read() as tx:
            return {"learning_curve": curve_with_intervals(tx.models.all(session.id))}
    return metrics(session, store=store, blobs=blobs)


def _read(tx: Repositories, session: Session) -> _Facts:
    index = tx.indexes.latest(session.id)
    batches = tuple(sorted(tx.batches.all(session.id), key=lambda batch: batch.round))
    classes, thresholds = session.task.class_ids, None
    if index is not None and index.model_id is not None:
        model = tx.models.get(session.id, index.model_id)
        classes, thresholds = model.classes, model.thresholds
    seen = sorted({batch.index_id for batch in batches})
    written = _pages(lambda page: tx.generations.list(session.id, page))
    operations = _pages(
        lambda page: tx.operations.list(
            session.tenant_id, page, session_id=session.id, kind="generate"
        )
    )
    return _Facts(
        batches=batches,
        labelled=tuple(tx.labels.labelled(session.id)),
        models=tuple(tx.models.all(session.id)),
        scored=report_stopping.scored(tx, session.id),
        rows=dict(tx.items.counts(session.id)),
        bought=tx.labels.bought(session.id),
        unindexed=tx.items.unindexed(session.id),
        busy=tx.items.busy_positions(session.id),
        index=index,
        indexes={index_id: tx.indexes.get(session.id, index_id) for index_id in seen},
        classes=classes,
        thresholds=thresholds,
        written=tx.generations.counts(session.id),
        totals=tx.generations.totals(session.id),
        checked=reporting.lost_label_counts(written),
        operations=tuple(operations),
        dollars=dict(tx.costs.by_operation(session.id)),
    )


def _pages(fetch: Callable[[Page], Sequence[Row]]) -> Iterator[Row]:
    """Every row of a listing, one page in memory at a time."""
    after: str | None = None
    while True:
        rows = fetch(Page(limit=PAGE_ROWS, after=after))
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].id


def _rounds(facts: _Facts, *, blobs: Blobs) -> list[RoundArrays]:
    """The batches with their arrays; batches chosen from one index share them."""
    arrays = {i: PoolArrays(version, blobs=blobs) for i, version in facts.indexes.items()}
    return [RoundArrays(batch=batch, arrays=arrays[batch.index_id]) for batch in facts.batches]


def _counts(facts: _Facts) -> dict[str, int]:
    """Rows by split and state, labels, variations, batches and models."""

    def rows(prefix: str) -> int:
        return sum(number for key, number in facts.rows.items() if key.startswith(prefix))

    states: dict[str, int] = dict.fromkeys(reporting.FATES, 0)
    for (_, state), number in facts.totals.items():
        states[state] += number
    return {
        "pool": rows("pool/"),
        "test": rows("test/"),
        "reserve": rows("reserve/"),
        "check": rows("check/"),
        "unlabelled": rows("pool/pooled"),
        "selected": rows("pool/selected"),
        "labelled": len(facts.labelled),
        "labelled_by_models": sum(row.opinion for row in facts.labelled),
        "excluded": rows("pool/excluded"),
        "unindexed": facts.unindexed,
        "labels_bought": facts.bought,
        "generations_proposed": states["proposed"],
        "generations_usable": states["accepted"] + states["edited"],
        "generations_rejected": states["rejected"],
        "generations_dropped": states["dropped"],
        "batches": len(facts.batches),
        "models": len(facts.models),
    }


def _warnings(
    session: Session,
    facts: _Facts,
    *,
    human: dict[str, int],
    arrays: PoolArrays | None,
    free: NDArray[np.int64],
) -> list[dict[str, Any]]:
    """The paper's three failure signatures, where they show."""
    checked, lost = facts.checked
    wanted = any(c.target_share is not None for c in session.task.classes)
    found = [
        _stuck(facts, arrays=arrays, free=free),
        lost_labels(checked=checked, lost=lost),
        imbalance(human, shares=session.task.target_shares() if wanted else None),
    ]
    return [
        {"code": sign.code, "message": sign.message, "facts": dict(sign.facts)}
        for sign in found
        if sign is not None
    ]


def _stuck(facts: _Facts, *, arrays: PoolArrays | None, free: NDArray[np.int64]) -> Any:
    """Picks are placed in the present clustering, since ids may change when it is refitted."""
    if arrays is None:
        return None
    present = arrays.clusters()
    rounds = [
        [int(present[i.pick.position]) for i in batch.items if i.pick.position < len(present)]
        for batch in facts.batches
    ]
    return stuck_clusters(rounds, cluster_count=len(np.unique(present[free])))
