"""The rows of every known set, made again from the files its authors published."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.datasets.catalog import Entry
from benchmarks.datasets.cleaning import hash_split, stripped, without_repeats
from benchmarks.datasets.rows import Row
from core.errors import InvalidInput

PICKS = Path(__file__).parent / "picks"
DAVIDSON_CLASSES = ("hate_speech", "offensive_language", "neither")


def upstream_rows(entry: Entry, files: Sequence[bytes], *, picks: Path = PICKS) -> list[Row]:
    """The used rows of ``entry`` from its upstream files, in the order of ``entry.paths``.

    ``picks`` holds a file for each set that is a selection of them. Raises InvalidInput
    ``not-fetchable`` where the rows cannot be made from upstream, and ``unreadable-file``
    where the files are not of the expected form.
    """
    parsers: Mapping[str, Callable[[Entry, Sequence[bytes]], list[Row]]] = {
        "banking": _banking,
        "davidson": _davidson,
        "diasafety": partial(_diasafety, picks=picks),
        "edos": _edos,
        "sms": _sms,
    }
    if entry.format not in parsers:
        detail = f"{entry.name} cannot be made from upstream: it must be in TAILWISE_DATASETS"
        raise InvalidInput.at("/dataset", detail, code="not-fetchable")
    try:
        return parsers[entry.format](entry, files)
    except (KeyError, IndexError, TypeError, ValueError, csv.Error) as error:
        detail = f"the upstream files of {entry.name} are not of the expected form"
        raise InvalidInput.at("/dataset", detail, code="unreadable-file") from error


def _banking(_: Entry, files: Sequence[bytes]) -> list[Row]:
    rows = [
        Row(text=record["text"], label=record["category"], split=split)
        for split, data in zip(("train", "test"), files, strict=True)
        for record in _csv(data)
    ]
    return without_repeats(stripped(rows))


def _davidson(_: Entry, files: Sequence[bytes]) -> list[Row]:
    rows = [
        Row(text=record["tweet"], label=DAVIDSON_CLASSES[int(record["class"])], split="")
        for record in _csv(files[0])
    ]
    return without_repeats(hash_split(stripped(rows)))


def _edos(_: Entry, files: Sequence[bytes]) -> list[Row]:
    """Task B's categories, such as "2. derogation", with the texts that are not sexist."""
    rows = [
        Row(text=record["text"], label=_edos_label(record), split=record["split"])
        for record in _csv(files[0])
    ]
    return [row for row in without_repeats(stripped(rows)) if row.split != "dev"]


def _edos_label(record: Mapping[str, str]) -> str:
    if record["label_sexist"] == "not sexist":
        return "not_sexist"
    return _slug(record["label_category"].split(". ", 1)[1].split(",")[0])


def _sms(_: Entry, files: Sequence[bytes]) -> list[Row]:
    """One message per line, its label before the first tab; quotes mean nothing."""
    lines = files[0].decode("utf-8").split("\n")
    cells = [line.split("\t", 1) for line in lines if line.strip()]
    rows = [Row(text=text, label=label, split="") for label, text in cells]
    return without_repeats(hash_split(stripped(rows)))


def _diasafety(entry: Entry, files: Sequence[bytes], *, picks: Path) -> list[Row]:
    """The picked replies, each after its context; a safe one is ``safe``, whatever its category."""
    records = [record for data in files for record in json.loads(data)]
    picked = tomllib.loads((picks / f"{entry.name}.toml").read_text(encoding="utf-8"))
    return [
        Row(
            text=f"{records[place]['context'].strip()} [SEP] {records[place]['response'].strip()}",
            label=_diasafety_label(records[place]),
            split=split,
        )
        for split in ("train", "test")
        for place in picked[split]
    ]


def _diasafety_label(record: Mapping[str, Any]) -> str:
    return "safe" if record["label"] == "Safe" else _slug(record["category"])


def _csv(data: bytes) -> Iterator[dict[str, str]]:
    return iter(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))


def _slug(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
