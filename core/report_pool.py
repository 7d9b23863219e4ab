"""What a session's arrays add up to: coverage, entropy and the map of the clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import POOL, PoolArrays
from core.metrics import cluster_coverage
from core.records import Batch, Item, Labelled, Labels, Task
from core.thresholds import named
from core.uncertainty import entropy

SAMPLE_ROWS = 20_000
"""Most rows that a mean or histogram of entropies reads."""
MAP_POINTS = 1_200
"""Most dots on the map: more would hide one another and weigh on a page."""
HISTOGRAM_BINS = 20
TOP_CLUSTERS = 3

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundArrays:
    """A batch with the arrays it was chosen from."""

    batch: Batch
    arrays: PoolArrays


def evenly(rows: Positions, *, most: int) -> Positions:
    """At most ``most`` of the rows, evenly spaced, the same ones every time."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def free_positions(arrays: PoolArrays | None, *, busy: Positions) -> Positions:
    """Pool rows that nobody has picked yet; none before indexing."""
    if arrays is None:
        return np.empty(0, dtype=np.int64)
    free = arrays.splits() == POOL
    free[busy[busy < len(free)]] = False
    return np.flatnonzero(free)


def predicted_counts(
    arrays: PoolArrays | None,
    *,
    free: Positions,
    classes: Labels,
    thresholds: Mapping[str, float] | None = None,
) -> Mapping[str, int] | None:
    """Free rows by the model's top class, in ``classes`` order; None before a model.

    With a multi-label model's ``thresholds`` a row counts for each class that reaches its
    own.
    """
    probabilities = arrays.probabilities() if arrays is not None else None
    if probabilities is None:
        return None
    if thresholds is not None:
        said = named(probabilities[free], classes=classes, thresholds=thresholds)
        return {c: int(n) for c, n in zip(classes, said.sum(axis=0), strict=True)}
    top = np.argmax(probabilities, axis=1)[free]
    counts = np.bincount(top, minlength=len(classes))
    return {c: int(n) for c, n in zip(classes, counts, strict=True)}


def coverage(
    rounds: Sequence[RoundArrays], *, labelled: Sequence[Labelled]
) -> list[dict[str, Any]]:
    """Per round: clusters with at least one label so far, and how the batch was spread.

    Measured on the clustering that the round's batch was chosen from.
    """
    rows = []
    answered = {row.item_id: row.position for row in labelled}
    seen: list[int] = []
    for step in rounds:
        picks = [item.pick for item in step.batch.items]
        seen += [answered[i.item_id] for i in step.batch.items if i.item_id in answered]
        version = step.arrays.version
        found = cluster_coverage(
            step.arrays.clusters(),
            labelled_positions=np.array([p for p in seen if p < version.rows], dtype=np.int64),
            pool=step.arrays.splits() == POOL,
            cluster_count=version.cluster_count,
        )
        taken = Counter(pick.cluster for pick in picks)
        top = sum(number for _, number in taken.most_common(TOP_CLUSTERS))
        rows.append(
            {
                "round": step.batch.round,
                "clusters": found["clusters"],
                "with_labels": found["with_labels"],
                "share": found["share"],
                "batch_clusters": len(taken),
                "top_clusters": min(TOP_CLUSTERS, len(taken)),
                "top_share": top / len(picks) if picks else 0.0,
            }
        )
    return rows


def highest_entropy(classes: int, *, multi_label: bool) -> float:
    """The most an entropy can be, in nats: log C, or log 2 as the mean over yes-or-no columns."""
    return float(np.log(2 if multi_label else classes))


def entropy_figures(
    rounds: Sequence[RoundArrays],
    *,
    arrays: PoolArrays | None,
    free: Positions,
    classes: int,
    task: Task,
) -> dict[str, Any]:
    """The highest entropy there can be, the means by round, and the free rows' histogram."""
    several = task.multi_label
    return {
        "maximum": highest_entropy(len(task.classes), multi_label=several),
        "rounds": entropy_trend(rounds, multi_label=several),
        "histogram": entropy_histogram(arrays, free=free, classes=classes, multi_label=several),
    }


def entropy_trend(
    rounds: Sequence[RoundArrays], *, multi_label: bool = False
) -> list[dict[str, Any]]:
    """Per round: mean entropy in nats of the picks and of the pool; None before a model."""
    means: dict[str, float | None] = {}
    rows = []
    for step in rounds:
        picked = [i.pick.entropy for i in step.batch.items if i.pick.entropy is not None]
        version_id = step.arrays.version.id
        if version_id not in means:
            means[version_id] = _mean_entropy(step.arrays, multi_label=multi_label)
        rows.append(
            {
                "round": step.batch.round,
                "picked_mean": float(np.mean(picked)) if picked else None,
                "pool_mean": means[version_id],
            }
        )
    return rows


def _mean_entropy(arrays: PoolArrays, *, multi_label: bool) -> float | None:
    probabilities = arrays.probabilities()
    rows = evenly(np.flatnonzero(arrays.splits() == POOL), most=SAMPLE_ROWS)
    if probabilities is None or not len(rows):
        return None
    return float(entropy(probabilities[rows], multi_label=multi_label).mean())


def entropy_histogram(
    arrays: PoolArrays | None, *, free: Positions, classes: int, multi_label: bool = False
) -> dict[str, list[float] | list[int]]:
    """Free rows by entropy in 20 equal bins from 0 to the highest; empty before a model.

    Counts are of a sample of at most 20,000 evenly spaced rows.
    """
    probabilities = arrays.probabilities() if arrays is not None else None
    if probabilities is None:
        return {"edges": [], "counts": []}
    values = entropy(probabilities[evenly(free, most=SAMPLE_ROWS)], multi_label=multi_label)
    highest = highest_entropy(classes, multi_label=multi_label)
    counts, edges = np.histogram(
        np.minimum(values, highest), bins=HISTOGRAM_BINS, range=(0.0, highest)
    )
    return {"edges": [float(e) for e in edges], "counts": [int(n) for n in counts]}


def cluster_rows(
    arrays: PoolArrays,
    *,
    free: Positions,
    labelled: Sequence[Labelled],
    multi_label: bool = False,
) -> list[dict[str, Any]]:
    """Per cluster: pool rows, labelled ones with their classes, busy ones, mean entropy.

    ``selected`` counts the pool rows that are taken but carry no label.
    """
    count = arrays.version.cluster_count
    clusters = arrays.clusters()
    sizes = np.bincount(clusters[arrays.splits() == POOL], minlength=count)
    left = np.bincount(clusters[free], minlength=count)
    labels: list[Counter[str]] = [Counter() for _ in range(count)]
    answered: Counter[int] = Counter()
    for row in labelled:
        if row.position < len(clusters):
            cluster = int(clusters[row.position])
            labels[cluster].update(row.labels)
            answered[cluster] += 1
    means = _mean_entropies(
        arrays, free=free, clusters=clusters, left=left, multi_label=multi_label
    )
    return [
        {
            "id": number,
            "size": int(sizes[number]),
            "labelled": answered[number],
            "selected": max(0, int(sizes[number] - left[number]) - answered[number]),
            "mean_entropy": means[number],
            "label_counts": dict(sorted(labels[number].items())),
        }
        for number in range(count)
    ]


def _mean_entropies(
    arrays: PoolArrays,
    *,
    free: Positions,
    clusters: NDArray[np.int32],
    left: NDArray[np.int64],
    multi_label: bool,
) -> list[float | None]:
    """Mean entropy of each cluster's free rows; None without a model or free rows."""
    probabilities = arrays.probabilities()
    if probabilities is None:
        return [None] * len(left)
    values = entropy(probabilities, multi_label=multi_label)[free]
    sums = np.bincount(clusters[free], weights=values, minlength=len(left))
    return [float(s / n) if n else None for s, n in zip(sums, left, strict=True)]


def map_positions(
    arrays: PoolArrays, *, labelled: Sequence[Labelled], last: Sequence[int]
) -> Positions:
    """The rows drawn on the map: the last batch, labels and evenly spaced pool rows."""
    pool = np.flatnonzero(arrays.splits() == POOL)
    known = np.array(sorted(r.position for r in labelled), dtype=np.int64)
    marked = np.union1d(np.array(sorted(last), dtype=np.int64), evenly(known, most=MAP_POINTS // 2))
    marked = np.intersect1d(marked, pool)[:MAP_POINTS]
    rest = np.setdiff1d(pool, marked)
    return np.union1d(marked, evenly(rest, most=MAP_POINTS - len(marked)))


def project(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """(m, 2) principal components of (m, D) rows, the same signs every time."""
    if len(vectors) < 2:  # noqa: PLR2004 -- one point has no direction
        return np.zeros((len(vectors), 2))
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    chosen = axes[:, ::-1][:, :2]
    largest = np.abs(chosen).argmax(axis=0)
    signs = np.sign(chosen[largest, np.arange(chosen.shape[1])])
    points: NDArray[np.float64] = centred @ (chosen * np.where(signs == 0, 1, signs))
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def map_points(
    arrays: PoolArrays,
    *,
    positions: Positions,
    items: Mapping[int, Item],
    labelled: Sequence[Labelled],
    last: Sequence[int],
    multi_label: bool = False,
) -> list[dict[str, Any]]:
    """One dot per row by id, with its place, cluster and entropy; never its text."""
    shown = np.array([p for p in positions if int(p) in items], dtype=np.int64)
    places = project(arrays.vectors(shown))
    clusters = arrays.clusters()
    probabilities = arrays.probabilities()
    values = None
    if probabilities is not None:
        values = entropy(probabilities[shown], multi_label=multi_label)
    answers = {row.position: row.labels for row in labelled}
    recent = set(last)
    return [
        {
            "id": items[int(position)].id,
            "x": round(float(places[row, 0]), 5),
            "y": round(float(places[row, 1]), 5),
            "cluster": int(clusters[position]),
            "entropy": None if values is None else round(float(values[row]), 5),
            "labelled": int(position) in answers,
            "last_batch": int(position) in recent,
        }
        for row, position in enumerate(shown)
    ]
