"""The file a demo runs on: read once before anything starts, so that bad input costs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from adapters.files.jsonl_rows import first_keys
from adapters.files.limits import Limits
from adapters.files.reading import FileReader, read_rows, sniff_format
from adapters.files.unpacking import GuardedGzip
from benchmarks.demo.bundled import DEFINITIONS, GUIDELINES, MESSAGES, NAMES
from benchmarks.demo.options import DemoOptions, DemoRefused
from core.errors import InvalidInput
from core.records import Split
from core.requests import ImportRequest

TEST_SHARE, RESERVE_SHARE = 0.2, 0.1
LONGEST_LABEL, MOST_CLASSES, SHOWN = 64, 200, 8
SPLIT_NAMES: Mapping[str, Split] = {
    "pool": "pool",
    "train": "pool",
    "training": "pool",
    "unlabelled": "pool",
    "unlabeled": "pool",
    "test": "test",
    "testing": "test",
    "reserve": "reserve",
    "dev": "reserve",
    "val": "reserve",
    "valid": "reserve",
    "validation": "reserve",
}
"""What a file's own split names mean. Development rows become the reserve: they are neither
selected nor scored on, and only the simulated generator may draw from them."""
SPLIT_GUESS = "split"
ID_GUESSES = ("external_id", "id")
MEDIA_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A file that can be run: ``counts`` holds rows by (class, split); splits are {} where
    the server will make them. ``request`` says how to read it."""

    path: Path
    title: str
    request: ImportRequest
    classes: tuple[Mapping[str, str], ...]
    guidelines: str
    counts: Mapping[tuple[str, Split], int]
    bundled: bool

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    def count(self, *, class_id: str | None = None, split: str | None = None) -> int:
        """Rows of a class, a split, or both."""
        return sum(
            n for (c, s), n in self.counts.items() if class_id in {None, c} and split in {None, s}
        )

    @property
    def pool(self) -> int:
        """Pool rows, estimated where the server will split the file."""
        if self.request.split_column is None:
            return int(self.rows * (1 - TEST_SHARE - RESERVE_SHARE))
        return self.count(split="pool")


def load_dataset(options: DemoOptions) -> Dataset:
    """Read and check the file; raises DemoRefused with one line that says what is wrong."""
    bundled = options.data is None
    path = MESSAGES if options.data is None else options.data
    if not path.is_file():
        raise DemoRefused(f"there is no file {path}")
    try:
        request = _request(path, options, bundled=bundled)
        rows = list(_rows(path, request))
    except InvalidInput as error:
        raise _in_words(error, path) from None
    good = [row for row in rows if not isinstance(row, InvalidInput)]
    _check_texts(path, rows, good, request)
    request = _settle(path, good, request)
    counts = _counts(path, good, request)
    return Dataset(
        path=path,
        title="bundled corpus" if bundled else path.name,
        request=request,
        classes=_classes(counts, bundled=bundled),
        guidelines=GUIDELINES if bundled else "",
        counts=counts,
        bundled=bundled,
    )


def columns_of(path: Path) -> tuple[str, ...]:
    """The file's column names; of JSON Lines, the keys of its first object."""
    format, gzip = sniff_format(path.name)
    if format == "jsonl":
        with path.open("rb") as stream:
            source = GuardedGzip(stream, limits=Limits()) if gzip else stream
            return tuple(first_keys(cast("BinaryIO", source), limits=Limits()))
    probe = ImportRequest(format=format, gzip=gzip, text_column="\x00")
    try:
        with path.open("rb") as stream:
            list(read_rows(stream, probe))
    except InvalidInput as error:
        if error.code != "missing-column":
            raise
        return tuple(cast("Sequence[str]", error.extras["columns"]))
    return ()


def _request(path: Path, options: DemoOptions, *, bundled: bool) -> ImportRequest:
    """Which column is what; a named column must be there."""
    format, gzip = sniff_format(path.name)
    with path.open("rb") as stream:
        head = stream.read(64 * 1024)
    if not head:
        raise DemoRefused(f"{path.name} is empty")
    have = columns_of(path)
    text, label = ("text", "label") if bundled else (options.text_column, options.label_column)
    for option, column in (
        ("--text-column", text),
        ("--label-column", label),
        ("--split-column", options.split_column),
        ("--id-column", options.id_column),
    ):
        if column is not None and column not in have:
            raise DemoRefused(
                f"{path.name} has no column {column!r} ({option}); it has: {_listed(have)}"
            )
    ids = [c for c in ID_GUESSES if c in have and c not in {text, label}]
    split = SPLIT_GUESS if SPLIT_GUESS in have and SPLIT_GUESS not in {text, label} else None
    return ImportRequest(
        format=format,
        gzip=gzip,
        text_column=text,
        id_column=options.id_column or next(iter(ids), None),
        gold_column=label,
        split_column=options.split_column or split,
        lang_column=None,
    )


def _rows(path: Path, request: ImportRequest) -> Iterator[Mapping[str, str | None] | InvalidInput]:
    with path.open("rb") as stream:
        for _, row in FileReader().rows(stream, request):
            yield row


def _check_texts(
    path: Path, rows: Sequence[object], good: Sequence[Mapping[str, Any]], request: ImportRequest
) -> None:
    if not rows:
        raise DemoRefused(f"{path.name} has a header but no rows")
    if not good:
        raise DemoRefused(f"{path.name}: none of its {len(rows)} rows can be read")
    if not any((row["text"] or "").strip() for row in good):
        raise DemoRefused(f"{path.name}: column {request.text_column!r} holds no text")
    blank = sum(not row["gold"] for row in good)
    if blank:
        raise DemoRefused(
            f"{path.name}: column {request.gold_column!r} is empty in {blank} of {len(good)} rows;"
            " the demo needs a label in every row"
        )


def _settle(path: Path, rows: Sequence[Mapping[str, Any]], request: ImportRequest) -> ImportRequest:
    """Splits and ids as the file really has them; a column we only guessed may be unfit."""
    ids = [row.get("external_id") for row in rows]
    if len(set(ids)) < len(ids):
        request = replace(request, id_column=None)
    if request.split_column is None:
        return replace(request, test_share=TEST_SHARE, reserve_share=RESERVE_SHARE)
    names = {row.get("split") or "" for row in rows}
    strange = sorted(name for name in names if name.lower() not in SPLIT_NAMES)
    if strange:
        raise DemoRefused(
            f"{path.name}: column {request.split_column!r} holds {_listed(strange)};"
            f" known split names: {', '.join(SPLIT_NAMES)}"
        )
    meant = {name: SPLIT_NAMES[name.lower()] for name in names}
    for split in ("pool", "test"):
        if split not in meant.values():
            raise DemoRefused(
                f"{path.name}: column {request.split_column!r} has no {split} rows;"
                f" it has: {_listed(sorted(names))}"
            )
    return replace(request, split_values=meant)


def _counts(
    path: Path, rows: Sequence[Mapping[str, Any]], request: ImportRequest
) -> Mapping[tuple[str, Split], int]:
    counts: Counter[tuple[str, Split]] = Counter()
    for row in rows:
        split = request.split_values.get(row.get("split") or "", "pool")
        counts[row["gold"], split] += 1
    classes = {label for label, _ in counts}
    column = f"{path.name}: column {request.gold_column!r}"
    if len(classes) < 2:
        raise DemoRefused(f"{column} holds a single class, {next(iter(classes))!r}; two are needed")
    if len(classes) > MOST_CLASSES:
        raise DemoRefused(
            f"{column} holds {len(classes)} classes; at most {MOST_CLASSES} are taken"
        )
    if longest := max((c for c in classes if len(c) > LONGEST_LABEL), key=len, default=""):
        raise DemoRefused(
            f"{column} holds labels of up to {len(longest)} characters; at most {LONGEST_LABEL}"
            " are taken: is it the right column?"
        )
    return counts


def _classes(
    counts: Mapping[tuple[str, Split], int], *, bundled: bool
) -> tuple[Mapping[str, str], ...]:
    """The label schema, largest class first; a file's labels are class ids as they stand."""
    sizes: Counter[str] = Counter()
    for (label, _), number in counts.items():
        sizes[label] += number
    if bundled:
        return tuple({"id": c, "name": NAMES[c], "definition": DEFINITIONS[c]} for c in NAMES)
    ordered = sorted(sizes, key=lambda label: (-sizes[label], label))
    return tuple({"id": c, "name": c.replace("_", " ").strip() or c} for c in ordered)


def _in_words(error: InvalidInput, path: Path) -> DemoRefused:
    if error.code == "missing-column":
        columns = _listed(cast("Sequence[str]", error.extras["columns"]))
        return DemoRefused(
            f"{path.name} has no column {error.extras['missing']!r}; it has: {columns}"
        )
    return DemoRefused(f"{path.name}: {error.detail}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name)[:42] for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "") or "nothing"
