"""A file's rows on their way in: read twice, checked, split, cut into chunks; no writing."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np

from core.errors import FieldError, InvalidInput
from core.ingest_rules import check_row
from core.records import NewItem
from core.requests import ImportRequest
from core.splitting import Gold, SplitCut, hash_number, plan_gold_splits
from core.texts import text_hash

CHUNK_ROWS = 5_000
CHUNK_CHARS = 8_000_000
REPORT_EVERY = 5_000

RawRow: TypeAlias = "Mapping[str, Any] | InvalidInput"
"""Fields as text or None; gold of several classes also as a list."""
CheckedRow: TypeAlias = "tuple[int, NewItem | InvalidInput]"


class RowReader(Protocol):
    """Reads files; the adapter knows the formats."""

    def rows(self, stream: BinaryIO, request: ImportRequest) -> Iterator[tuple[int, RawRow]]:
        """(row number from 1, row by field, or why it cannot be read), streamed.

        Fields: text, external_id, gold, split, lang. Raises InvalidInput for a file that
        cannot be read at all.
        """

    def check_head(self, head: bytes, request: ImportRequest, *, whole: bool) -> None:
        """Raise InvalidInput where the first bytes (all of them: ``whole``) condemn the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the first reading found: how many rows, and where each gold label is cut."""

    rows: int
    cuts: Mapping[Gold, SplitCut] = field(default_factory=dict)


def survey(
    rows: Iterable[tuple[int, RawRow]],
    request: ImportRequest,
    *,
    class_ids: Collection[str],
    report: Callable[[int], None],
) -> Survey:
    """Read the whole file once before anything is stored.

    So a file that turns out to be damaged leaves nothing behind. Where rows are split
    by hash it remembers 8 bytes of each, by gold label; ``report`` hears of every
    5,000th row.
    """
    hashes: dict[Gold, array[int]] = defaultdict(lambda: array("Q"))
    count = 0
    for count, (_, raw) in enumerate(rows, start=1):
        if splits_by_hash(request):
            _note(raw, request, hashes, class_ids=class_ids)
        if count % REPORT_EVERY == 0:
            report(count)
    found = {name: np.frombuffer(numbers, dtype=np.uint64) for name, numbers in hashes.items()}
    cuts = plan_gold_splits(
        found, test_share=request.test_share, reserve_share=request.reserve_share
    )
    return Survey(rows=count, cuts=cuts)


def checked(
    rows: Iterable[tuple[int, RawRow]],
    request: ImportRequest,
    *,
    class_ids: Collection[str],
    cuts: Mapping[Gold, SplitCut],
) -> Iterator[CheckedRow]:
    """(row number, item or why it is refused), in the file's order."""
    for number, raw in rows:
        try:
            yield number, _split(_item(raw, request, class_ids=class_ids), raw, cuts)
        except InvalidInput as error:
            yield number, error


def in_chunks(rows: Iterable[CheckedRow]) -> Iterator[list[CheckedRow]]:
    """At most 5,000 rows or 8 million characters each, the same cut in every reading."""
    chunk: list[CheckedRow] = []
    chars = 0
    for number, row in rows:
        chunk.append((number, row))
        chars += len(row.text) if isinstance(row, NewItem) else 0
        if len(chunk) == CHUNK_ROWS or chars > CHUNK_CHARS:
            yield chunk
            chunk, chars = [], 0
    if chunk:
        yield chunk


def splits_by_hash(request: ImportRequest) -> bool:
    """Whether rows without a split of their own are split by the hash of their text."""
    return request.test_share > 0 or request.reserve_share > 0


def error_lines(number: int, error: InvalidInput) -> Iterator[dict[str, Any]]:
    """One document per refused field of a row, without any of its text."""
    fields = error.errors or (FieldError(pointer="", code=error.code, detail=error.detail),)
    for found in fields:
        yield {
            "row": number,
            "pointer": found.pointer,
            "code": found.code,
            "detail": found.detail,
        }


def _note(
    raw: RawRow,
    request: ImportRequest,
    hashes: Mapping[Gold, array[int]],
    *,
    class_ids: Collection[str],
) -> None:
    try:
        item = _item(raw, request, class_ids=class_ids)
    except InvalidInput:
        return
    if not _own_split(raw):
        hashes[item.gold].append(hash_number(text_hash(item.text)))


def _item(raw: RawRow, request: ImportRequest, *, class_ids: Collection[str]) -> NewItem:
    if isinstance(raw, InvalidInput):
        raise raw
    named = raw.get("split") or ""
    split = request.split_values.get(named, named)
    return check_row({**raw, "split": split}, class_ids=class_ids, multi_label=request.several_gold)


def _split(item: NewItem, raw: RawRow, cuts: Mapping[Gold, SplitCut]) -> NewItem:
    cut = cuts.get(item.gold)
    if cut is None or _own_split(raw):
        return item
    return replace(item, split=cut.split(hash_number(text_hash(item.text))))


def _own_split(raw: RawRow) -> bool:
    return isinstance(raw, Mapping) and bool(raw.get("split"))
