"""The pool's shard files as one set of arrays: gathered, viewed and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ports import Blobs, Clock, Ids, Job
from core.records import SHARD_ROWS, IndexVersion, Model, Shard

Score = Callable[[Shard], NDArray[np.float32]]
"""A shard's rows to (rows, C) probabilities, by position."""

POOL, TEST, RESERVE, CHECK, DELETED = 0, 1, 2, 3, -1
"""Codes in a shard's split array; all but the last follow ``core.records.SPLITS``."""


class PoolArrays:
    """Read-only arrays of one index version; files are opened when first needed."""

    def __init__(self, version: IndexVersion, *, blobs: Blobs) -> None:
        self.version = version
        self._blobs = blobs
        self._vectors: dict[int, NDArray[np.float16]] = {}

    def splits(self) -> NDArray[np.int8]:
        """(rows,) int8 of split codes."""
        return self._joined([shard.splits for shard in self.version.shards], dtype=np.int8)

    def clusters(self) -> NDArray[np.int32]:
        """(rows,) int32 cluster ids."""
        return self._joined([shard.clusters for shard in self.version.shards], dtype=np.int32)

    def probabilities(self) -> NDArray[np.float32] | None:
        """(rows, C) float32 in the model's column order, None before the first model."""
        names = [shard.probabilities for shard in self.version.shards]
        if self.version.model_id is None or not names or None in names:
            return None
        return self._joined([name for name in names if name is not None], dtype=np.float32)

    def centroids(self) -> NDArray[np.float32]:
        """(cluster_count, D) float32."""
        return self._blobs.array(self.version.centroids)

    def shard_vectors(self, number: int) -> NDArray[np.float16]:
        """(rows, D) float16 of one shard."""
        if number not in self._vectors:
            self._vectors[number] = self._blobs.array(self.version.shards[number].vectors)
        return self._vectors[number]

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, D) float32 rows at ``positions``, in that order."""
        gathered = np.empty((len(positions), self.version.dimension), dtype=np.float32)
        shard_of = positions // SHARD_ROWS
        for number in np.unique(shard_of):
            chosen = shard_of == number
            rows = positions[chosen] - number * SHARD_ROWS
            gathered[chosen] = self.shard_vectors(int(number))[rows]
        return gathered

    def shards(self) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """(first position, vectors) of every shard, in order."""
        for shard in self.version.shards:
            yield shard.number * SHARD_ROWS, self.shard_vectors(shard.number)

    def _joined(self, names: Sequence[str], *, dtype: type) -> NDArray[Any]:
        if not names:
            return np.empty(0, dtype=dtype)
        parts = [self._blobs.array(name) for name in names]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def rescored(
    version: IndexVersion,
    model: Model,
    *,
    score: Score,
    job: Job,
    blobs: Blobs,
    clock: Clock,
    ids: Ids,
) -> IndexVersion:
    """The next version: the same rows with ``model``'s probabilities in every shard."""
    shards = []
    for done, shard in enumerate(version.shards):
        shards.append(replace(shard, probabilities=blobs.put_array(score(shard))))
        job.progress("score", done + 1, len(version.shards))
    return replace(
        version,
        id=ids.new("idx"),
        sequence=version.sequence + 1,
        model_id=model.id,
        shards=tuple(shards),
        created_at=clock.now(),
    )
