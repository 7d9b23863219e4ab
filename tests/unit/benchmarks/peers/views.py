"""A small pool with labels and probabilities, as the peers see it."""

from __future__ import annotations

import numpy as np

from core.pool import PoolView

ROWS, CLASSES, DIMENSION, LABELLED = 300, 4, 12, 40


def pool_view(*, seed: int = 0) -> PoolView:
    """300 rows: 40 labelled, every seventh of the others not eligible."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((ROWS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labelled = np.sort(rng.choice(ROWS, LABELLED, replace=False))
    eligible = np.arange(ROWS) % 7 != 0
    eligible[labelled] = False
    columns = rng.integers(CLASSES, size=LABELLED)
    return PoolView(
        clusters=rng.integers(5, size=ROWS).astype(np.int32),
        cluster_count=5,
        centroids=np.zeros((5, DIMENSION), dtype=np.float32),
        eligible=eligible,
        probabilities=rng.dirichlet(np.full(CLASSES, 0.5), size=ROWS).astype(np.float32),
        vectors=lambda positions: vectors[positions],
        class_counts=np.bincount(columns, minlength=CLASSES).astype(np.float64),
        target_shares=np.full(CLASSES, 1 / CLASSES),
        labelled_positions=labelled,
        labelled_classes=columns[:, None] == np.arange(CLASSES),
    )


def global_state() -> tuple[list[int], int]:
    """Keys and position of NumPy's process-wide source of chance."""
    state = np.random.get_state(legacy=False)  # noqa: NPY002 - the state under test
    assert isinstance(state, dict)
    return state["state"]["key"].tolist(), state["state"]["pos"]
