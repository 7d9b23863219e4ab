"""Single-label rows on three sides (pool, reserve, test), ready to be combined."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters.files.reading import sniff_format
from benchmarks.datasets.longtail import long_tail
from benchmarks.datasets.rows import Row, largest_first, read_labelled
from benchmarks.datasets.setting_aside import RESERVE_SHARE, reserve_mask
from benchmarks.demo.bundled import MESSAGES
from benchmarks.evidence.cells import Folders
from benchmarks.evidence.records import Dataset
from core.errors import InvalidInput
from core.records import Labels
from core.requests import ImportRequest
from core.session_rules import MIN_CLASSES
from core.texts import text_hash

BUNDLED_NONE = "no-harm"
MOST_POOL, MOST_TEST, MOST_RESERVE = 3_000, 1_000, 20
"""Texts read of the pool, of the test, and of each class's reserve: those with the lowest
hashes, so that a large set is no week's work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A single-label set by side; ``none`` is the class that means none of the labels.

    ``classes`` are the labels that are left, in the set's order; ``sha256`` is of the file.
    """

    name: str
    licence: str
    sha256: str
    classes: Labels
    none: str | None
    pool: tuple[Row, ...]
    reserve: tuple[Row, ...]
    test: tuple[Row, ...]


def open_source(name: str | None, *, none: str | None, folders: Folders) -> Source:
    """The bundled corpus (None), a known data set, or a file of one's own.

    Raises InvalidInput: what opening a set raises, ``unknown-class`` for a ``none`` that the
    set does not have, ``class-count`` where fewer than two labels are left.
    """
    if name is None:
        return _bundled(none or BUNDLED_NONE)
    return from_dataset(folders.open(name), none=none)


def from_dataset(dataset: Dataset, *, none: str | None) -> Source:
    """Train rows part into reserve and pool as in every experiment; test rows stay test."""
    train, test = _rows(dataset, ~dataset.is_test), _rows(dataset, dataset.is_test)
    labels, hashes = [row.label for row in train], [text_hash(row.text) for row in train]
    held = reserve_mask(labels, hashes, share=RESERVE_SHARE)
    pool = [row for row, is_held in zip(train, held, strict=True) if not is_held]
    if dataset.longtail_ratio is not None:
        kept = long_tail(
            [row.label for row in pool],
            [text_hash(row.text) for row in pool],
            ratio=dataset.longtail_ratio,
        )
        pool = [row for row, keep in zip(pool, kept, strict=True) if keep]
    return Source(
        name=dataset.name,
        licence=dataset.licence,
        sha256=dataset.sha256,
        classes=_without(dataset.classes, none),
        none=none,
        pool=_lowest(pool, MOST_POOL),
        reserve=_of_each(
            [row for row, is_held in zip(train, held, strict=True) if is_held], dataset.classes
        ),
        test=_lowest(test, MOST_TEST),
    )


def _bundled(none: str) -> Source:
    data = MESSAGES.read_bytes()
    format, gzip = sniff_format(MESSAGES.name)
    request = ImportRequest(
        format=format, gzip=gzip, id_column="id", gold_column="label", lang_column=None
    )
    with MESSAGES.open("rb") as stream:
        rows = read_labelled(stream, request)
    pool = [row for row in rows if row.split == "pool"]
    classes = largest_first([row.label for row in pool])
    return Source(
        name="bundled corpus",
        licence="Apache-2.0",
        sha256=hashlib.sha256(data).hexdigest(),
        classes=_without(classes, none),
        none=none,
        pool=tuple(pool),
        reserve=_of_each([row for row in rows if row.split == "reserve"], classes),
        test=tuple(row for row in rows if row.split == "test"),
    )


def _rows(dataset: Dataset, chosen: NDArray[np.bool_]) -> list[Row]:
    places = np.flatnonzero(chosen)
    return [Row(text=dataset.texts[n], label=dataset.labels[n], split="") for n in places]


def _without(classes: Labels, none: str | None) -> Labels:
    if none is not None and none not in classes:
        detail = f"there is no class {none!r} to stand for none of them; known: {list(classes)}"
        raise InvalidInput.at("/none", detail, code="unknown-class", known=list(classes))
    left = tuple(class_id for class_id in classes if class_id != none)
    if len(left) < MIN_CLASSES:
        detail = f"{len(left)} label is left; a multi-label set needs {MIN_CLASSES} or more"
        raise InvalidInput.at("/none", detail, code="class-count", classes=list(left))
    return left


def _lowest(rows: Sequence[Row], most: int) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: text_hash(row.text))[:most])


def _of_each(rows: Sequence[Row], classes: Labels) -> tuple[Row, ...]:
    parts = (_lowest([r for r in rows if r.label == c], MOST_RESERVE) for c in classes)
    return tuple(row for part in parts for row in part)
