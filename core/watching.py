"""Rows that say when a fine-tuning has gone far enough; they are never trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.training import TrainingSet, scatter

LEAST_WATCHED = 12
"""With fewer rows the loss would follow chance."""


def watching(data: TrainingSet, *, share: float) -> tuple[TrainingSet, NDArray[np.bool_]]:
    """The set without variations of watched rows, and bool (n,) which rows are watched.

    Of each class at most ``share`` of its human rows, by a fixed shuffle; none where that
    makes too few, or would leave a class without rows.
    """
    watched = _sample(data, share=share)
    usable = data.rows(~watched).told_apart().all()
    if watched.sum() < LEAST_WATCHED or not usable:
        watched[:] = False
    kept = watched | ~np.isin(data.groups, data.groups[watched])
    return data.rows(kept), watched[kept]


def _sample(data: TrainingSet, *, share: float) -> NDArray[np.bool_]:
    members = data.members()
    members = np.column_stack([members, ~members.any(axis=1)])
    sizes = members[data.measuring].sum(axis=0)
    room = np.minimum((share * sizes).astype(np.int64), sizes - 1)
    watched = np.zeros(len(members), dtype=np.bool_)
    for n in sorted(np.flatnonzero(data.measuring), key=lambda n: scatter(int(data.groups[n]))):
        if (room[members[n]] > 0).all():
            watched[n] = True
            room -= members[n]
    return watched
