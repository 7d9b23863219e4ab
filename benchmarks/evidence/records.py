"""What travels between the harness's parts: data sets, experiments, runs and summaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.records import Choice, Labels

Json: TypeAlias = Mapping[str, Any]

MINILM, KMEANS = Choice(name="minilm"), Choice(name="kmeans")
RANDOM, LINEAR = Choice(name="random"), Choice(name="linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A labelled set with its own train and test rows.

    ``texts``, ``labels`` (one class id each) and ``is_test`` have one entry per row;
    ``classes`` fixes the column order; ``sha256`` is of the file as it was read, and
    ``source`` says where it came from.
    """

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    is_test: NDArray[np.bool_]
    classes: Labels
    licence: str
    source: str
    sha256: str
    rule: str = ""
    """How the rows were made from the source, where they are not all of it."""
    longtail_ratio: float | None = None
    """Largest to smallest class, cut into the train rows that the reserve leaves."""
    balanced_test: bool = False
    """The test rows have every class equally often, so development scores that way too."""


Treatment: TypeAlias = Literal["none", "filter", "weight", "weight_and_review"]
"""What is done about the label noise of written rows: nothing (full weight), drop what the
learner disagrees with, the session's weight, or that weight after a perfect review."""


PAID = frozenset({"anthropic"})
"""Generators whose calls cost money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to run the loop; everything else is equal between arms.

    ``generator`` None writes nothing. ``recluster`` fits clusters again before every
    round on the rows not labelled yet. ``reference`` marks what is drawn for comparison and is no
    candidate (copy control, even by oracle, whole pool).
    """

    name: str
    encoder: Choice = MINILM
    clusterer: Choice = KMEANS
    recluster: bool = False
    strategy: Choice = RANDOM
    learner: Choice = LINEAR
    start: Literal["random", "typical"] = "random"
    generator: Choice | None = None
    template: str = "attributes"
    variations: int = 3
    treatment: Treatment = "weight"
    min_distance: float = 0.05
    reference: bool = False

    @property
    def paid(self) -> bool:
        """Whether its cells cost money."""
        return self.generator is not None and self.generator.name in PAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment file: data sets x arms x seeds at one budget.

    ``evaluate`` "development" scores on a hashed quarter of the train rows (the next
    quarter for the next seed), which is then no part of the pool; "test" on the
    test rows. ``pool_share`` of the pool is drawn anew for every seed. ``baseline`` names
    the arm that others are compared with.
    ``parts`` says which arm plays which part when the default is judged against its targets
    (``best``, the baseline chosen in development; ``generated``; ``copies``; ``oracle``).
    ``transfer`` names further heads that are trained on what an arm acquired.
    ``dollars`` is what paid arms may spend together, and ``cell_dollars`` one paid cell's equal
    share of it by the seeds of the file, so that running the first few seeds gives no more.
    """

    name: str
    title: str
    question: str
    datasets: tuple[str, ...]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    start: int = 60
    batch: int = 60
    rounds: int = 5
    evaluate: Literal["development", "test"] = "development"
    pool_share: float = 0.8
    reserve_share: float = 0.3
    baseline: str = "random"
    default: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    transfer: tuple[str, ...] = ()
    sha256: str = ""
    dollars: float | None = None
    cell_dollars: float | None = None

    def draw(self, seed: int) -> Draw:
        """How data are divided and drawn for ``seed``."""
        develops = self.evaluate == "development"
        return Draw(
            quarter=seed % QUARTERS if develops else None,
            reserve_share=self.reserve_share,
            pool_share=self.pool_share,
            start=self.start,
            labels=self.start + self.batch * self.rounds,
        )


QUARTERS = 4
"""In development the quarters of the train rows take turns as the test, seed by seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What decides how a data set is divided: ``quarter`` None scores on the test rows;
    ``start`` labels at first, ``labels`` in the end."""

    quarter: int | None
    reserve_share: float
    pool_share: float
    start: int
    labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished cell (one data set, one arm, one seed), as it is stored.

    ``rounds`` holds one mapping of measures per round, the start first; measures are
    floats, ``counts`` and ``recall`` map class ids. ``predictions`` are the last
    model's columns for every test row (n,) uint8 in the data set's order. ``facts``
    are things that are said once, such as the transfer scores.
    """

    key: str
    dataset: str
    arm: str
    seed: int
    rounds: tuple[Json, ...]
    predictions: NDArray[np.uint8]
    facts: Json = field(default_factory=dict)
