"""One peer strategy as a query strategy of the core."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.extra import require_peer
from benchmarks.peers.isolation import isolated
from benchmarks.peers.rows import PeerRows, gather
from core.errors import InvalidInput
from core.pool import PoolView, Selection
from core.records import Pick
from core.strategies.typical import select_typical
from core.uncertainty import entropy

MOST_BYTES = 1 << 30
"""Largest array that a peer may be made to allocate."""

Query: TypeAlias = Callable[[PeerRows, int, int], Iterable[int]]
"""(rows, count, seed) to the picked rows' indices, best first where the peer has an order."""

Size: TypeAlias = Callable[[PoolView, int], int]
"""(view, count) to the bytes of the largest array the peer allocates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStrategy:
    """Asks a peer library and takes its picks as they are.

    ``min_distance`` is not applied to them: near-duplicates in a batch are part of what the
    library does. Before the first model (``needs_model``) typical rows are taken, as in our own
    strategies, with ``min_distance``. A repeated or ineligible pick is dropped and not replaced;
    the selection's reason is then ``peer-gave-fewer``. A pick's score is minus its rank.

    Construction raises InvalidInput ``missing-extra``; ``select`` raises ``pool-too-large`` and
    ``multi-label-unsupported``.
    """

    name: str
    package: str
    query: Query
    size: Size
    needs_model: bool = True

    def __post_init__(self) -> None:
        require_peer(self.package)

    def select(
        self, view: PoolView, count: int, *, min_distance: float, rng: np.random.Generator
    ) -> Selection:
        asked = min(count, int(view.eligible.sum()))
        self._refuse(view, asked)
        if self.needs_model and (view.probabilities is None or not view.labelled_classes.any()):
            return select_typical(view, count, min_distance=min_distance, rng=rng)
        picked = np.empty(0, dtype=np.int64)
        if asked > 0:
            rows = gather(view)
            with isolated(rng) as seed:
                indices = list(self.query(rows, asked, seed))
            picked = _distinct(indices, rows=rows)
        return self._selection(view, picked, count=count)

    def _refuse(self, view: PoolView, count: int) -> None:
        if view.multi_label:
            raise InvalidInput.at(
                "/strategy",
                f"{self.name} works on single-label tasks only",
                code="multi-label-unsupported",
            )
        needed = self.size(view, count)
        if needed > MOST_BYTES:
            raise InvalidInput.at(
                "/strategy",
                f"{self.name} would allocate {needed / 2**30:.1f} GiB at once on this pool; "
                f"at most {MOST_BYTES / 2**30:.1f} GiB are allowed",
                code="pool-too-large",
                needed_bytes=needed,
                most_bytes=MOST_BYTES,
            )

    def _selection(self, view: PoolView, picked: NDArray[np.int64], *, count: int) -> Selection:
        entropies: list[float] | list[None] = [None] * picked.size
        if view.probabilities is not None and picked.size:
            entropies = entropy(view.probabilities[picked]).tolist()
        picks = tuple(
            Pick(
                position=position,
                cluster=int(view.clusters[position]),
                score=-float(rank),
                rank=rank,
                strategy=self.name,
                entropy=value,
            )
            for rank, (position, value) in enumerate(zip(picked.tolist(), entropies, strict=True))
        )
        exhausted = len(picks) == int(view.eligible.sum())
        short = "pool-exhausted" if exhausted else "peer-gave-fewer"
        return Selection(
            picks=picks, strategy_used=self.name, reason=short if len(picks) < count else None
        )


def _distinct(indices: Iterable[int], *, rows: PeerRows) -> NDArray[np.int64]:
    """Pool positions in the peer's order, without repeats and rows it was not offered."""
    kept = dict.fromkeys(int(index) for index in indices)
    offered = [index for index in kept if 0 <= index < rows.candidates]
    return rows.positions[np.array(offered, dtype=np.int64)]
