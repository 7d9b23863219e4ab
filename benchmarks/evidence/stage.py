"""What every arm of one data set and seed shares: pool, start, reserve and test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.longtail import long_tail
from benchmarks.datasets.setting_aside import development_quarter, reserve_mask
from benchmarks.evidence.records import KMEANS, Arm, Dataset, Draw
from core.clustering import Clusterer, assign, clusterers
from core.coldstart import representativeness
from core.errors import InvalidInput
from core.records import Labels
from core.texts import text_hash

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

POOL, START, TEST, CLUSTERS, SELECT, WRITE = range(6)
"""What a seed is spent on; every use draws from a generator of its own."""
PER_TYPICAL_CLUSTER = 256
PROBE_ROWS, REACH_ROWS = 1000, 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of a data set: their numbers in it (n,), unit vectors (n, D) and columns (n,)."""

    numbers: Ints
    vectors: Floats
    targets: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A data set cut up as every seed finds it; rows are numbers in the data set."""

    dataset: Dataset
    vectors: Floats
    targets: Ints
    pool: Ints
    reserve: Ints
    test: Ints

    def rows(self, numbers: Ints) -> Rows:
        return Rows(numbers=numbers, vectors=self.vectors[numbers], targets=self.targets[numbers])


def divide(dataset: Dataset, vectors: Floats, *, draw: Draw) -> Division:
    """Reserve first, then (in development) a hashed quarter as test, then the long tail.

    ``vectors`` are (n, D); they are rounded to float16 and back, as the service stores
    them. In development no test row of the data set is touched.
    """
    hashes = np.array([text_hash(text) for text in dataset.texts])
    labels = np.array(dataset.labels)
    train = np.flatnonzero(~dataset.is_test)
    held = reserve_mask(labels[train].tolist(), hashes[train].tolist(), share=draw.reserve_share)
    reserve, rest = train[held], train[~held]
    test = np.flatnonzero(dataset.is_test)
    if draw.quarter is not None:
        chosen = development_quarter(
            labels[rest].tolist(), hashes[rest].tolist(), quarter=draw.quarter
        )
        test, rest = rest[chosen], rest[~chosen]
    if dataset.longtail_ratio is not None:
        kept = long_tail(labels[rest].tolist(), hashes[rest].tolist(), ratio=dataset.longtail_ratio)
        rest = rest[kept]
    column = {name: number for number, name in enumerate(dataset.classes)}
    return Division(
        dataset=dataset,
        vectors=vectors.astype(np.float16).astype(np.float32),
        targets=np.array([column[label] for label in dataset.labels], dtype=np.int64),
        pool=rest,
        reserve=reserve,
        test=test,
    )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One seed's draw of a division.

    ``pool`` is ``pool_share`` of the division's, drawn class by class; ``start`` are
    places in it (not row numbers). ``sample`` are the places of a
    bootstrap draw from the test rows.
    """

    division: Division
    seed: int
    pool: Rows
    reserve: Rows
    test: Rows
    sample: Ints
    start: Ints
    memory: dict[str, Any] = field(default_factory=dict)
    """What is fitted once and used by several arms, by name."""

    @property
    def classes(self) -> Labels:
        return self.division.dataset.classes

    def rng(self, use: int, *more: int) -> np.random.Generator:
        """Chance for one use of the seed, equal for every arm."""
        return np.random.default_rng([self.seed, use, *more])

    def text(self, number: int) -> str:
        return self.division.dataset.texts[number]

    def clusters(self, name: str, clusterer: Clusterer) -> tuple[NDArray[np.int32], Floats]:
        """(ids int32 (n,), centroids (k, D)) of the whole pool; fitted once per ``name``."""
        if name not in self.memory:
            count = clusterer.clusters_for(len(self.pool.targets))
            rng = self.rng(CLUSTERS)
            centroids = clusterer.fit(self.pool.vectors, count=count, rng=rng)
            self.memory[name] = (assign(self.pool.vectors, centroids), centroids)
        found: tuple[NDArray[np.int32], Floats] = self.memory[name]
        return found

    @cached_property
    def probe(self) -> Floats:
        """Vectors (m, D) of up to 1,000 pool rows by which coverage of the space is judged."""
        rows = self.rng(CLUSTERS, 1).permutation(len(self.pool.targets))[:PROBE_ROWS]
        return self.pool.vectors[rows]

    @cached_property
    def reach(self) -> float:
        """Cosine distance within which a random draw of 360 rows reaches half the probe."""
        rows = self.rng(CLUSTERS, 2).permutation(len(self.pool.targets))[:REACH_ROWS]
        similarity = self.probe @ self.pool.vectors[rows].T
        return float(np.median(1 - similarity.max(axis=1)))


def set_stage(division: Division, *, draw: Draw, seed: int) -> Stage:
    """The draw of ``seed``; raises InvalidInput where the pool cannot feed the budget."""
    check_pool(division, draw=draw)
    rng = np.random.default_rng([seed, POOL])
    numbers = _stratified(division, share=draw.pool_share, rng=rng)
    stage = Stage(
        division=division,
        seed=seed,
        pool=division.rows(numbers),
        reserve=division.rows(division.reserve),
        test=division.rows(division.test),
        sample=_scored(division, draw=draw, rng=np.random.default_rng([seed, TEST])),
        start=np.empty(0, dtype=np.int64),
    )
    object.__setattr__(stage, "start", _random_start(stage, count=draw.start))
    return stage


def check_pool(division: Division, *, draw: Draw) -> None:
    """Raise InvalidInput ``pool-too-small`` where the pool cannot feed the budget, or holds
    no second class; it is the same for every seed of one division."""
    sizes = _sizes(division, share=draw.pool_share)
    if sum(sizes) < draw.labels or sum(size > 0 for size in sizes) < 2:
        raise InvalidInput.at(
            "/budget",
            f"{division.dataset.name}: {sum(sizes)} pool rows of "
            f"{sum(size > 0 for size in sizes)} classes cannot give {draw.labels} labels",
            code="pool-too-small",
        )


def start_rows(stage: Stage, arm: Arm, *, count: int) -> Ints:
    """The first places to be labelled: equal for all arms that start alike.

    A typical start comes from k-means whatever clusterer the arm goes on with.
    """
    if arm.start == "random":
        return stage.start
    clusters, _ = stage.clusters(f"typical {count}", _Fixed(clusterers().make(KMEANS), count))
    return _with_two_classes(stage, _typical(stage, clusters, count=count))


def _stratified(division: Division, *, share: float, rng: np.random.Generator) -> Ints:
    """``share`` of every class's pool rows, at least two, ascending."""
    targets = division.targets[division.pool]
    kept = []
    for column, size in enumerate(_sizes(division, share=share)):
        rows = division.pool[targets == column]
        kept.append(rng.permutation(rows)[:size])
    return np.sort(np.concatenate(kept))


def _scored(division: Division, *, draw: Draw, rng: np.random.Generator) -> Ints:
    """Places of the bootstrap draw that is scored; every class equally often where
    development stands in for a test part that is so."""
    count = len(division.test)
    if draw.quarter is None or not division.dataset.balanced_test:
        return rng.integers(count, size=count)
    targets = division.targets[division.test]
    present = np.unique(targets)
    each = -(-count // len(present))
    drawn = [rng.choice(np.flatnonzero(targets == column), each) for column in present]
    return np.concatenate(drawn).astype(np.int64)


def _sizes(division: Division, *, share: float) -> list[int]:
    """How many rows of each class a seed draws."""
    targets = division.targets[division.pool]
    counts = np.bincount(targets, minlength=len(division.dataset.classes)).tolist()
    return [min(count, max(2, round(share * count))) for count in counts]


def _random_start(stage: Stage, *, count: int) -> Ints:
    """Uniform places; drawn again until they hold two classes."""
    rng = stage.rng(START)
    while True:
        chosen = rng.permutation(len(stage.pool.targets))[:count].astype(np.int64)
        if len(np.unique(stage.pool.targets[chosen])) > 1:
            return chosen


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A clusterer that is asked for a set number of clusters."""

    inner: Clusterer
    count: int

    def clusters_for(self, rows: int) -> int:
        return min(self.count, rows)

    def fit(
        self, sample: Floats, *, count: int, rng: np.random.Generator, start: Floats | None = None
    ) -> Floats:
        return self.inner.fit(sample, count=count, rng=rng, start=start)


def _typical(stage: Stage, clusters: NDArray[np.int32], *, count: int) -> Ints:
    """The most typical row of each cluster; clusters that ran dry are made up by chance."""
    rng = stage.rng(START, 1)
    chosen = []
    for cluster in range(int(clusters.max()) + 1):
        rows = np.flatnonzero(clusters == cluster)
        sample = rng.permutation(rows)[:PER_TYPICAL_CLUSTER]
        if len(sample):
            scores = representativeness(stage.pool.vectors[sample], picks=1)
            chosen.append(int(sample[np.argmax(scores)]))
    rest = np.setdiff1d(np.arange(len(clusters)), chosen)
    more = rng.permutation(rest)[: max(0, count - len(chosen))]
    return np.array([*chosen[:count], *more.tolist()], dtype=np.int64)


def _with_two_classes(stage: Stage, places: Ints) -> Ints:
    """``places``; where all are of one class, the last gives way to a row of another, because
    nothing can be trained on one class."""
    targets = stage.pool.targets
    if len(np.unique(targets[places])) > 1:
        return places
    others = np.flatnonzero(targets != targets[places[0]])
    return np.append(places[:-1], stage.rng(START, 2).choice(others))


def counts_of(division: Division) -> dict[str, dict[str, int]]:
    """Rows per class: ``train`` of the data set, then ``reserve``, ``pool`` and ``test`` here."""
    train = np.flatnonzero(~division.dataset.is_test)
    parts = {"train": train, "reserve": division.reserve, "pool": division.pool}
    parts["test"] = division.test
    counts = {
        name: np.bincount(division.targets[rows], minlength=len(division.dataset.classes))
        for name, rows in parts.items()
    }
    return {
        label: {name: int(counts[name][column]) for name in counts}
        for column, label in enumerate(division.dataset.classes)
    }


def names_of(division: Division, columns: Sequence[int]) -> Labels:
    """Class ids of ``columns``."""
    return tuple(division.dataset.classes[column] for column in columns)
