"""Activate: put an earlier or waiting model in charge, and score the pool with it."""

from __future__ import annotations

from collections.abc import Callable

from core.arrays import rescored
from core.errors import Conflict, PreconditionFailed
from core.events import announce
from core.judging import AnyClassifier, shard_scorer
from core.ports import Blobs, Clock, Ids, Job, Jobs, Store
from core.records import Operation, Options, Session
from core.session_rules import require_index, require_open
from core.submission import conclude, repeated, submit


def start_activate(
    session: Session,
    model_id: str,
    *,
    expected_revision: int,
    request_key: str | None,
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> Operation:
    """Queue the change; shares retrain's lane, since both replace the active model."""
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        if known := repeated(tx, session, request_key):
            return known
        require_open(current, verb="activate")
        model = tx.models.get(session.id, model_id)
        if model.revision != expected_revision:
            raise PreconditionFailed("the model changed since it was read")
        if model.state == "active":
            raise Conflict("the model is active already", code="model-active")
        operation, _ = submit(
            tx,
            current,
            kind="activate",
            input={"model_id": model_id},
            lane=f"{session.id}:retrain",
            request_key=request_key,
            ids=ids,
            clock=clock,
        )
    jobs.enqueue(operation)
    return operation


def activate(
    operation: Operation,
    session: Session,
    *,
    job: Job,
    load: Callable[[bytes], AnyClassifier],
    store: Store,
    blobs: Blobs,
    clock: Clock,
    ids: Ids,
) -> Options:
    """Score every shard with the model, then switch in one transaction."""
    with store.read() as tx:
        model = tx.models.get(session.id, operation.input["model_id"])
        version = require_index(tx, session)
    job.check()
    classifier = load(blobs.get(model.onnx))
    score = shard_scorer(classifier, session=session, job=job, store=store, blobs=blobs)
    scored = rescored(version, model, score=score, job=job, blobs=blobs, clock=clock, ids=ids)
    result = {"model_id": model.id, "version": model.version, "rows": version.rows}
    with store.write() as tx:
        tx.indexes.add(scored)
        tx.models.set_state(session.id, model.id, "active")
        announce(
            tx,
            session,
            "model.activated",
            {"model_id": model.id, "version": model.version},
            clock=clock,
        )
        conclude(tx, operation, "succeeded", result=result, now=clock.now())
    return result


def delete_model(
    session: Session, model_id: str, *, expected_revision: int, store: Store, clock: Clock
) -> None:
    """Take a model out of service; raises Conflict ``model-active`` for the active one."""
    with store.write() as tx:
        tx.sessions.get(session.tenant_id, session.id, lock=True)
        model = tx.models.get(session.id, model_id)
        if model.revision != expected_revision:
            raise PreconditionFailed("the model changed since it was read")
        if model.state == "active":
            raise Conflict("activate another model first", code="model-active")
        tx.models.delete(session.id, model_id)
        announce(
            tx,
            session,
            "model.deleted",
            {"model_id": model_id, "version": model.version},
            clock=clock,
        )
