"""How even the labels are, how well a model does, and the paper's three failure signatures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.records import Labels, Options

CALIBRATION_BINS = 15

# --- class balance ------------------------------------------------------------


def class_counts(labels: Iterable[Labels], *, classes: Labels) -> dict[str, int]:
    """Answers per class id, in the order of ``classes``, zeros included.

    An answer with several class ids counts once for each.
    """
    counts = dict.fromkeys(classes, 0)
    for answer in labels:
        for class_id in answer:
            counts[class_id] += 1
    return counts


def std(counts: Mapping[str, int]) -> float:
    """Population standard deviation of the class counts, the paper's measure.

    It grows with the number of labels: compare at equal numbers only.
    """
    return float(np.std(list(counts.values()))) if counts else 0.0


def normalised_entropy(
    counts: Mapping[str, int], *, shares: Mapping[str, float] | None = None
) -> float:
    """Evenness in [0, 1]: entropy of the class shares over log C; classes at zero count too.

    1 = even, or, where target ``shares`` are given, exactly at target: counts are divided
    by C times the share first (a class with share 0 is left out). 0 with no labels at
    all; 1 for a single class with labels.
    """
    wanted = shares or dict.fromkeys(counts, 1 / len(counts) if counts else 1.0)
    weights = np.array([n / wanted[c] for c, n in counts.items() if wanted[c] > 0], dtype=float)
    total = float(weights.sum())
    if total == 0:
        return 0.0
    if weights.size == 1:
        return 1.0
    parts = weights[weights > 0] / total
    return max(0.0, float(-(parts * np.log(parts)).sum() / np.log(weights.size)))


def smallest_class(counts: Mapping[str, int]) -> tuple[str, int]:
    """(class id, count) of the rarest class, the first of equals; ValueError without classes."""
    class_id = min(counts, key=lambda c: counts[c])
    return class_id, counts[class_id]


def cluster_coverage(
    clusters: NDArray[np.int32],
    *,
    labelled_positions: NDArray[np.int64],
    pool: NDArray[np.bool_],
    cluster_count: int,
) -> dict[str, float]:
    """How much of the pool has been looked at.

    ``pool`` bool (N,) marks the rows that count, labelled ones included. Answers
    ``clusters`` (with pool rows), ``with_labels`` of these, and their ``share``.
    """
    filled = np.bincount(clusters[pool], minlength=cluster_count) > 0
    seen = labelled_positions[pool[labelled_positions]]
    labelled = np.bincount(clusters[seen], minlength=cluster_count) > 0
    total, reached = int(filled.sum()), int(labelled.sum())
    return {
        "clusters": total,
        "with_labels": reached,
        "share": reached / total if total else 0.0,
    }


# --- a model's quality -----------------------------------------------------------


def evaluate(
    probabilities: NDArray[np.float32], targets: NDArray[np.integer], *, classes: Labels
) -> dict[str, Any]:
    """Quality of (n, C) probabilities against (n,) column numbers, as JSON-shaped facts.

    macro_f1 and weighted_f1 average over the classes that occur in ``targets``; an
    undefined ratio counts as 0. ``confusion`` has a row per true class and a column per
    predicted one. log_loss is in nats with probabilities cut at 1e-7;
    calibration_error is the expected one of the top class over 15 equal bins. {} for
    no rows.
    """
    from sklearn.metrics import (  # noqa: PLC0415
        confusion_matrix,
        precision_recall_fscore_support,
    )

    if targets.size == 0:
        return {}
    predicted = np.argmax(probabilities, axis=1)
    columns = np.arange(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        targets, predicted, labels=columns, zero_division=0
    )
    table = zip(classes, precision, recall, f1, support, strict=True)
    return {
        "rows": int(targets.size),
        "macro_f1": float(f1[support > 0].mean()),
        "weighted_f1": float(np.average(f1, weights=support)),
        "accuracy": float((predicted == targets).mean()),
        "per_class": {
            c: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
            for c, p, r, f, n in table
        },
        "confusion": confusion_matrix(targets, predicted, labels=columns).tolist(),
        "log_loss": log_loss(probabilities, targets),
        "calibration_error": calibration_error(probabilities, targets),
    }


def log_loss(probabilities: NDArray[np.float32], targets: NDArray[np.integer]) -> float:
    """Mean -log p of the true class, in nats; p is cut at 1e-7."""
    truth = probabilities[np.arange(targets.size), targets].astype(np.float64)
    return float(-np.log(np.maximum(truth, 1e-7)).mean())


def calibration_error(probabilities: NDArray[np.float32], targets: NDArray[np.integer]) -> float:
    """Expected calibration error of the top class: sum over bins of share |accuracy -
    confidence|, 15 equal bins."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (np.argmax(probabilities, axis=1) == targets).astype(np.float64)
    bins = np.clip((confidence * CALIBRATION_BINS).astype(int), 0, CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / targets.size)


# --- failure signatures ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureSignature:
    """A warning that the loop is going wrong: a stable ``code``, a sentence for people,
    and the numbers behind it."""

    code: str
    message: str
    facts: Options


STUCK_ROUNDS, STUCK_PICKS, STUCK_SHARE = 3, 20, 0.25
LOST_CHECKED, LOST_SHARE = 20, 0.2
EVENNESS_LEAST, EVENNESS_LABELS_PER_CLASS = 0.8, 10


def stuck_clusters(
    rounds: Sequence[Sequence[int]], *, cluster_count: int
) -> FailureSignature | None:
    """The learner keeps choosing from the same clusters; None where it does not.

    ``rounds`` holds each round's picks as cluster ids (of the present clustering), oldest
    first; ``cluster_count`` counts the clusters that still have rows to pick. Looks at
    the last 3 rounds, once there are 3 with 20 picks in all. Stuck: the effective number
    of clusters, exp(entropy of the picks' clusters), is below a quarter of
    min(cluster_count, picks).
    """
    recent = [cluster for picks in rounds[-STUCK_ROUNDS:] for cluster in picks]
    reachable = min(cluster_count, len(recent))
    if len(rounds) < STUCK_ROUNDS or len(recent) < STUCK_PICKS or reachable <= 1:
        return None
    counts = np.unique(np.array(recent), return_counts=True)[1]
    parts = counts / counts.sum()
    effective = float(np.exp(-(parts * np.log(parts)).sum()))
    if effective >= STUCK_SHARE * reachable:
        return None
    return FailureSignature(
        code="stuck-clusters",
        message=f"the last {STUCK_ROUNDS} rounds looked at few clusters again and again",
        facts={
            "rounds": STUCK_ROUNDS,
            "picks": len(recent),
            "clusters_reachable": reachable,
            "clusters_effective": round(effective, 2),
            "threshold": STUCK_SHARE,
        },
    )


def lost_labels(*, checked: int, lost: int) -> FailureSignature | None:
    """Variations lose the label they were written for; None where they do not.

    ``checked`` generated rows were read by the learner or a reviewer, ``lost`` of them
    were found to have another label or none. Speaks at 20 checked rows and more than
    20 % lost.
    """
    if checked < LOST_CHECKED or lost <= LOST_SHARE * checked:
        return None
    return FailureSignature(
        code="lost-labels",
        message="many written variations no longer carry the label of their seed",
        facts={
            "checked": checked,
            "lost": lost,
            "share": round(lost / checked, 4),
            "threshold": LOST_SHARE,
        },
    )


def imbalance(
    counts: Mapping[str, int], *, shares: Mapping[str, float] | None = None
) -> FailureSignature | None:
    """The acquired labels stay uneven; None where they do not.

    Speaks once there are ten labels per class on average and the normalised entropy
    (against target ``shares`` where given) is below 0.8, or a wanted class has none.
    """
    wanted = [c for c in counts if shares is None or shares[c] > 0]
    total = sum(counts.values())
    evenness = normalised_entropy(counts, shares=shares)
    missing = [c for c in wanted if counts[c] == 0]
    enough = len(wanted) > 1 and total >= EVENNESS_LABELS_PER_CLASS * len(wanted)
    if not enough or (evenness >= EVENNESS_LEAST and not missing):
        return None
    smallest = min(wanted, key=lambda c: counts[c])
    return FailureSignature(
        code="imbalance",
        message="the labels stay uneven over the classes",
        facts={
            "labels": total,
            "normalised_entropy": round(evenness, 4),
            "threshold": EVENNESS_LEAST,
            "smallest_class": smallest,
            "smallest_count": counts[smallest],
            "classes_without_labels": missing,
        },
    )
