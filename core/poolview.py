"""Turns stored arrays and answers into what strategies see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.arrays import POOL, PoolArrays
from core.pool import PoolView
from core.records import Labelled, Labels, Task


def pool_view(
    arrays: PoolArrays,
    *,
    task: Task,
    classes: Labels,
    busy: NDArray[np.int64],
    labelled: Sequence[Labelled],
) -> PoolView:
    """The pool now: ``busy`` positions are taken, ``classes`` is the model's column order."""
    eligible = arrays.splits() == POOL
    eligible[busy[busy < len(eligible)]] = False
    counts = Counter(class_id for row in labelled for class_id in row.labels)
    shares = task.target_shares()
    known = [row for row in labelled if row.position < arrays.version.rows]
    return PoolView(
        clusters=arrays.clusters(),
        cluster_count=arrays.version.cluster_count,
        centroids=arrays.centroids(),
        eligible=eligible,
        probabilities=arrays.probabilities(),
        vectors=arrays.vectors,
        class_counts=np.array([counts[c] for c in classes], dtype=np.float64),
        target_shares=np.array([shares.get(c, 0.0) for c in classes], dtype=np.float64),
        labelled_positions=np.array([row.position for row in known], dtype=np.int64),
        labelled_classes=_memberships(known, classes=classes),
        multi_label=task.multi_label,
    )


def _memberships(labelled: Sequence[Labelled], *, classes: Labels) -> NDArray[np.bool_]:
    """Bool (L, C): which of ``classes`` each row's answer names."""
    column = {class_id: number for number, class_id in enumerate(classes)}
    members = np.zeros((len(labelled), len(classes)), dtype=np.bool_)
    for row, answer in enumerate(labelled):
        for class_id in answer.labels:
            if class_id in column:
                members[row, column[class_id]] = True
    return members
