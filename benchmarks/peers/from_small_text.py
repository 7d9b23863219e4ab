"""small-text's strategies: entropy, breaking ties, ClassBalancer and AnchorAL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.given_dataset import GivenModel, GivenRows
from benchmarks.peers.rows import PeerRows
from benchmarks.peers.strategy import PeerStrategy
from core.pool import PoolView
from core.registry import check_option

PACKAGE = "small_text"
BASES = {
    "breaking_ties": "BreakingTies",
    "prediction_entropy": "PredictionEntropy",
    "least_confidence": "LeastConfidence",
}
"""Strategies that the two composed ones can rank with."""

Build = Callable[[int], Any]
"""Seed to one of the library's strategies; made anew for every call, as they keep state."""


def prediction_entropy() -> PeerStrategy:
    """PredictionEntropy."""
    return _peer("small_text_prediction_entropy", build=lambda _: _base("prediction_entropy"))


def breaking_ties() -> PeerStrategy:
    """BreakingTies: the smallest margin between the two likeliest classes."""
    return _peer("small_text_breaking_ties", build=lambda _: _base("breaking_ties"))


def class_balancer(*, base: str = "breaking_ties") -> PeerStrategy:
    """ClassBalancer: as many rows of each predicted class as make the labels even."""
    check_option("base", base, of=str, among=tuple(BASES))
    return _peer("small_text_class_balancer", build=partial(_class_balancer, base=base))


def anchor_al(
    *,
    base: str = "breaking_ties",
    subsample: int = 500,
    anchors: int = 10,
    neighbours: int = 50,
) -> PeerStrategy:
    """AnchorSubsampling (AnchorAL): rank only rows near labelled ones of each class.

    ``subsample`` rows at most, from the ``neighbours`` nearest of up to ``anchors`` labelled
    rows per class; the defaults are the library's. The search is exact here.
    """
    check_option("base", base, of=str, among=tuple(BASES))
    check_option("subsample", subsample, of=int, least=1)
    check_option("anchors", anchors, of=int, least=1)
    check_option("neighbours", neighbours, of=int, least=1, most=subsample)
    build = partial(
        _anchor_al, base=base, subsample=subsample, anchors=anchors, neighbours=neighbours
    )
    return _peer("small_text_anchor_al", build=build)


def _peer(name: str, *, build: Build) -> PeerStrategy:
    return PeerStrategy(
        name=name, package=PACKAGE, query=partial(_query, build=build), size=_vectors
    )


def _query(rows: PeerRows, count: int, seed: int, *, build: Build) -> Iterable[int]:
    """Labelled rows of classes without a column are left out: the library cannot name them."""
    known = rows.classes >= 0
    labelled = np.arange(rows.candidates, rows.positions.size)[known]
    indices: NDArray[np.int64] = build(seed).query(
        GivenModel(rows=rows),
        GivenRows(numbers=np.arange(rows.positions.size)),
        np.arange(rows.candidates),
        labelled,
        rows.classes[known],
        n=count,
    )
    return map(int, indices)


def _base(name: str) -> Any:
    from small_text import query_strategies  # noqa: PLC0415 - an extra

    return getattr(query_strategies, BASES[name])()


def _class_balancer(_: int, *, base: str) -> Any:
    from small_text.query_strategies.class_balancing import (  # noqa: PLC0415 - an extra
        ClassBalancer,
    )

    return ClassBalancer(_base(base))


def _anchor_al(seed: int, *, base: str, subsample: int, anchors: int, neighbours: int) -> Any:
    from benchmarks.peers.seeded_anchors import seeded_anchors  # noqa: PLC0415 - needs the extra

    return seeded_anchors(
        _base(base), seed=seed, subsample=subsample, anchors=anchors, neighbours=neighbours
    )


def _vectors(view: PoolView, count: int) -> int:  # noqa: ARG001 - the same for every count
    """Nothing larger than a copy of the vectors is made."""
    rows = int(view.eligible.sum()) + len(view.labelled_positions)
    return 4 * rows * int(view.centroids.shape[1])


STRATEGIES = (
    ("small_text_prediction_entropy", prediction_entropy, "small-text: PredictionEntropy"),
    ("small_text_breaking_ties", breaking_ties, "small-text: BreakingTies"),
    ("small_text_class_balancer", class_balancer, "small-text: ClassBalancer"),
    ("small_text_anchor_al", anchor_al, "small-text: AnchorSubsampling (AnchorAL)"),
)
