"""Select: reserve the next batch, by arithmetic on stored arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.answers import complete_batch
from core.arrays import PoolArrays
from core.checks import answers_needed
from core.closing import clear_way
from core.envelopes import utc
from core.errors import Conflict, InvalidInput
from core.events import announce
from core.pool import PoolView, QueryStrategy, Selection
from core.poolview import pool_view
from core.ports import Blobs, Clock, Ids, Repositories, Store
from core.records import (
    Batch,
    BatchItem,
    Choice,
    IndexVersion,
    Item,
    Session,
)
from core.registry import Registry
from core.requests import ClusterShare, SelectRequest, SelectResult
from core.select_rules import (
    affordable,
    not_indexed,
    refuse_busy,
    refuse_empty,
    refuse_open,
)
from core.session_rules import require_open
from core.settling import look, settle
from core.uncertainty import entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The request with the session's settings filled in."""

    size: int
    requested: int
    strategy: Choice
    min_distance: float
    seed: int
    round: int
    allow_parallel: bool
    seconds: float | None


def select(
    session: Session,
    request: SelectRequest,
    *,
    request_key: str | None,
    max_batch: int,
    store: Store,
    blobs: Blobs,
    strategies: Registry[QueryStrategy],
    clock: Clock,
    ids: Ids,
) -> SelectResult:
    """The next batch: exactly ``size`` items, or fewer with the reason.

    Raises Conflict ``session-not-open``, ``batch-open``, ``not-indexed``, ``pool-empty``,
    ``budget-exceeded`` or ``operation-in-progress``, InvalidInput ``size-too-large``.
    Deterministic for (pool, model, labels, seed). Open batches that waited too long expire
    first, and ``supersede`` closes the others.
    """
    size = session.settings.batch_size if request.size is None else request.size
    if size > max_batch:
        raise InvalidInput.at(
            "/size",
            f"a batch has at most {max_batch} items",
            code="size-too-large",
            limit=max_batch,
        )
    strategy = strategies.make(request.strategy or session.settings.strategy)
    clear_way(
        session,
        supersede=request.supersede,
        repeats=request_key,
        allowed=lambda tx, current: _prepare(tx, current, request, size=size),
        store=store,
        clock=clock,
    )
    with store.read() as tx:
        if request_key and (earlier := tx.batches.by_request(session.id, request_key)):
            return _summary(
                earlier,
                _view(tx, session, tx.indexes.get(session.id, earlier.index_id), blobs=blobs),
            )
        plan, version = _prepare(tx, session, request, size=size)
        view = _view(tx, session, version, blobs=blobs)
    refuse_empty(view)
    rng = np.random.default_rng([plan.seed, 2, plan.round])
    chosen = strategy.select(view, plan.size, min_distance=plan.min_distance, rng=rng)
    batch = _reserve(
        session, plan, version, chosen, request_key=request_key, store=store, clock=clock, ids=ids
    )
    return _summary(batch, view)


def _prepare(
    tx: Repositories, session: Session, request: SelectRequest, *, size: int
) -> tuple[_Plan, IndexVersion]:
    """Refuse what the state forbids, and settle every open choice."""
    require_open(session, verb="select")
    refuse_busy(tx.operations.unfinished(session.id, ("retrain", "activate")))
    if not request.allow_parallel:
        refuse_open(tx, session)
    version = tx.indexes.latest(session.id)
    if version is None or (tx.items.unindexed(session.id) and not request.allow_unindexed):
        raise not_indexed(tx.operations.unfinished(session.id, ("import", "index")))
    settings = session.settings
    plan = _Plan(
        size=affordable(tx, session, size=size),
        requested=size,
        strategy=request.strategy or settings.strategy,
        min_distance=settings.min_distance
        if request.min_distance is None
        else request.min_distance,
        seed=settings.seed if request.seed is None else request.seed,
        round=tx.batches.count(session.id) + 1,
        allow_parallel=request.allow_parallel,
        seconds=_patience(session, request),
    )
    return plan, version


def _patience(session: Session, request: SelectRequest) -> float | None:
    """Seconds the batch waits for answers; None = for ever."""
    hours = session.settings.people.batch_hours
    if request.ttl_s is not None:
        return request.ttl_s
    return None if hours is None else hours * 3600


def _view(tx: Repositories, session: Session, version: IndexVersion, *, blobs: Blobs) -> PoolView:
    classes = session.task.class_ids
    if version.model_id is not None:
        classes = tx.models.get(session.id, version.model_id).classes
    return pool_view(
        PoolArrays(version, blobs=blobs),
        task=session.task,
        classes=classes,
        busy=tx.items.busy_positions(session.id),
        labelled=tx.labels.labelled(session.id),
    )


def _reserve(
    session: Session,
    plan: _Plan,
    version: IndexVersion,
    chosen: Selection,
    *,
    request_key: str | None,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> Batch:
    """Write the batch and take its items in one transaction."""
    with store.write() as tx:
        require_open(tx.sessions.get(session.tenant_id, session.id, lock=True), verb="select")
        if not plan.allow_parallel:
            refuse_open(tx, session)
        rows = tx.items.by_positions(session.id, [pick.position for pick in chosen.picks])
        if tx.batches.count(session.id) + 1 != plan.round or not _all_free(rows, chosen):
            raise Conflict(
                "the pool changed while the batch was being chosen; select again",
                code="pool-changed",
            )
        batch = _batch(session, plan, version, chosen, rows=rows, ids=ids, now=clock.now())
        tx.batches.add(batch)
        if request_key:
            tx.batches.remember_request(batch.id, request_key)
        tx.items.set_state(session.id, [item.item_id for item in batch.items], "selected")
        data = {
            "batch_id": batch.id,
            "round": batch.round,
            "size": len(batch.items),
            "expires_at": utc(batch.expires_at) if batch.expires_at else None,
        }
        announce(tx, session, "batch.ready", data, clock=clock)
        _count_earlier_votes(tx, session, batch, clock=clock, ids=ids)
    return batch


def _count_earlier_votes(
    tx: Repositories, session: Session, batch: Batch, *, clock: Clock, ids: Ids
) -> None:
    """What people answered in a batch that closed unanswered counts in this one."""
    votes = tx.labels.votes(session.id, [item.item_id for item in batch.items])
    if votes:
        scene = look(tx, session, {vote.item_id for vote in votes})
        settle(tx, session, scene, clock=clock, ids=ids)
        complete_batch(tx, session, batch, clock=clock)


def _batch(
    session: Session,
    plan: _Plan,
    version: IndexVersion,
    chosen: Selection,
    *,
    rows: Mapping[int, Item],
    ids: Ids,
    now: datetime,
) -> Batch:
    """The record of what was chosen and why."""
    within_budget = plan.size == plan.requested
    return Batch(
        id=ids.new("bat"),
        tenant_id=session.tenant_id,
        session_id=session.id,
        round=plan.round,
        state="open",
        strategy=plan.strategy.name,
        strategy_used=chosen.strategy_used,
        seed=plan.seed,
        index_id=version.id,
        model_id=version.model_id,
        requested=plan.requested,
        shortfall=plan.requested - len(chosen.picks),
        shortfall_reason=chosen.reason or (None if within_budget else "budget"),
        items=tuple(
            BatchItem(
                item_id=rows[pick.position].id,
                external_id=rows[pick.position].external_id,
                pick=pick,
                answers_needed=answers_needed(session, rows[pick.position].external_id),
            )
            for pick in chosen.picks
        ),
        created_at=now,
        expires_at=None if plan.seconds is None else now + timedelta(seconds=plan.seconds),
    )


def _all_free(rows: Mapping[int, Item], chosen: Selection) -> bool:
    return all(
        pick.position in rows and rows[pick.position].state == "pooled" for pick in chosen.picks
    )


def _summary(batch: Batch, view: PoolView) -> SelectResult:
    """The batch with each touched cluster's size, share and mean entropy."""
    taken = Counter(item.pick.cluster for item in batch.items)
    rows = np.flatnonzero(view.eligible)
    clusters = view.clusters[rows]
    sizes = np.bincount(clusters, minlength=view.cluster_count)
    sums = None
    if view.probabilities is not None:
        uncertainty = entropy(view.probabilities[rows], multi_label=view.multi_label)
        sums = np.bincount(clusters, weights=uncertainty, minlength=view.cluster_count)
    shares = [
        ClusterShare(
            id=cluster,
            size=int(sizes[cluster]),
            taken=taken[cluster],
            mean_entropy=None
            if sums is None or not sizes[cluster]
            else float(sums[cluster] / sizes[cluster]),
        )
        for cluster in sorted(taken)
    ]
    return SelectResult(batch=batch, clusters=tuple(shares))
