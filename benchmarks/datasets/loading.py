"""A known data set from a folder: its file is checked before a row of it is believed."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from adapters.files.reading import sniff_format
from benchmarks.datasets.catalog import Entry, find_entry
from benchmarks.datasets.longtail import RULE
from benchmarks.datasets.rows import Row, largest_first, read_labelled
from benchmarks.evidence.records import Dataset
from core.errors import InvalidInput
from core.records import Labels
from core.requests import ImportRequest

FEWEST_TRAIN, FEWEST_TEST = 10, 1
"""A class with fewer rows cannot be set apart, selected and scored on."""


def load_dataset(name: str, *, folder: Path, catalog: Mapping[str, Entry] | None = None) -> Dataset:
    """The data set ``name`` from its file in ``folder``.

    Rows keep the file's order. Raises InvalidInput: unknown-dataset, missing-folder,
    missing-file, hash-mismatch (file, expected and found sha256 in the extras),
    too-few-rows.
    """
    entry = find_entry(name, catalog)
    data = _checked(folder, entry)
    rows = used_rows(_read(data, entry), entry)
    return as_dataset(rows, entry, sha256=entry.sha256)


def used_rows(rows: Sequence[Row], entry: Entry) -> list[Row]:
    """The train and test rows; a split that the catalogue does not know is refused."""
    known = {entry.train, entry.test, *entry.unused_splits}
    strange = sorted({row.split for row in rows} - known)
    if strange:
        detail = f"{entry.name} has unknown splits: {', '.join(strange)}"
        raise InvalidInput.at("/split", detail, code="unknown-split", splits=strange)
    return [row for row in rows if row.split not in entry.unused_splits]


def as_dataset(rows: Sequence[Row], entry: Entry, *, sha256: str) -> Dataset:
    """Train and test rows as the record the harness takes; a derived set keeps its classes."""
    train = [row.label for row in rows if row.split == entry.train]
    classes = entry.classes or largest_first(train)
    rule = entry.rule
    if entry.keep_classes is not None:
        classes = classes[: entry.keep_classes]
        rows = [row for row in rows if row.label in set(classes)]
        rule = f"{rule}; the {entry.keep_classes} classes with most train rows"
    if entry.longtail_ratio is not None:
        rule = f"{rule}; {RULE.format(ratio=entry.longtail_ratio)}"
    refuse_small(rows, classes, name=entry.name, splits=(entry.train, entry.test))
    return Dataset(
        name=entry.name,
        texts=tuple(row.text for row in rows),
        labels=tuple(row.label for row in rows),
        is_test=np.array([row.split == entry.test for row in rows], dtype=np.bool_),
        classes=classes,
        licence=entry.licence,
        source=entry.source,
        sha256=sha256,
        rule=rule,
        longtail_ratio=entry.longtail_ratio,
        balanced_test=entry.balanced_test,
    )


def refuse_small(
    rows: Sequence[Row], classes: Labels, *, name: str, splits: tuple[str, str] = ("train", "test")
) -> None:
    """Raise InvalidInput ``too-few-rows`` that names the classes a run could not use."""
    counts = Counter((row.split, row.label) for row in rows)
    for split, fewest in zip(splits, (FEWEST_TRAIN, FEWEST_TEST), strict=True):
        small = {c: counts[split, c] for c in classes if counts[split, c] < fewest}
        if small:
            shown = ", ".join(f"{label!r} ({number})" for label, number in small.items())
            detail = f"{name}: fewer than {fewest} {split} rows in {shown}"
            raise InvalidInput.at("/dataset", detail, code="too-few-rows", classes=small)


def _checked(folder: Path, entry: Entry) -> bytes:
    if not folder.is_dir():
        detail = f"there is no folder {folder}; TAILWISE_DATASETS (or --datasets) names it"
        raise InvalidInput.at("/datasets", detail, code="missing-folder")
    path = folder / entry.file
    if not path.is_file():
        detail = f"{folder} (TAILWISE_DATASETS) has no {entry.file}; without a folder it is fetched"
        raise InvalidInput.at("/datasets", detail, code="missing-file", file=entry.file)
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        raise mismatch(str(path), expected=entry.sha256, found=found)
    return data


def mismatch(file: str, *, expected: str, found: str) -> InvalidInput:
    """The refusal of data that is not what the catalogue says."""
    detail = f"{file} is not the file that the catalogue knows: expected {expected}, found {found}"
    return InvalidInput.at(
        "/datasets", detail, code="hash-mismatch", file=file, expected=expected, found=found
    )


def _read(data: bytes, entry: Entry) -> list[Row]:
    format, gzip = sniff_format(entry.file)
    request = ImportRequest(
        format=format,
        gzip=gzip,
        text_column=entry.text_column,
        id_column=None,
        gold_column=entry.label_column,
        split_column=entry.split_column,
        lang_column=None,
    )
    return read_labelled(io.BytesIO(data), request)
