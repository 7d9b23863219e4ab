"""Select from a million scored items against plain NumPy on the same arrays."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.performance.table import Row, compare, seconds
from core.pool import PoolView
from core.records import Choice
from core.strategies import strategies

ROWS, CLASSES, CLUSTERS, BATCH, DIMENSION = 1_000_000, 6, 100, 50, 64
REPEATS = 7


def run() -> list[Row]:
    """``cluster_entropy`` has a target; the other strategies stand beside the same reference."""
    view = million()
    return [_row(name, view=view) for name in ("cluster_entropy", "random", "cluster_need")] + [
        _cold_start(view)
    ]


def million() -> PoolView:
    """Skewed clusters, confident probabilities, unit vectors of half precision."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((ROWS, DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    halves = vectors.astype(np.float16)
    shares = rng.dirichlet(np.ones(CLUSTERS))
    labelled = np.arange(0, ROWS, ROWS // 60)
    return PoolView(
        clusters=rng.choice(CLUSTERS, size=ROWS, p=shares).astype(np.int32),
        cluster_count=CLUSTERS,
        centroids=np.zeros((CLUSTERS, DIMENSION), dtype=np.float32),
        eligible=np.ones(ROWS, dtype=np.bool_),
        probabilities=rng.dirichlet(np.full(CLASSES, 0.3), size=ROWS).astype(np.float32),
        vectors=lambda positions: halves[positions].astype(np.float32),
        class_counts=np.full(CLASSES, 10.0),
        target_shares=np.full(CLASSES, 1 / CLASSES),
        labelled_positions=labelled,
        labelled_classes=np.arange(labelled.size)[:, None] % CLASSES == np.arange(CLASSES),
    )


def plain_numpy(
    probabilities: NDArray[np.float32], rows_by_cluster: Sequence[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """The reference: entropy, then an argpartition per cluster; no promises kept.

    The rows of each cluster are given to it; ours has to find them.
    """
    entropies = -(probabilities * np.log(probabilities + 1e-12)).sum(axis=1)
    quota = -(-BATCH // CLUSTERS)
    parts = []
    for rows in rows_by_cluster:
        take = min(quota, rows.size)
        parts.append(rows[np.argpartition(-entropies[rows], take - 1)[:take]] if take else rows)
    best = np.concatenate(parts)
    return best[np.argsort(-entropies[best])[:BATCH]]


def _row(name: str, *, view: PoolView) -> Row:
    assert view.probabilities is not None
    probabilities = view.probabilities
    given = [np.flatnonzero(view.clusters == cluster) for cluster in range(CLUSTERS)]
    ours, reference = compare(
        lambda: _select(name, view),
        lambda: plain_numpy(probabilities, given),
        repeats=REPEATS,
    )
    return Row(
        name=f"select {BATCH} of {ROWS:,}: {name}",
        ours_seconds=ours,
        reference_seconds=reference,
        ratio=ours / reference,
        target="≤ 2×, ≤ 60 MB" if name == "cluster_entropy" else "",
        extra_mb=_extra_mb(lambda: _select(name, view)),
        note=f"reference: entropy and argpartition for each of {CLUSTERS} given row lists",
    )


def _cold_start(view: PoolView) -> Row:
    """No model yet, so there is nothing the reference could do."""
    blank = replace(view, probabilities=None)
    times = [seconds(lambda: _select("cluster_need", blank)) for _ in range(REPEATS)]
    return Row(
        name=f"select {BATCH} of {ROWS:,}: typical (cold start)",
        ours_seconds=float(np.median(times)),
        extra_mb=_extra_mb(lambda: _select("cluster_need", blank)),
        note="256 sampled rows compared in each cluster that is drawn from",
    )


def _select(name: str, view: PoolView) -> None:
    strategy = strategies().make(Choice(name=name))
    strategy.select(view, BATCH, min_distance=0.05, rng=np.random.default_rng(0))


def _extra_mb(work: Callable[[], None]) -> float:
    """Peak memory that Python and NumPy allocated during the work, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
