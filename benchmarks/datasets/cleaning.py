"""Which rows of a source are used: no text twice, and none that carries two labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.datasets.rows import Row
from core.texts import normalise, text_hash

TRAIN_PERCENT = 70


def without_repeats(rows: Sequence[Row], *, test: str = "test") -> list[Row]:
    """The rows with every normalised text once, where it first stood.

    Of equal texts the first test row is kept, else the first row; where their labels
    differ, none is.
    """
    copies: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        copies[normalise(row.text)].append(place)
    return [
        min((rows[place] for place in places), key=lambda row: row.split != test)
        for places in copies.values()
        if len({rows[place].label for place in places}) == 1
    ]


def stripped(rows: Sequence[Row]) -> list[Row]:
    """Rows without surrounding white space and NUL characters; empty ones are left out."""
    clean = [replace(row, text=row.text.replace("\0", "").strip()) for row in rows]
    return [row for row in clean if row.text]


def hash_split(rows: Sequence[Row]) -> list[Row]:
    """Rows with a split by text: of the hash's first 32 bits mod 100, below 70 is train."""
    return [replace(row, split=_side(row.text)) for row in rows]


def _side(text: str) -> str:
    return "train" if int(text_hash(text)[:8], 16) % 100 < TRAIN_PERCENT else "test"
