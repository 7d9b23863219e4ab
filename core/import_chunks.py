"""One chunk of an import is stored, so that doing it twice is doing it once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import FieldError, InvalidInput
from core.events import announce
from core.import_rows import CheckedRow, error_lines
from core.intake import TRANSACTION_ROWS, Candidate, Decision, apply, decide, writable
from core.ports import Blobs, Clock, Ids, Repositories, Store
from core.records import SPLITS, NewItem, Operation, Session
from core.requests import OnConflict

OUTCOMES = ("created", "updated", "unchanged", "skipped", "rejected")
HELD = frozenset({"created", "updated", "unchanged"})
ERRORS_SHOWN = 100
EVENTS_READ = 500
BLOCK = 64 * 1024

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What storing a chunk needs. ``applied`` has the counts of transactions that an
    interrupted run committed, by their first row's number."""

    operation: Operation
    session: Session
    on_conflict: OnConflict
    dry_run: bool
    applied: Mapping[int, Counts]
    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids


@dataclass(slots=True, kw_only=True)
class Totals:
    """What the chunks so far came to; ``parts`` are the digests of their error files."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    gold: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def add(self, report: Mapping[str, Any]) -> None:
        """Take in what ``take_chunk`` returned."""
        self.rows += report["rows"]
        self.counts.update(report["counts"])
        self.splits.update(report["splits"])
        self.gold.update(report["gold"])
        self.errors = [*self.errors, *report["errors"]][:ERRORS_SHOWN]
        if report["part"]:
            self.parts.append(report["part"])

    def result(self, *, errors_blob: str | None) -> dict[str, Any]:
        """The operation's result: every row is in exactly one of the five outcomes."""
        return {
            "rows": self.rows,
            **{outcome: self.counts[outcome] for outcome in OUTCOMES},
            "splits": {split: self.splits[split] for split in SPLITS},
            "gold": dict(sorted(self.gold.items())),
            "errors": self.errors,
            "errors_blob": errors_blob,
        }


def applied_counts(tx: Repositories, operation: Operation) -> dict[int, Counts]:
    """Counts of the transactions this operation already committed, from their events."""
    found: dict[int, Counts] = {}
    after = 0
    while True:
        events = tx.events.list(
            operation.session_id, after=after, limit=EVENTS_READ, types=("items.added",)
        )
        for event in events:
            if event.data.get("operation_id") == operation.id:
                found[event.data["row"]] = {o: event.data[o] for o in OUTCOMES}
        if len(events) < EVENTS_READ:
            return found
        after = events[-1].sequence


def take_chunk(chunk: Sequence[CheckedRow], *, desk: Desk) -> dict[str, Any]:
    """Store a chunk in transactions of 500 rows; a JSON-shaped report of what became of it.

    A transaction and its counts (in its event) are committed together. So when a crash
    loses the report, its rows are met again as rows that are already there, and the
    counts come from the event: the report is the one that was lost.
    """
    counts: Counter[str] = Counter()
    splits: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    errors: list[dict[str, Any]] = []
    for start in range(0, len(chunk), TRANSACTION_ROWS):
        part = chunk[start : start + TRANSACTION_ROWS]
        decisions, part_counts = _take_part(part, desk=desk)
        counts.update(part_counts)
        held = [d.item for d in decisions if d.status in HELD]
        splits.update(item.split for item in held)
        gold.update(class_id for item in held for class_id in item.gold or ())
        errors += _errors(part, decisions)
    return {
        "rows": len(chunk),
        "counts": dict(counts),
        "splits": dict(splits),
        "gold": dict(gold),
        "errors": errors[:ERRORS_SHOWN],
        "part": _put_part(errors, chunk, desk=desk) if errors else None,
    }


def merged(parts: Sequence[str], *, blobs: Blobs) -> str | None:
    """One error file of all parts; None where there is none."""
    if not parts:
        return None
    digest, _ = blobs.put_stream(block for part in parts for block in _part_body(part, blobs))
    return digest


def blocks(digest: str, *, blobs: Blobs) -> Iterator[bytes]:
    """A blob's bytes in blocks of 64 KiB."""
    with blobs.open(digest) as stream:
        while block := stream.read(BLOCK):
            yield block


def _take_part(part: Sequence[CheckedRow], *, desk: Desk) -> tuple[list[Decision], Counts]:
    rows = [Candidate(index=n, item=row) for n, row in part if isinstance(row, NewItem)]
    unreadable = len(part) - len(rows)
    first = part[0][0]
    if desk.dry_run or first in desk.applied:
        with desk.store.read() as tx:
            decisions = decide(tx, desk.session, rows, on_conflict=desk.on_conflict, ids=desk.ids)
        return decisions, desk.applied.get(first) or _counts(decisions, unreadable)
    with desk.store.write() as tx:
        session = writable(tx, desk.session)
        decisions = decide(tx, session, rows, on_conflict=desk.on_conflict, ids=desk.ids)
        counts = _counts(decisions, unreadable)
        if counts["created"] + counts["updated"]:
            apply(tx, session, decisions, clock=desk.clock)
            data = {"operation_id": desk.operation.id, "row": first, **counts}
            announce(tx, session, "items.added", data, clock=desk.clock)
    return decisions, counts


def _counts(decisions: Sequence[Decision], unreadable: int) -> Counts:
    found: Counter[str] = Counter(decision.status for decision in decisions)
    counts = {outcome: found[outcome] for outcome in OUTCOMES}
    return {**counts, "rejected": counts["rejected"] + unreadable}


def _errors(part: Sequence[CheckedRow], decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    refused = {d.index: d.error for d in decisions if d.error is not None}
    found: list[dict[str, Any]] = []
    for number, row in part:
        if isinstance(row, InvalidInput):
            found += error_lines(number, row)
        elif number in refused:
            found += error_lines(number, _as_input(refused[number]))
    return found


def _as_input(error: FieldError) -> InvalidInput:
    return InvalidInput(error.detail, code=error.code, errors=[error])


def _put_part(
    errors: Iterable[Mapping[str, Any]], chunk: Sequence[CheckedRow], *, desk: Desk
) -> str:
    """Its first line makes it this operation's own: an equal file of another import is not
    deleted with it."""
    head = {"operation_id": desk.operation.id, "row": chunk[0][0]}
    lines = (json.dumps(document).encode() + b"\n" for document in (head, *errors))
    digest, _ = desk.blobs.put_stream(lines)
    return digest


def _part_body(digest: str, blobs: Blobs) -> Iterator[bytes]:
    with blobs.open(digest) as stream:
        stream.readline()
        while block := stream.read(BLOCK):
            yield block
