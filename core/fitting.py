"""Fit a head, check its export, and say how good it is and whether it should take over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import PoolArrays
from core.calibration import reliability
from core.errors import JobFailed
from core.judging import AnyClassifier, Rows, judge, texts_at
from core.metrics import evaluate
from core.multi_metrics import evaluate_labels
from core.ports import (
    Blobs,
    Classifier,
    Encoder,
    FittedHead,
    FittedText,
    Job,
    Learner,
    Store,
    TextClassifier,
    TextLearner,
)
from core.records import Labels, Model, Options, Session
from core.thresholds import choose_thresholds, drawn
from core.training import TrainingSet
from core.watching import watching


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """How models are fitted, loaded and trusted.

    ``load`` makes a classifier of ONNX bytes, of the kind they hold; ``parity`` measures a
    head against the fitted one and raises JobFailed ``onnx-parity`` (a text learner does so
    itself).
    """

    learner: Learner | TextLearner
    encoder: Encoder
    load: Callable[[bytes], AnyClassifier]
    parity: Callable[[FittedHead, Classifier, NDArray[np.float32]], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """A fitted model, loaded again from its file, with thresholds where it is multi-label."""

    onnx: bytes
    parameters: Options
    parity: float
    classifier: AnyClassifier
    thresholds: dict[str, float] | None


def fit(
    data: TrainingSet,
    snapshot: Options,
    *,
    session: Session,
    arrays: PoolArrays,
    bench: Workbench,
    job: Job,
    store: Store,
    blobs: Blobs,
) -> dict[str, Any]:
    """One model on all rows, its ONNX checked and evaluated: facts without text."""
    tools: dict[str, Any] = {"session": session, "bench": bench, "job": job}
    fitted = _fitted(data, seed=snapshot["seed"], **tools)
    test = _test_rows(session, arrays=arrays, store=store)
    if test is not None:
        metrics = _quality(
            fitted.classifier,
            *test,
            columns=data.classes,
            thresholds=fitted.thresholds,
            session=session,
        )
        evaluated_on = "test"
    else:
        metrics = _holdout_quality(data, snapshot, **tools)
        evaluated_on = "holdout" if metrics else "nothing"
    return {
        "onnx": blobs.put(fitted.onnx),
        "parity": fitted.parity,
        "parameters": {**fitted.parameters, **_row_counts(data)},
        "thresholds": fitted.thresholds,
        "metrics": metrics,
        "evaluated_on": evaluated_on,
        "human_counts": data.counts(data.human),
        "generated_counts": data.counts(~data.human),
    }


def _row_counts(data: TrainingSet) -> dict[str, int]:
    """Where a row counts once for each of its classes, the counts by class do not say it; nor
    do they say how many of the labels were a model's opinion."""
    opinions = int(data.opinions.sum())
    counts = {"opinion_rows": opinions} if opinions else {}
    if not data.multi_label:
        return counts
    rows = {"human_rows": int(data.human.sum()), "generated_rows": int((~data.human).sum())}
    return {**rows, **counts}


def _fitted(
    data: TrainingSet, *, seed: int, session: Session, bench: Workbench, job: Job
) -> _Fitted:
    learner = bench.learner
    if isinstance(learner, TextLearner):
        share = session.settings.holdout
        return _fitted_text(data, learner, seed=seed, share=share, bench=bench, job=job)
    return _fitted_head(data, learner, seed=seed, bench=bench)


def _fitted_head(data: TrainingSet, learner: Learner, *, seed: int, bench: Workbench) -> _Fitted:
    """Thresholds by cross-validation inside the set, since heads are quickly fitted."""

    def fit_head(train: TrainingSet) -> FittedHead:
        return learner.fit(
            train.vectors,
            train.targets,
            classes=len(train.classes),
            weights=train.weights,
            seed=seed,
        )

    def fit_predict(train: TrainingSet, judged: TrainingSet) -> NDArray[np.float32]:
        return fit_head(train).predict(judged.vectors)

    head = fit_head(data)
    classifier = bench.load(head.onnx)
    if isinstance(classifier, TextClassifier):
        raise JobFailed("the learner fitted a head, but its file reads texts", code="onnx-parity")
    return _Fitted(
        onnx=head.onnx,
        parameters=head.parameters,
        parity=bench.parity(head, classifier, data.vectors),
        classifier=classifier,
        thresholds=choose_thresholds(data, fit_predict=fit_predict) if data.multi_label else None,
    )


def _fitted_text(
    data: TrainingSet, learner: TextLearner, *, seed: int, share: float, bench: Workbench, job: Job
) -> _Fitted:
    """Thresholds on the rows that ended the training: more fits would take too long."""
    data, watched = watching(data, share=share)
    fitted: FittedText = learner.fit_texts(
        data.texts,
        data.targets,
        classes=len(data.classes),
        weights=data.weights,
        watched=watched,
        seed=seed,
        job=job,
    )
    classifier, judged = bench.load(fitted.onnx), data.rows(watched)
    return _Fitted(
        onnx=fitted.onnx,
        parameters=fitted.parameters,
        parity=fitted.parity,
        classifier=classifier,
        thresholds=drawn(judged, judge(classifier, _rows(judged))) if data.multi_label else None,
    )


def _rows(data: TrainingSet) -> Rows:
    return Rows(vectors=data.vectors, texts=lambda: data.texts)


def _test_rows(
    session: Session, *, arrays: PoolArrays, store: Store
) -> tuple[Rows, list[Labels]] | None:
    """(rows, gold) of the test rows with gold; None where there are none."""
    with store.read() as tx:
        rows = tx.items.gold_split(session.id, "test")
    rows = [row for row in rows if row[0] < arrays.version.rows]
    if not rows:
        return None
    positions = np.array([position for position, _, _ in rows], dtype=np.int64)

    def texts() -> list[str]:
        with store.read() as tx:
            return texts_at(tx, session, positions)

    return Rows(vectors=arrays.vectors(positions), texts=texts), [gold for _, _, gold in rows]


def _quality(
    classifier: AnyClassifier,
    rows: Rows,
    gold: list[Labels],
    *,
    columns: Labels,
    thresholds: Mapping[str, float] | None,
    session: Session,
) -> dict[str, Any]:
    """Metrics over the whole schema; classes the head never saw get probability 0."""
    classes = session.task.class_ids
    probabilities = np.zeros((len(gold), len(classes)), dtype=np.float32)
    where = [classes.index(class_id) for class_id in columns if class_id in classes]
    seen = [n for n, class_id in enumerate(columns) if class_id in classes]
    probabilities[:, where] = judge(classifier, rows)[:, seen]
    if thresholds is not None:
        members = np.array([[c in labels for c in classes] for labels in gold], dtype=np.bool_)
        found = evaluate_labels(probabilities, members, classes=classes, thresholds=thresholds)
        return {**found, "calibration": reliability(probabilities, members)} if found else {}
    kept = np.array([labels[0] in classes for labels in gold], dtype=bool)
    targets = np.array([classes.index(c) for c, *_ in gold if c in classes], dtype=np.int32)
    found = evaluate(probabilities[kept], targets, classes=classes)
    return {**found, "calibration": reliability(probabilities[kept], targets)} if found else {}


def _holdout_quality(
    data: TrainingSet, snapshot: Options, *, session: Session, bench: Workbench, job: Job
) -> dict[str, Any]:
    """An estimate on held-out human labels, by a second model that saw neither them nor
    variations of them; {} where a class would be left without rows."""
    held, rest = data.only_held_out(), data.without_held_out()
    if len(held.targets) == 0 or not rest.told_apart().all():
        return {}
    fitted = _fitted(rest, seed=snapshot["seed"], session=session, bench=bench, job=job)
    return _quality(
        fitted.classifier,
        _rows(held),
        held.labels(),
        columns=data.classes,
        thresholds=fitted.thresholds,
        session=session,
    )


def verdict(
    policy: str,
    fitted: Mapping[str, Any],
    active: Model | None,
    *,
    session: Session,
    arrays: PoolArrays,
    bench: Workbench,
    store: Store,
    blobs: Blobs,
) -> dict[str, Any]:
    """Whether the new model takes over, and how it compares with the active one.

    On test rows both are scored now, on the same rows; held-out figures are each
    model's own.
    """
    before = _active_f1(
        active,
        fitted["evaluated_on"],
        session=session,
        arrays=arrays,
        bench=bench,
        store=store,
        blobs=blobs,
    )
    now = fitted["metrics"].get("macro_f1")
    delta = None if before is None or now is None else now - before
    better = delta is None or delta > 0
    activated = policy == "auto" or (policy == "if_better" and better)
    return {"activated": activated, "activate": policy, "delta_macro_f1": delta}


def _active_f1(
    active: Model | None,
    evaluated_on: str,
    *,
    session: Session,
    arrays: PoolArrays,
    bench: Workbench,
    store: Store,
    blobs: Blobs,
) -> float | None:
    if active is None:
        return None
    test = _test_rows(session, arrays=arrays, store=store) if evaluated_on == "test" else None
    if test is None:
        value = active.metrics.get("macro_f1")
        return None if value is None else float(value)
    classifier = bench.load(blobs.get(active.onnx))
    quality = _quality(
        classifier, *test, columns=active.classes, thresholds=active.thresholds, session=session
    )
    return float(quality["macro_f1"])
