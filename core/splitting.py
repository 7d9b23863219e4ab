"""Pool, test and reserve by a hash of the text: the same text always falls on the same side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.records import SPLITS, Labels, Split

Hashes = NDArray[np.uint64]
Gold: TypeAlias = "Labels | None"

UNKNOWN, NONE_OF_THESE = "", " "
"""Groups beside the classes, whose ids are not blank."""

ROWS_FOR_A_TEST_ROW = 5
"""A class of at least so many rows gets a test row, however small the share."""


def hash_number(text_hash: str) -> int:
    """The first 64 bits of a hex sha256: what a row costs while a file is split."""
    return int(text_hash[:16], 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCut:
    """Where one class is cut: hashes below ``test`` are test rows, then reserve, then pool.

    Bounds are exclusive and in [0, 2**64], with test <= reserve.
    """

    test: int
    reserve: int

    def split(self, number: int) -> Split:
        """The side of a row with this ``hash_number``."""
        if number < self.test:
            return "test"
        return "reserve" if number < self.reserve else "pool"


def plan_splits(
    hashes_by_class: Mapping[str, Hashes], *, test_share: float, reserve_share: float
) -> dict[str, SplitCut]:
    """One cut per gold class, from uint64 hashes (rows of the class,) in any order.

    Shares are exact: round(share x all rows) rows in all, divided over the classes by
    largest remainder; a class of five rows or more that this gives no test row gets one.
    Copies of one text within a class stay together, so that a cut may move by a copy.
    Raises InvalidInput where a share is below 0 or both reach 1.
    """
    _check(test_share, reserve_share)
    sizes = {name: int(hashes.size) for name, hashes in hashes_by_class.items()}
    tests = largest_remainder(sizes, share=test_share)
    for name, size in sizes.items():
        if test_share > 0 and size >= ROWS_FOR_A_TEST_ROW:
            tests[name] = max(1, tests[name])
    reserves = largest_remainder(sizes, share=reserve_share)
    return {
        name: _cut(np.sort(hashes), test=tests[name], reserve=reserves[name])
        for name, hashes in hashes_by_class.items()
    }


def plan_gold_splits(
    hashes_by_gold: Mapping[Gold, Hashes], *, test_share: float, reserve_share: float
) -> dict[Gold, SplitCut]:
    """One cut per gold label, by ``plan_splits``; a label with several classes is cut with the
    rarest of them, so that rare classes get their test rows."""
    sizes: Counter[str] = Counter()
    for gold, hashes in hashes_by_gold.items():
        sizes.update(dict.fromkeys(gold or (), int(hashes.size)))
    group_of = {gold: _group(gold, sizes) for gold in hashes_by_gold}
    parts: dict[str, list[Hashes]] = defaultdict(list)
    for gold, group in group_of.items():
        parts[group].append(hashes_by_gold[gold])
    joined = {
        group: hashes[0] if len(hashes) == 1 else np.concatenate(hashes)
        for group, hashes in parts.items()
    }
    cuts = plan_splits(joined, test_share=test_share, reserve_share=reserve_share)
    return {gold: cuts[group] for gold, group in group_of.items()}


def _group(gold: Gold, sizes: Mapping[str, int]) -> str:
    if gold is None:
        return UNKNOWN
    return min(gold, key=lambda class_id: (sizes[class_id], class_id), default=NONE_OF_THESE)


def assign_splits(
    hashes_by_class: Mapping[str, Hashes], *, test_share: float, reserve_share: float
) -> dict[str, NDArray[np.int8]]:
    """Split codes (see ``core.records.SPLITS``) per class, in the order of its hashes."""
    cuts = plan_splits(hashes_by_class, test_share=test_share, reserve_share=reserve_share)
    return {name: _codes(hashes, cut=cuts[name]) for name, hashes in hashes_by_class.items()}


def largest_remainder(sizes: Mapping[str, int], *, share: float) -> dict[str, int]:
    """Whole rows per class that sum to round(share x all), each within one of its exact part.

    Equal remainders are served in the order of the names.
    """
    exact = {name: share * size for name, size in sizes.items()}
    quotas = {name: int(part) for name, part in exact.items()}
    by_remainder = sorted(sizes, key=lambda name: (quotas[name] - exact[name], name))
    missing = round(share * sum(sizes.values())) - sum(quotas.values())
    for name in by_remainder[: max(0, missing)]:
        quotas[name] += 1
    return quotas


def _check(test_share: float, reserve_share: float) -> None:
    for name, share in (("test_share", test_share), ("reserve_share", reserve_share)):
        if not 0 <= share < 1:
            raise InvalidInput.at(f"/{name}", f"{name} must be in [0, 1)", code="out-of-range")
    if test_share + reserve_share >= 1:
        raise InvalidInput.at(
            "/reserve_share", "test and reserve must leave rows in the pool", code="out-of-range"
        )


def _cut(hashes: Hashes, *, test: int, reserve: int) -> SplitCut:
    """``hashes`` ascending; a bound stands just above the last hash it takes."""
    reserve = min(test + reserve, hashes.size)
    bounds = [0 if rows == 0 else int(hashes[rows - 1]) + 1 for rows in (test, reserve)]
    return SplitCut(test=bounds[0], reserve=bounds[1])


def _codes(hashes: Hashes, *, cut: SplitCut) -> NDArray[np.int8]:
    """A bound of 2**64 does not fit the dtype, so the last hash taken is compared."""
    codes = np.full(hashes.size, SPLITS.index("pool"), dtype=np.int8)
    for bound, split in ((cut.reserve, "reserve"), (cut.test, "test")):
        if bound > 0:
            codes[hashes <= np.uint64(bound - 1)] = SPLITS.index(split)
    return codes
