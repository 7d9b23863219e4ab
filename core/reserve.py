"""Held-out texts that stand in for a language model in simulations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.arrays import PoolArrays
from core.ingest_rules import SEPARATOR
from core.ports import Blobs, Store
from core.records import Session


class PoolReserve:
    """The session's reserve rows with gold, read when first asked."""

    def __init__(self, session: Session, *, store: Store, blobs: Blobs) -> None:
        self._session = session
        self._store = store
        self._blobs = blobs

    def nearest(
        self, vector: NDArray[np.float32], *, class_id: str, limit: int
    ) -> Sequence[tuple[str, str]]:
        """(item id, text) of that class's rows, by falling cosine to (D,) ``vector``."""
        if class_id not in self._by_class:
            return []
        ids, positions, vectors = self._by_class[class_id]
        order = np.argsort(-(vectors @ vector), kind="stable")[:limit]
        with self._store.read() as tx:
            items = tx.items.by_positions(self._session.id, [int(positions[i]) for i in order])
        return [(ids[i], items[int(positions[i])].text) for i in order]

    @cached_property
    def _by_class(
        self,
    ) -> dict[str, tuple[list[str], NDArray[np.int64], NDArray[np.float32]]]:
        with self._store.read() as tx:
            rows = tx.items.gold_split(self._session.id, "reserve")
            version = tx.indexes.latest(self._session.id)
        if version is None:
            return {}
        arrays = PoolArrays(version, blobs=self._blobs)
        by_class: dict[str, list[tuple[int, str]]] = {}
        for position, item_id, gold in rows:
            if position < version.rows:
                by_class.setdefault(SEPARATOR.join(gold), []).append((position, item_id))
        answer = {}
        for class_id, pairs in by_class.items():
            positions = np.array([position for position, _ in pairs], dtype=np.int64)
            ids = [item_id for _, item_id in pairs]
            answer[class_id] = (ids, positions, arrays.vectors(positions))
        return answer
