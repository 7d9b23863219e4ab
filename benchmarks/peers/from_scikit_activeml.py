"""scikit-activeml's strategies: entropy, TypiClust, CoreSet and BADGE."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.rows import PeerRows
from benchmarks.peers.strategy import PeerStrategy
from core.pool import PoolView

PACKAGE = "skactiveml"


def entropy() -> PeerStrategy:
    """UncertaintySampling with method ``entropy``."""
    return PeerStrategy(
        name="skactiveml_entropy",
        package=PACKAGE,
        query=partial(_query, kind="UncertaintySampling", model=True, method="entropy"),
        size=_utilities,
    )


def badge() -> PeerStrategy:
    """Badge: k-means++ on gradient embeddings, made as one float64 (N, C x D) array."""
    return PeerStrategy(
        name="skactiveml_badge",
        package=PACKAGE,
        query=partial(_query, kind="Badge", model=True),
        size=_gradients,
    )


def core_set() -> PeerStrategy:
    """CoreSet: greedy k-centre from the labelled rows; needs no model."""
    return PeerStrategy(
        name="skactiveml_core_set",
        package=PACKAGE,
        query=partial(_query, kind="CoreSet", model=False),
        size=_utilities,
        needs_model=False,
    )


def typi_clust() -> PeerStrategy:
    """TypiClust: k-means with a cluster per label held or asked for; needs no model."""
    return PeerStrategy(
        name="skactiveml_typi_clust",
        package=PACKAGE,
        query=partial(_query, kind="TypiClust", model=False),
        size=_utilities,
        needs_model=False,
    )


def _query(
    rows: PeerRows,
    count: int,
    seed: int,
    *,
    kind: Literal["UncertaintySampling", "Badge", "CoreSet", "TypiClust"],
    model: bool,
    **options: Any,
) -> Iterable[int]:
    """Unlabelled rows are NaN in ``y``; by default those are the library's candidates."""
    from skactiveml import pool  # noqa: PLC0415 - seconds to import, an extra

    peer = getattr(pool, kind)(random_state=seed, **options)
    asked: dict[str, Any] = {"X": rows.vectors, "y": _labels(rows), "batch_size": count}
    if model:
        from benchmarks.peers.fixed_model import FixedModel  # noqa: PLC0415 - needs the extra

        known = FixedModel(probabilities=rows.probabilities[: rows.candidates])
        asked |= {"clf": known, "fit_clf": False}
    indices: NDArray[np.int64] = np.asarray(peer.query(**asked))
    return map(int, indices)


def _labels(rows: PeerRows) -> NDArray[np.float64]:
    """One column per row; a class the model does not know is a class of its own."""
    unknown = rows.probabilities.shape[1]
    labelled = np.where(rows.classes < 0, unknown, rows.classes)
    return np.concatenate([np.full(rows.candidates, np.nan), labelled])


def _utilities(view: PoolView, count: int) -> int:
    """A float64 utility per pick and row."""
    return 8 * count * (int(view.eligible.sum()) + len(view.labelled_positions))


def _gradients(view: PoolView, count: int) -> int:
    """A float64 gradient of C x D values per candidate, or the utilities if those are larger."""
    values = view.class_counts.size * int(view.centroids.shape[1])
    gradients = 8 * int(view.eligible.sum()) * values
    return max(gradients, _utilities(view, count))


STRATEGIES = (
    ("skactiveml_entropy", entropy, "scikit-activeml: UncertaintySampling by entropy"),
    ("skactiveml_typi_clust", typi_clust, "scikit-activeml: TypiClust"),
    ("skactiveml_core_set", core_set, "scikit-activeml: CoreSet (greedy k-centre)"),
    ("skactiveml_badge", badge, "scikit-activeml: Badge"),
)
