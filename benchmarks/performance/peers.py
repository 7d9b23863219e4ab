"""Our strategies against other libraries' on one pool, in one process, in CPU seconds."""

from __future__ import annotations

import platform
import time
from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.peers import register_peers
from benchmarks.performance.table import Row, compare, markdown
from core.pool import PoolView, QueryStrategy
from core.records import Choice
from core.registry import Registry
from core.strategies import strategies

ROWS, DIMENSION, CLASSES, CLUSTERS, LABELLED, BATCH = 10_000, 384, 6, 100, 300, 50
REPEATS = 3
PACKAGES = ("skactiveml", "small_text")
PAIRS = (
    ("entropy", "skactiveml_entropy"),
    ("entropy", "small_text_prediction_entropy"),
    ("margin", "small_text_breaking_ties"),
    ("k_center", "skactiveml_core_set"),
    ("badge", "skactiveml_badge"),
    ("anchors", "small_text_anchor_al"),
)
"""Strategies of one idea; ours never includes more than the peer does (``min_distance`` 0)."""


def run() -> list[Row]:
    """A row per pair; none without the ``[peers]`` extra."""
    if any(find_spec(package) is None for package in PACKAGES):
        return []
    registry = strategies()
    register_peers(registry)
    view = pool()
    with threadpool_limits(limits=1):
        return [_row(ours, peer, view=view, registry=registry) for ours, peer in PAIRS]


def pool() -> PoolView:
    """Unit vectors around 100 centres, confident probabilities, 300 labelled rows."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((CLUSTERS, DIMENSION), dtype=np.float32)
    clusters = rng.integers(CLUSTERS, size=ROWS).astype(np.int32)
    vectors = centres[clusters] + rng.standard_normal((ROWS, DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labelled = np.sort(rng.choice(ROWS, LABELLED, replace=False))
    eligible = np.ones(ROWS, dtype=np.bool_)
    eligible[labelled] = False
    return PoolView(
        clusters=clusters,
        cluster_count=CLUSTERS,
        centroids=centres,
        eligible=eligible,
        probabilities=rng.dirichlet(np.full(CLASSES, 0.3), size=ROWS).astype(np.float32),
        vectors=lambda positions: vectors[positions],
        class_counts=np.full(CLASSES, LABELLED / CLASSES),
        target_shares=np.full(CLASSES, 1 / CLASSES),
        labelled_positions=labelled,
        labelled_classes=np.arange(LABELLED)[:, None] % CLASSES == np.arange(CLASSES),
    )


def _row(ours: str, peer: str, *, view: PoolView, registry: Registry[QueryStrategy]) -> Row:
    mine, theirs = registry.make(Choice(name=ours)), registry.make(Choice(name=peer))
    seconds, reference = compare(
        lambda: _select(mine, view),
        lambda: _select(theirs, view),
        repeats=REPEATS,
        clock=time.process_time,
    )
    return Row(
        name=f"select {BATCH} of {ROWS:,}: {ours}",
        ours_seconds=seconds,
        reference_seconds=reference,
        ratio=seconds / reference,
        note=f"reference: {peer}, {reference / seconds:.0f} times the CPU seconds of one thread",
    )


def _select(strategy: QueryStrategy, view: PoolView) -> None:
    strategy.select(view, BATCH, min_distance=0, rng=np.random.default_rng(0))


if __name__ == "__main__":
    print(markdown(run(), machine=f"one thread of {platform.machine()}"))
