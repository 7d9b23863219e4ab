"""Rows set aside before any run: the generator's reserve and the development test."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.records import SPLITS
from core.splitting import assign_splits, hash_number

RESERVE_SHARE, QUARTERS = 0.3, 4
FEWEST_RESERVE = 20
RESERVE_SALT, DEVELOPMENT_SALT = "tailwise reserve 1", "tailwise development 1"


def reserve_mask(
    labels: Sequence[str], text_hashes: Sequence[str], *, share: float = RESERVE_SHARE
) -> NDArray[np.bool_]:
    """Which train rows (n,) are set aside for the simulated generator.

    Give it every train row of a set: cuts are quantiles of the rows given.
    ``text_hashes`` are ``core.texts.text_hash``; see ``_lowest`` for the shares.
    """
    return _lowest(labels, text_hashes, share=share, salt=RESERVE_SALT)


def development_quarter(
    labels: Sequence[str], text_hashes: Sequence[str], *, quarter: int = 0
) -> NDArray[np.bool_]:
    """Which rows (n,) are the development test: quarter 0, 1, 2 or 3 by a hash of its own.

    The four quarters part the rows, independently of the reserve; give every quarter the
    same rows. Raises InvalidInput ``out-of-range`` for another quarter.
    """
    if quarter not in range(QUARTERS):
        raise InvalidInput.at("/quarter", "quarter must be 0, 1, 2 or 3", code="out-of-range")
    taken = np.zeros(len(labels), dtype=np.bool_)
    for number in range(quarter):
        taken |= _lowest(labels, text_hashes, share=(number + 1) / QUARTERS, salt=DEVELOPMENT_SALT)
    if quarter == QUARTERS - 1:
        return ~taken
    upto = _lowest(labels, text_hashes, share=(quarter + 1) / QUARTERS, salt=DEVELOPMENT_SALT)
    return upto & ~taken


def thin_reserve(labels: Sequence[str], reserve: NDArray[np.bool_]) -> Mapping[str, int]:
    """Reserve rows of every class that has fewer than 20 of them: too few to draw from."""
    counts = Counter(label for label, held in zip(labels, reserve, strict=True) if held)
    return {c: counts[c] for c in sorted(set(labels)) if counts[c] < FEWEST_RESERVE}


def _lowest(
    labels: Sequence[str], text_hashes: Sequence[str], *, share: float, salt: str
) -> NDArray[np.bool_]:
    """The ``share`` of each class with the lowest salted hashes.

    round(share x all) rows in all, divided over the classes by largest remainder. Copies
    of a text within a class stay together. Raises InvalidInput for a share outside [0, 1).
    """
    column = np.array(labels)
    numbers = np.array([_salted(h, salt) for h in text_hashes], dtype=np.uint64)
    rows = {name: np.flatnonzero(column == name) for name in sorted(set(labels))}
    codes = assign_splits(
        {name: numbers[places] for name, places in rows.items()},
        test_share=0.0,
        reserve_share=share,
    )
    mask = np.zeros(len(labels), dtype=np.bool_)
    for name, places in rows.items():
        mask[places] = codes[name] == SPLITS.index("reserve")
    return mask


def _salted(text_hash: str, salt: str) -> int:
    return hash_number(hashlib.sha256(f"{salt}:{text_hash}".encode("ascii")).hexdigest())
