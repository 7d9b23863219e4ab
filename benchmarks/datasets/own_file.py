"""Any labelled file as a data set: its columns are found and checked as the demo does it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.datasets.cleaning import stripped, without_repeats
from benchmarks.datasets.loading import refuse_small
from benchmarks.datasets.rows import Row, largest_first, read_labelled
from benchmarks.demo import dataset as demo
from benchmarks.demo.options import DemoOptions, DemoRefused
from benchmarks.evidence.records import Dataset
from core.errors import InvalidInput
from core.records import SPLITS
from core.requests import ImportRequest
from core.splitting import assign_splits, hash_number
from core.texts import text_hash

TEST_SHARE = 0.2
MEANT = {"pool": "train", "test": "test", "reserve": "unused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of a file is what; ``split`` None = one named "split", if there is one."""

    text: str = "text"
    label: str = "label"
    split: str | None = None


def load_own_file(path: Path, *, columns: Columns | None = None) -> Dataset:
    """The rows of a CSV, JSON Lines or Parquet file (also .gz), with every text once.

    With a split column, its training and test rows (development rows are not used);
    without one, a fifth of each class is the test, by the hash of the normalised text.
    Raises InvalidInput: unfit-file (no such file or column, one class only, unknown split
    names), malformed-row, too-few-rows.
    """
    columns = columns or Columns()
    request = _request(path, columns)
    with path.open("rb") as stream:
        found = read_labelled(stream, request)
        stream.seek(0)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    split = request.split_column is not None
    rows = _with_meanings(found, request) if split else found
    clean = without_repeats(stripped(rows))
    dropped = len(rows) - len(clean)
    used = [row for row in (clean if split else _tested(clean)) if row.split != "unused"]
    classes = largest_first([row.label for row in used])
    refuse_small(used, classes, name=path.name)
    return Dataset(
        name=path.name,
        texts=tuple(row.text for row in used),
        labels=tuple(row.label for row in used),
        is_test=np.array([row.split == "test" for row in used], dtype=np.bool_),
        classes=classes,
        licence="not known: a file of yours",
        source=str(path),
        sha256=sha256,
        rule=_rule(dropped, split=split),
    )


def _request(path: Path, columns: Columns) -> ImportRequest:
    options = DemoOptions(
        data=path,
        text_column=columns.text,
        label_column=columns.label,
        split_column=columns.split,
    )
    try:
        return replace(demo.load_dataset(options).request, id_column=None)
    except DemoRefused as refusal:
        raise InvalidInput.at("/dataset", str(refusal), code="unfit-file") from None


def _with_meanings(rows: Sequence[Row], request: ImportRequest) -> list[Row]:
    return [replace(row, split=MEANT[request.split_values[row.split]]) for row in rows]


def _tested(rows: Sequence[Row]) -> list[Row]:
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.label, []).append(place)
    hashes = {
        label: np.array([hash_number(text_hash(rows[p].text)) for p in of], dtype=np.uint64)
        for label, of in places.items()
    }
    codes = assign_splits(hashes, test_share=TEST_SHARE, reserve_share=0.0)
    side = np.zeros(len(rows), dtype=np.bool_)
    for label, of in places.items():
        side[of] = codes[label] == SPLITS.index("test")
    return [
        replace(row, split="test" if test else "train")
        for row, test in zip(rows, side, strict=True)
    ]


def _rule(dropped: int, *, split: bool) -> str:
    made = "the file's own split" if split else "a fifth of each class is the test, by text hash"
    return f"{made}; {dropped} repeated, contradictory or empty rows left out"
