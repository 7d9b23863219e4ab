"""What a clusterer is, how many clusters a pool gets, and which options they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidOption
from core.registry import check_option

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int32]
Count: TypeAlias = int | Literal["auto"]
Distance: TypeAlias = Literal["euclidean", "cosine"]

FEWEST: Final = 5
MOST: Final = 100
DISTANCES: Final = ("euclidean", "cosine")
SAMPLED: Final = 2_000
"""Rows that an algorithm with a distance per pair of rows looks at, unless told."""
MOST_SAMPLED: Final = 5_000
"""5,000 rows are 12.5 million pairs: some 400 MB and a few seconds."""


class Clusterer(Protocol):
    """Finds centroids."""

    def clusters_for(self, rows: int) -> int:
        """How many clusters a pool of ``rows`` gets; one that finds its own number may
        answer what another would."""

    def fit(
        self, sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None = None
    ) -> Floats:
        """Centroids float32 (k, D) of unit rows ``sample`` (m, D), m >= 1.

        k is ``count``, or the number of distinct rows where that is smaller; a clusterer
        whose number follows from the data says so. ``start`` are the centroids so far:
        each cluster keeps its id as far as k allows, and a fit that can sets out from
        them. Deterministic for the same arrays and generator state. Rows are assigned by
        ``assign`` afterwards, in the sample and outside of it alike.
        """


def automatic_count(rows: int) -> int:
    """clip(round(sqrt(rows / 5)), 5, 100): 20 clusters of 100 rows at 2,000 rows.

    A cluster then has five times as many rows as there are clusters, so that a batch
    of a few rows per cluster leaves each something to choose from; past 100 clusters
    a lead can no longer read the report, and a usual batch could not visit them all.
    """
    return int(np.clip(round(np.sqrt(rows / 5)), FEWEST, MOST))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A clusterer that is told its number: in [1, 1000], or "auto" by the pool's size."""

    count: Count = "auto"

    def clusters_for(self, rows: int) -> int:
        return automatic_count(rows) if self.count == "auto" else self.count


def check_count(count: object) -> None:
    """Raises InvalidOption unless ``count`` is "auto" or a whole number in [1, 1000]."""
    if isinstance(count, str) and count != "auto":
        refuse(
            "count", 'count must be "auto" or from 1 to 1000', allowed='"auto" or from 1 to 1000'
        )
    check_option("count", count, of=(int, str), least=1, most=1000)


def check_distance(distance: object) -> None:
    """Raises InvalidOption unless ``distance`` is a known one."""
    check_option("distance", distance, of=str, among=DISTANCES)


def check_sample_rows(rows: object) -> None:
    """Raises InvalidOption unless ``rows`` is in [100, 5000]."""
    check_option("sample_rows", rows, of=int, least=MOST, most=MOST_SAMPLED)


def refuse(option: str, detail: str, *, allowed: object) -> None:
    """Raises InvalidOption for one option."""
    raise InvalidOption.at(f"/options/{option}", detail, code="invalid-option", allowed=allowed)
