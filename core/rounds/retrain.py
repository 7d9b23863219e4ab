"""Retrain: snapshot, fit, export, check, evaluate, score the pool and activate."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from core.arrays import PoolArrays, rescored
from core.errors import Conflict
from core.events import announce
from core.fitting import Workbench, fit, verdict
from core.judging import shard_scorer
from core.ports import (
    Blobs,
    Clock,
    Ids,
    Job,
    Jobs,
    Repositories,
    Store,
)
from core.records import (
    IndexVersion,
    Labels,
    Model,
    Operation,
    Options,
    Session,
)
from core.requests import RetrainRequest
from core.session_rules import require_index, require_open
from core.snapshot_rows import snapshot_rows
from core.submission import conclude, repeated, submit
from core.trainable import refuse_too_few


def start_retrain(
    session: Session,
    request: RetrainRequest,
    *,
    request_key: str | None,
    join: bool = False,
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> Operation:
    """Fix the snapshot and queue the training; ``join`` returns one that is not finished yet.

    Raises Conflict ``session-not-open``, ``insufficient-classes``, ``nothing-new``,
    ``not-indexed`` or ``operation-in-progress``.
    """
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        known = repeated(tx, session, request_key)
        running = tx.operations.unfinished(session.id, ("retrain",)) if join else ()
        if known is not None or running:
            operation = known or running[0]
        else:
            require_open(current, verb="retrain")
            snapshot = _snapshot(tx, current, request)
            operation, _ = submit(
                tx,
                current,
                kind="retrain",
                input=snapshot,
                lane=f"{session.id}:retrain",
                request_key=request_key,
                ids=ids,
                clock=clock,
            )
    jobs.enqueue(operation)
    return operation


def _snapshot(tx: Repositories, session: Session, request: RetrainRequest) -> dict[str, Any]:
    """What exactly will be trained on, as the operation's input."""
    watermark = tx.labels.watermark(session.id)
    labelled = tx.labels.labelled(session.id, watermark=watermark)
    least = session.settings.min_per_class
    if request.min_per_class is not None:
        least = request.min_per_class
    refuse_too_few(session, labelled, min_per_class=least)
    require_index(tx, session)
    generated = tx.generations.usable(session.id) if request.include_generated else ()
    basis = f"{watermark}:{len(generated)}:{max((g.revision for g in generated), default=0)}"
    _refuse_nothing_new(tx, session, request, basis=basis)
    settings = session.settings
    weight = request.generated_weight
    return {
        "label_watermark": watermark,
        "generation_ids": [row.id for row in generated],
        "basis": basis,
        "round": tx.batches.count(session.id),
        "min_per_class": least,
        "generated_weight": settings.generated_weight if weight is None else weight,
        "activate": request.activate or settings.activate,
        "seed": settings.seed if request.seed is None else request.seed,
    }


def _refuse_nothing_new(
    tx: Repositories, session: Session, request: RetrainRequest, *, basis: str
) -> None:
    models = tx.models.all(session.id)
    if models and models[-1].parameters.get("basis") == basis and not request.force:
        raise Conflict(
            "no label or variation is new since the last model; force trains all the same",
            code="nothing-new",
            extras={"watermark": models[-1].label_watermark, "model_id": models[-1].id},
        )


def retrain(
    operation: Operation,
    session: Session,
    *,
    job: Job,
    bench: Workbench,
    store: Store,
    blobs: Blobs,
    clock: Clock,
    ids: Ids,
) -> Options:
    """Train on the operation's snapshot; labels that came later wait for the next model."""
    snapshot = operation.input
    job.progress("prepare", 0, 4)
    with store.read() as tx:
        version = require_index(tx, session)
        labelled = tx.labels.labelled(session.id, watermark=snapshot["label_watermark"])
        rows = tx.generations.by_ids(session.id, snapshot["generation_ids"])
        active = tx.models.active(session.id)
        number = tx.models.next_version(session.id)
    arrays = PoolArrays(version, blobs=blobs)
    data = snapshot_rows(session, snapshot, labelled, rows, arrays=arrays, bench=bench, store=store)
    job.check()
    job.progress("fit", 1, 4)
    tools: dict[str, Any] = {
        "session": session,
        "arrays": arrays,
        "bench": bench,
        "store": store,
        "blobs": blobs,
    }
    fitted = job.step("fit", partial(fit, data, snapshot, job=job, **tools))
    job.check()
    decided = verdict(snapshot["activate"], fitted, active, **tools)
    model = _model(
        operation,
        session,
        fitted,
        decided,
        classes=data.classes,
        version=number,
        encoder_id=bench.encoder.id,
        now=clock.now(),
    )
    scored = None
    if decided["activated"]:
        classifier = bench.load(blobs.get(model.onnx))
        score = shard_scorer(classifier, session=session, job=job, store=store, blobs=blobs)
        scored = rescored(version, model, score=score, job=job, blobs=blobs, clock=clock, ids=ids)
    result = _result(model, decided)
    _publish(operation, session, model, scored, result, store=store, clock=clock)
    return result


def _model(
    operation: Operation,
    session: Session,
    fitted: Options,
    decided: Options,
    *,
    classes: Labels,
    version: int,
    encoder_id: str,
    now: datetime,
) -> Model:
    """The model's record; its id follows from the operation's, so that a repeat agrees."""
    snapshot = operation.input
    waits = decided["activated"] or snapshot["activate"] == "manual"
    extra = {"basis": snapshot["basis"], "generated_weight": snapshot["generated_weight"]}
    return Model(
        id=f"mdl_{operation.id.partition('_')[2]}",
        tenant_id=session.tenant_id,
        session_id=session.id,
        version=version,
        round=snapshot["round"],
        state="candidate" if waits else "rejected",
        learner=session.settings.learner.name,
        encoder_id=encoder_id,
        classes=classes,
        onnx=fitted["onnx"],
        label_watermark=snapshot["label_watermark"],
        human_counts=fitted["human_counts"],
        generated_counts=fitted["generated_counts"],
        parameters={**fitted["parameters"], **extra},
        metrics=fitted["metrics"],
        evaluated_on=fitted["evaluated_on"],
        parity=fitted["parity"],
        revision=1,
        created_at=now,
        thresholds=fitted.get("thresholds"),
    )


def _result(model: Model, decided: Options) -> dict[str, Any]:
    """What the operation tells its caller."""
    return {
        "model_id": model.id,
        "version": model.version,
        "label_watermark": model.label_watermark,
        "classes": list(model.classes),
        "human_counts": dict(model.human_counts),
        "generated_counts": dict(model.generated_counts),
        "evaluated_on": model.evaluated_on,
        "metrics": model.metrics,
        "parity": model.parity,
        **({"thresholds": model.thresholds} if model.thresholds is not None else {}),
        **decided,
    }


def _publish(
    operation: Operation,
    session: Session,
    model: Model,
    scored: IndexVersion | None,
    result: Options,
    *,
    store: Store,
    clock: Clock,
) -> None:
    """Model, scores, activation, event and ending in one transaction."""
    with store.write() as tx:
        tx.models.add(model)
        if scored is not None:
            tx.indexes.add(scored)
            tx.models.set_state(model.session_id, model.id, "active")
        data = {
            "model_id": model.id,
            "version": model.version,
            "operation_id": operation.id,
            "activated": scored is not None,
        }
        announce(tx, session, "model.trained", data, clock=clock)
        conclude(tx, operation, "succeeded", result=result, now=clock.now())
