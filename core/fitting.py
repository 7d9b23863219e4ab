"""Fit a head, check its export, and say how good it is and whether it should take over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import PoolArrays, Score
from core.metrics import evaluate
from core.multi_metrics import evaluate_labels
from core.ports import Blobs, Classifier, Encoder, FittedHead, Learner, Store
from core.records import Labels, Model, Options, Session
from core.thresholds import choose_thresholds
from core.training import TrainingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """How heads are fitted, loaded and trusted.

    ``load`` makes a classifier of ONNX bytes; ``parity`` measures it against the fitted
    head and raises JobFailed ``onnx-parity``; ``scorer`` turns ONNX bytes into the
    function that scores a shard.
    """

    learner: Learner
    encoder: Encoder
    load: Callable[[bytes], Classifier]
    parity: Callable[[FittedHead, Classifier, NDArray[np.float32]], float]
    scorer: Callable[[bytes], Score]


def fit(
    data: TrainingSet,
    snapshot: Options,
    *,
    session: Session,
    arrays: PoolArrays,
    bench: Workbench,
    store: Store,
    blobs: Blobs,
) -> dict[str, Any]:
    """One head on all rows, its ONNX checked and evaluated: facts without text."""
    head = _fitted(data, seed=snapshot["seed"], bench=bench)
    classifier = bench.load(head.onnx)
    parity = bench.parity(head, classifier, data.vectors)
    thresholds = _thresholds(data, seed=snapshot["seed"], bench=bench)
    test = _test_rows(session, arrays=arrays, store=store)
    if test is not None:
        metrics = _quality(
            classifier, *test, columns=data.classes, thresholds=thresholds, session=session
        )
        evaluated_on = "test"
    else:
        metrics = _holdout_quality(data, session, snapshot, bench=bench)
        evaluated_on = "holdout" if metrics else "nothing"
    return {
        "onnx": blobs.put(head.onnx),
        "parity": parity,
        "parameters": {**head.parameters, **_row_counts(data)},
        "thresholds": thresholds,
        "metrics": metrics,
        "evaluated_on": evaluated_on,
        "human_counts": data.counts(data.human),
        "generated_counts": data.counts(~data.human),
    }


def _row_counts(data: TrainingSet) -> dict[str, int]:
    """Where a row counts once for each of its classes, the counts by class do not say it."""
    if not data.multi_label:
        return {}
    return {"human_rows": int(data.human.sum()), "generated_rows": int((~data.human).sum())}


def _fitted(data: TrainingSet, *, seed: int, bench: Workbench) -> FittedHead:
    return bench.learner.fit(
        data.vectors, data.targets, classes=len(data.classes), weights=data.weights, seed=seed
    )


def _thresholds(data: TrainingSet, *, seed: int, bench: Workbench) -> dict[str, float] | None:
    """By cross-validation inside the training set; None in a single-label task."""
    if not data.multi_label:
        return None

    def fit_predict(train: TrainingSet, judged: TrainingSet) -> NDArray[np.float32]:
        return _fitted(train, seed=seed, bench=bench).predict(judged.vectors)

    return choose_thresholds(data, fit_predict=fit_predict)


def _test_rows(
    session: Session, *, arrays: PoolArrays, store: Store
) -> tuple[NDArray[np.float32], list[Labels]] | None:
    """(vectors, gold) of the test rows with gold; None where there are none."""
    with store.read() as tx:
        rows = tx.items.gold_split(session.id, "test")
    rows = [row for row in rows if row[0] < arrays.version.rows]
    if not rows:
        return None
    positions = np.array([position for position, _, _ in rows], dtype=np.int64)
    return arrays.vectors(positions), [gold for _, _, gold in rows]


def _quality(
    classifier: Classifier,
    vectors: NDArray[np.float32],
    gold: list[Labels],
    *,
    columns: Labels,
    thresholds: Mapping[str, float] | None,
    session: Session,
) -> dict[str, Any]:
    """Metrics over the whole schema; classes the head never saw get probability 0."""
    classes = session.task.class_ids
    probabilities = np.zeros((len(vectors), len(classes)), dtype=np.float32)
    where = [classes.index(class_id) for class_id in columns if class_id in classes]
    seen = [n for n, class_id in enumerate(columns) if class_id in classes]
    probabilities[:, where] = classifier.predict(vectors)[:, seen]
    if thresholds is not None:
        members = np.array([[c in labels for c in classes] for labels in gold], dtype=np.bool_)
        return evaluate_labels(probabilities, members, classes=classes, thresholds=thresholds)
    kept = np.array([labels[0] in classes for labels in gold], dtype=bool)
    targets = np.array([classes.index(c) for c, *_ in gold if c in classes], dtype=np.int32)
    return evaluate(probabilities[kept], targets, classes=classes)


def _holdout_quality(
    data: TrainingSet, session: Session, snapshot: Options, *, bench: Workbench
) -> dict[str, Any]:
    """An estimate on held-out human labels, by a second head that saw neither them nor
    variations of them; {} where a class would be left without rows."""
    held, rest = data.only_held_out(), data.without_held_out()
    if len(held.targets) == 0 or not rest.told_apart().all():
        return {}
    classifier = bench.load(_fitted(rest, seed=snapshot["seed"], bench=bench).onnx)
    return _quality(
        classifier,
        held.vectors,
        held.labels(),
        columns=data.classes,
        thresholds=_thresholds(rest, seed=snapshot["seed"], bench=bench),
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
