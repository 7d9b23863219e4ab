"""One cell: one data set, one arm, one seed, round by round through the service's functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.records import Arm, Experiment, Json
from benchmarks.evidence.references import even_rows
from benchmarks.evidence.stage import CLUSTERS, SELECT, WRITE, Stage, start_rows
from benchmarks.evidence.writing import Writer, WrittenRow, label_noise, treated
from core.clustering import Clusterer, assign
from core.metrics import cluster_coverage, evaluate, normalised_entropy, std
from core.pool import PoolView, QueryStrategy
from core.ports import FittedHead, Learner
from core.records import SessionSettings
from core.stopping import Opinion, mean_uncertainty, stop_set, stopping_criteria
from core.training import generated_weights

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The components an arm names, made. ``strategy`` None picks evenly by the true
    labels, a reference no service could run."""

    strategy: QueryStrategy | None
    clusterer: Clusterer
    learner: Learner
    writer: Writer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A fitted head with the columns it knows."""

    fitted: FittedHead
    columns: Ints

    def known(self, vectors: Floats) -> Floats:
        """(n, known columns) probabilities."""
        return self.fitted.predict(vectors)

    def all_columns(self, vectors: Floats, *, classes: int) -> Floats:
        """(n, classes); 0 for a class the head never saw."""
        padded = np.zeros((len(vectors), classes), dtype=np.float32)
        padded[:, self.columns] = self.known(vectors)
        return padded


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a cell leaves: measures by round, the last predictions for every test row, and
    the acquired rows: places in the pool, and what was written."""

    rounds: tuple[Json, ...]
    predictions: NDArray[np.uint8]
    labelled: Ints
    written: tuple[WrittenRow, ...]
    weights: NDArray[np.float64]


class Loop:
    """Holds what one cell has acquired so far."""

    def __init__(self, stage: Stage, arm: Arm, experiment: Experiment, *, tools: Tools) -> None:
        self._stage, self._arm, self._experiment, self._tools = stage, arm, experiment, tools
        self._labelled: list[int] = []
        self._written: list[WrittenRow] = []
        self._probabilities: Floats | None = None
        self._opinions: list[Opinion] = []
        self._criteria = {c.name: c.make() for c in stopping_criteria()}
        self._clusters, self._centroids = stage.clusters(repr(arm.clusterer), tools.clusterer)

    def run(self) -> Finished:
        """Start, then as many rounds as the experiment has."""
        start = start_rows(self._stage, self._arm, count=self._experiment.start)
        self._label(start.tolist())
        head = self._fit()
        rounds = [self._measures(head)]
        for number in range(1, self._experiment.rounds + 1):
            self._label(self._select(head, number=number))
            head = self._fit()
            rounds.append(self._measures(head))
        return self._finished(rounds, head)

    def _finished(self, rounds: Sequence[Json], head: Head) -> Finished:
        return Finished(
            rounds=tuple(rounds),
            predictions=self._test_columns(head).astype(np.uint8),
            labelled=np.array(self._labelled, dtype=np.int64),
            written=tuple(self._written),
            weights=self._weights(self._written),
        )

    def run_whole(self) -> Finished:
        """Every pool row labelled at once: what the learner can do with all of it.

        Its measures stand at every round, so that it can be drawn as a level line.
        """
        self._labelled = list(range(len(self._stage.pool.targets)))
        head = self._fit()
        facts = self._measures(head)
        labels = [
            self._experiment.start + self._experiment.batch * number
            for number in range(self._experiment.rounds + 1)
        ]
        return self._finished([{**facts, "labels": count} for count in labels], head)

    # --- one round -----------------------------------------------------------------

    def _label(self, places: Sequence[int]) -> None:
        """Gold answers, then variations of them."""
        self._labelled += places
        if self._tools.writer is None:
            return
        held = self._counts()
        rows = self._tools.writer.write(places, held=held, probabilities=self._probabilities)
        opinions = None
        if self._probabilities is not None and rows:
            vectors = np.stack([row.vector for row in rows])
            opinions = self._head.all_columns(vectors, classes=len(self._stage.classes))
        rng = self._stage.rng(WRITE, len(self._labelled))
        self._written += treated(
            rows, treatment=self._arm.treatment, probabilities=opinions, rng=rng
        )

    def _fit(self) -> Head:
        """The arm's learner on all labels and, with less weight, what was written."""
        places = np.array(self._labelled, dtype=np.int64)
        own = self._stage.pool.targets[places]
        columns = np.unique(own)
        known = set(columns.tolist())
        written = [row for row in self._written if row.target in known]
        weights = self._weights(written)
        vectors = [self._stage.pool.vectors[places]] + [row.vector[None] for row in written]
        targets = np.concatenate([own, np.array([row.target for row in written], dtype=np.int64)])
        fitted = self._tools.learner.fit(
            np.concatenate(vectors),
            np.searchsorted(columns, targets).astype(np.int32),
            classes=len(columns),
            weights=np.concatenate([np.ones(len(own)), weights]).astype(np.float32),
            seed=self._stage.seed,
        )
        self._head = Head(fitted=fitted, columns=columns)
        return self._head

    def _weights(self, written: Sequence[WrittenRow]) -> NDArray[np.float64]:
        """The service's weights, or full weight where the treatment says so."""
        if self._arm.treatment in {"none", "filter"}:
            return np.ones(len(written))
        names = [self._stage.classes[row.target] for row in written]
        weight = generated_weights(self._counts(), Counter(names), settings=SessionSettings())
        return np.array([weight[name] for name in names])

    def _select(self, head: Head, *, number: int) -> list[int]:
        classes = len(self._stage.classes)
        known = head.known(self._stage.pool.vectors)
        self._probabilities = np.zeros((len(known), classes), dtype=np.float32)
        self._probabilities[:, head.columns] = known
        rng = self._stage.rng(SELECT, number)
        if self._tools.strategy is None:
            eligible = self._eligible()
            return even_rows(
                self._stage.pool.targets,
                eligible=eligible,
                held=self._labelled,
                count=self._experiment.batch,
                rng=rng,
            )
        view = self._view(head, known)
        chosen = self._tools.strategy.select(
            view, self._experiment.batch, min_distance=self._arm.min_distance, rng=rng
        )
        return [pick.position for pick in chosen.picks]

    def _view(self, head: Head, known: Floats) -> PoolView:
        """What a strategy sees; it never sees a label nobody gave."""
        if self._arm.recluster:
            self._recluster()
        places = np.array(self._labelled, dtype=np.int64)
        members = self._stage.pool.targets[places][:, None] == head.columns[None, :]
        return PoolView(
            clusters=self._clusters,
            cluster_count=len(self._centroids),
            centroids=self._centroids,
            eligible=self._eligible(),
            probabilities=known,
            vectors=lambda rows: self._stage.pool.vectors[rows],
            class_counts=members.sum(axis=0).astype(np.float64),
            target_shares=np.full(len(head.columns), 1 / len(self._stage.classes)),
            labelled_positions=places,
            labelled_classes=members,
        )

    def _eligible(self) -> NDArray[np.bool_]:
        eligible = np.ones(len(self._stage.pool.targets), dtype=np.bool_)
        eligible[self._labelled] = False
        return eligible

    def _recluster(self) -> None:
        """Fit again on rows without labels, from the centroids so far."""
        rng = self._stage.rng(CLUSTERS, len(self._labelled))
        rows = self._stage.pool.vectors[self._eligible()]
        count = self._tools.clusterer.clusters_for(len(rows))
        self._centroids = self._tools.clusterer.fit(
            rows, count=count, rng=rng, start=self._centroids
        )
        self._clusters = assign(self._stage.pool.vectors, self._centroids)

    # --- measures ------------------------------------------------------------------

    def _counts(self) -> dict[str, int]:
        """Human labels per class."""
        targets = self._stage.pool.targets[self._labelled]
        counts = np.bincount(targets, minlength=len(self._stage.classes))
        return dict(zip(self._stage.classes, counts.tolist(), strict=True))

    def _test_columns(self, head: Head) -> Ints:
        probabilities = head.all_columns(self._stage.test.vectors, classes=len(self._stage.classes))
        columns: Ints = probabilities.argmax(axis=1)
        return columns

    def _measures(self, head: Head) -> dict[str, Any]:
        """Evenness and coverage of the labels, quality on this seed's draw of the test rows."""
        counts = self._counts()
        return {
            "labels": len(self._labelled),
            "std": std(counts),
            "normalised_entropy": normalised_entropy(counts),
            "smallest_class": min(counts.values()),
            "counts": counts,
            **self._coverage(),
            **self._quality(head),
            "generated": len(self._written),
            "generated_noise": label_noise(self._written),
            **self._stopping(head),
        }

    def _stopping(self, head: Head) -> dict[str, float]:
        """Each stopping criterion's value on a fixed part of the pool, and whether it stops."""
        rows = stop_set(np.arange(len(self._stage.pool.targets)))
        probabilities = head.all_columns(
            self._stage.pool.vectors[rows], classes=len(self._stage.classes)
        )
        self._opinions.append(
            Opinion(
                predicted=probabilities.argmax(axis=1),
                uncertainty=mean_uncertainty(probabilities),
            )
        )
        found: dict[str, float] = {}
        for name, criterion in self._criteria.items():
            verdict = criterion.judge(self._opinions)
            found[f"stops_{name}"] = float(verdict.stop)
            if verdict.value is not None:
                found[name] = verdict.value
        return found

    def _coverage(self) -> dict[str, float]:
        """Share of clusters with a label, and of pool rows that lie near a labelled one."""
        pool, places = self._stage.pool.vectors, np.array(self._labelled, dtype=np.int64)
        reached = cluster_coverage(
            self._clusters,
            labelled_positions=places,
            pool=np.ones(len(pool), dtype=np.bool_),
            cluster_count=len(self._centroids),
        )
        near = 1 - (self._stage.probe @ pool[places].T).max(axis=1)
        return {
            "clusters_covered": reached["share"],
            "space_covered": float((near <= self._stage.reach).mean()),
        }

    def _quality(self, head: Head) -> Mapping[str, Any]:
        classes = self._stage.classes
        probabilities = head.all_columns(self._stage.test.vectors, classes=len(classes))
        sample = self._stage.sample
        found = evaluate(
            probabilities[sample],
            self._stage.test.targets[sample].astype(np.int32),
            classes=classes,
        )
        names = ("macro_f1", "weighted_f1", "accuracy", "calibration_error", "log_loss")
        recall = {c: row["recall"] for c, row in found["per_class"].items() if row["support"]}
        return {**{name: found[name] for name in names}, "recall": recall}
