"""How far people who answered the same items agree: Krippendorff's alpha, Cohen's kappa.

Both are 1 where everybody agrees and 0 where they agree as often as chance would have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from core.people import Vote

Ratings: TypeAlias = Mapping[str, Mapping[str, Hashable]]
"""Item id -> annotator id -> value."""

LEAST_SHARED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """``alpha`` and ``kappa`` are None where they are undefined: ``reason`` says why.

    ``items`` were answered by at least two people, ``agreed`` of them alike by all;
    ``raters`` people gave those answers. ``kappa`` is the mean of Cohen's kappa over
    pairs of people, weighted by the items a pair shares.
    """

    items: int
    raters: int
    agreed: int
    alpha: float | None
    kappa: float | None
    reason: str | None = None


def agreement(votes: Sequence[Vote]) -> Agreement:
    """Over whole answers; sets of labels that overlap agree in part (MASI distance) in alpha
    and count as different in kappa."""
    several = any(len(vote.labels) != 1 for vote in votes)
    ratings = _ratings(votes, value=lambda vote: frozenset(vote.labels))
    return _measure(ratings, in_part=several)


def agreement_by_label(votes: Sequence[Vote], class_ids: Sequence[str]) -> Mapping[str, Agreement]:
    """For each class, whether people agree on which items it applies to."""
    return {
        class_id: _measure(_ratings(votes, value=lambda vote, c=class_id: c in vote.labels))  # type: ignore[misc]
        for class_id in class_ids
    }


def _ratings(votes: Sequence[Vote], *, value: Callable[[Vote], Hashable]) -> Ratings:
    """Items that at least two people answered."""
    found: dict[str, dict[str, Hashable]] = defaultdict(dict)
    for vote in votes:
        found[vote.item_id][vote.annotator_id] = value(vote)
    return {item: given for item, given in found.items() if len(given) >= LEAST_SHARED}


def _measure(ratings: Ratings, *, in_part: bool = False) -> Agreement:
    values = [set(given.values()) for given in ratings.values()]
    raters = set().union(*ratings.values()) if ratings else set()
    reason = None
    if not ratings:
        reason = "no item has answers of two people yet"
    elif len(set().union(*values)) == 1:
        reason = "everybody gave one and the same answer, so chance cannot be told apart"
    return Agreement(
        items=len(ratings),
        raters=len(raters),
        agreed=sum(len(given) == 1 for given in values),
        alpha=None if reason else _alpha(ratings, in_part=in_part),
        kappa=None if reason else _kappa(ratings),
        reason=reason,
    )


def _alpha(ratings: Ratings, *, in_part: bool) -> float:
    from nltk.metrics.agreement import AnnotationTask  # noqa: PLC0415 -- half a second
    from nltk.metrics.distance import binary_distance, masi_distance  # noqa: PLC0415

    rows = [(who, item, value) for item, given in ratings.items() for who, value in given.items()]

    def in_sets(one: frozenset[str], other: frozenset[str]) -> float:
        """As MASI, and nothing apart from nothing is no distance."""
        return float(masi_distance(one, other)) if one and other else float(one != other)

    distance = in_sets if in_part else binary_distance
    return float(AnnotationTask(data=rows, distance=distance).alpha())


def _kappa(ratings: Ratings) -> float | None:
    """None where no pair's kappa is defined."""
    pairs: dict[tuple[str, str], list[tuple[Hashable, Hashable]]] = defaultdict(list)
    for given in ratings.values():
        for one, other in combinations(sorted(given), 2):
            pairs[one, other].append((given[one], given[other]))
    weighted = [(len(shared), _pair(shared)) for shared in pairs.values()]
    known = [(weight, value) for weight, value in weighted if value is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None


def _pair(shared: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415 -- two seconds

    codes = {value: n for n, value in enumerate(dict.fromkeys(v for pair in shared for v in pair))}
    if len(codes) == 1:
        return None
    one, other = ([codes[pair[side]] for pair in shared] for side in (0, 1))
    return float(cohen_kappa_score(one, other))
