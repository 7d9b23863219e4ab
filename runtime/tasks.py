"""What a worker runs for each kind of operation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import PoolArrays, Score
from core.embedding import embed
from core.erasing import Eraser
from core.handing_in import Post
from core.judging import Rows, judge, shard_scorer
from core.ports import BatchWriter, Encoder, Generator, Job
from core.purse import SessionPurse
from core.records import Choice, Operation, OperationKind, Options, Session
from core.rounds import (
    activate,
    export,
    generate,
    generate_batch,
    imports,
    index,
    plan,
    purge,
    retrain,
)
from core.variations import Classify, Desk
from core.written import Written
from runtime.tailwise import Tailwise

Task = Callable[[Tailwise, Operation, Job], Options]


def _import(tailwise: Tailwise, operation: Operation, job: Job) -> Options:
    return imports.run_import(
        operation,
        _session_of(tailwise, operation),
        job=job,
        reader=tailwise.reader,
        blobs=tailwise.blobs,
        **tailwise.queue(),
    )


def _index(tailwise: Tailwise, operation: Operation, job: Job) -> Options:
    session = _session_of(tailwise, operation)
    return index.index(
        operation,
        session,
        job=job,
        encoder=tailwise.encoder_for(session.settings.encoder),
        clusterer=tailwise.clusterers.make(session.settings.clusterer),
        scorer=partial(_scorer, tailwise, session, job),
        **tailwise.files(),
    )


def _generate(tailwise: Tailwise, operation: Operation, job: Job) -> Options:
    session = _session_of(tailwise, operation)
    with tailwise.store.read() as tx:
        context, plans = plan.prepare(tx, session, operation.input, press=tailwise.press)
        labelled = plan.labelled_positions(tx, session)
    generator = tailwise.press.make(session, _choice(operation.input["generator"]))
    purse = _purse(tailwise, session, operation, generator=generator)
    encoder = tailwise.encoder_for(session.settings.encoder)
    desk = Desk(
        session=session,
        operation=operation,
        context=context,
        arrays=PoolArrays(context.version, blobs=tailwise.blobs),
        labelled=labelled,
        written=_written(tailwise, session, operation, encoder=encoder),
        generator=generator,
        encoder=encoder,
        classify=_opinions(tailwise, session, context.version.model_id),
        store=tailwise.store,
        clock=tailwise.clock,
    )
    if isinstance(generator, BatchWriter):
        post = Post(
            operation=operation,
            writer=generator,
            purse=purse,
            store=tailwise.store,
            clock=tailwise.clock,
            pause=time.sleep,
            job=job,
        )
        return generate_batch.generate_batch(operation, desk=desk, plans=plans, post=post)
    return generate.generate(
        operation, desk=desk, plans=plans, generator=generator, purse=purse, job=job
    )


def _written(
    tailwise: Tailwise, session: Session, operation: Operation, *, encoder: Encoder
) -> Written:
    """What new variations are compared with: rows that may train, then this operation's own,
    in the order in which a run without a crash would have met them."""
    with tailwise.store.read() as tx:
        usable = tx.generations.usable(session.id)
        own = tx.generations.of_operation(session.id, operation.id)
    rows = [*(row for row in usable if row.operation_id != operation.id), *own]
    texts = [row.text for row in rows]
    written = Written(encoder.dimension)
    written.add(
        rows, embed(texts, tenant_id=session.tenant_id, encoder=encoder, store=tailwise.store)
    )
    return written


def _purse(
    tailwise: Tailwise,
    session: Session,
    operation: Operation,
    *,
    generator: Generator | BatchWriter,
) -> SessionPurse:
    return SessionPurse(
        session,
        operation_id=operation.id,
        generator=generator.name,
        model=generator.model,
        max_dollars=operation.input["max_dollars"],
        store=tailwise.store,
        clock=tailwise.clock,
        ids=tailwise.ids,
    )


def _retrain(tailwise: Tailwise, operation: Operation, job: Job) -> Options:
    session = _session_of(tailwise, operation)
    return retrain.retrain(
        operation, session, job=job, bench=tailwise.bench_for(session), **tailwise.files()
    )


def _activate(tailwise: Tailwise, operation: Operation, job: Job) -> Options:
    session = _session_of(tailwise, operation)
    return activate.activate(
        operation, session, job=job, load=tailwise.load_model, **tailwise.files()
    )


def _export(tailwise: Tailwise, operation: Operation, job: Job) -> Options:
    return export.run_export(
        operation,
        _session_of(tailwise, operation),
        job=job,
        store=tailwise.store,
        blobs=tailwise.blobs,
        writer=tailwise.writer,
    )


def _delete(tailwise: Tailwise, operation: Operation, job: Job) -> Options:
    return purge.purge(
        operation,
        job=job,
        store=tailwise.store,
        blobs=tailwise.blobs,
        jobs=tailwise.jobs,
        clock=tailwise.clock,
        eraser=Eraser(
            counter_for=tailwise.batch_counter,
            store=tailwise.store,
            clock=tailwise.clock,
            pause=time.sleep,
        ),
    )


def _session_of(tailwise: Tailwise, operation: Operation) -> Session:
    return tailwise.session(operation.tenant_id, operation.session_id)


def _scorer(tailwise: Tailwise, session: Session, job: Job, model_id: str) -> Score:
    with tailwise.store.read() as tx:
        model = tx.models.get(session.id, model_id)
    return shard_scorer(
        tailwise.load_model(tailwise.blobs.get(model.onnx)),
        session=session,
        job=job,
        store=tailwise.store,
        blobs=tailwise.blobs,
    )


def _opinions(tailwise: Tailwise, session: Session, model_id: str | None) -> Classify | None:
    """The model's probabilities by class id; None before the first model."""
    if model_id is None:
        return None
    with tailwise.store.read() as tx:
        model = tx.models.get(session.id, model_id)
    classifier = tailwise.classifier(model.onnx)

    def classify(texts: Sequence[str], vectors: NDArray[np.float32]) -> list[Mapping[str, float]]:
        rows = judge(classifier, Rows(vectors=vectors, texts=lambda: texts))
        return [dict(zip(model.classes, map(float, row), strict=True)) for row in rows]

    return classify


def _choice(document: Mapping[str, Any]) -> Choice:
    return Choice(name=document["name"], options=document["options"])


TASKS: Mapping[OperationKind, Task] = MappingProxyType(
    {
        "import": _import,
        "index": _index,
        "generate": _generate,
        "retrain": _retrain,
        "activate": _activate,
        "export": _export,
        "delete": _delete,
    }
)
