"""A cell of the harness against a plain scikit-learn script with the same fits and picks."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.evidence.cells import run_arm
from benchmarks.evidence.records import Arm, Dataset, Experiment
from benchmarks.evidence.stage import Division, Stage, divide, set_stage
from benchmarks.performance.table import Row, compare, markdown
from core.records import Choice

ROWS, DIMENSION, TEST_SHARE = 8_000, 384, 0.2
SHARES = (0.5, 0.2, 0.15, 0.1, 0.03, 0.02)
CLUSTERS = 50
MARGIN = Arm(
    name="margin",
    strategy=Choice(name="margin"),
    clusterer=Choice(name="kmeans", options={"count": CLUSTERS}),
    min_distance=0.0,
)
ASKED = Experiment(
    name="speed", title="", question="", datasets=("made",), arms=(MARGIN,), seeds=(0,)
)


def run() -> list[Row]:
    """CPU seconds of one thread; both cluster, fit six models, score and pick five times."""
    division, draw = made_division(), ASKED.draw(0)
    with threadpool_limits(1):
        ours, reference = compare(
            lambda: cell(set_stage(division, draw=draw, seed=0)),
            lambda: script(set_stage(division, draw=draw, seed=0)),
            repeats=5,
            clock=time.process_time,
        )
    return [
        Row(
            name=f"a cell of the harness: {ASKED.rounds} rounds on {ROWS:,} cached vectors",
            ours_seconds=ours,
            reference_seconds=reference,
            ratio=ours / reference,
            target="at most 1.5",
            note="ours exports every model and takes all measures of every round",
        )
    ]


def cell(stage: Stage) -> NDArray[np.int64]:
    """The harness's way; places in the pool that were labelled."""
    return run_arm(MARGIN, stage=stage, experiment=ASKED, encoder=Path()).labelled


def script(stage: Stage) -> NDArray[np.int64]:
    """The reference: what somebody would write for one figure, with nothing kept."""
    pool, targets = stage.pool.vectors.astype(np.float64), stage.pool.targets
    test = stage.test.vectors.astype(np.float64)
    KMeans(CLUSTERS, n_init=1, max_iter=50, random_state=0).fit(stage.pool.vectors)
    labelled = stage.start
    for number in range(ASKED.rounds + 1):
        model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)
        model.fit(pool[labelled], targets[labelled])
        f1_score(stage.test.targets, model.predict(test), average="macro")
        if number < ASKED.rounds:
            best = np.sort(model.predict_proba(pool), axis=1)
            gaps = best[:, -1] - best[:, -2]
            gaps[labelled] = np.inf
            labelled = np.append(labelled, np.argsort(gaps, kind="stable")[: ASKED.batch])
    return labelled


def made_division() -> Division:
    """Overlapping groups of unit vectors with a long tail, a fifth of them for the test."""
    rng = np.random.default_rng(0)
    columns = rng.choice(len(SHARES), size=ROWS, p=SHARES)
    centres = rng.normal(size=(len(SHARES), DIMENSION))
    vectors = 0.3 * centres[columns] + rng.normal(size=(ROWS, DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = tuple(f"class {column}" for column in range(len(SHARES)))
    dataset = Dataset(
        name="made",
        texts=tuple(f"text {number}" for number in range(ROWS)),
        labels=tuple(names[column] for column in columns.tolist()),
        is_test=rng.random(ROWS) < TEST_SHARE,
        classes=names,
        licence="made up",
        source="made up",
        sha256="",
    )
    return divide(dataset, vectors.astype(np.float32), draw=ASKED.draw(0))


if __name__ == "__main__":
    print(markdown(run(), machine="one thread"))
