"""Rows meet the pool: what becomes of each, decided first, then written, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import Conflict, FieldError
from core.ports import Clock, Ids, Repositories
from core.records import Item, Labels, NewItem, Page, Session, Split
from core.requests import OnConflict
from core.texts import text_hash

TRANSACTION_ROWS = 500
"""Rows per write transaction, so that no writer waits long for another."""

Status = Literal["created", "updated", "unchanged", "skipped", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A valid row on its way in; ``index`` is its place in the request or file."""

    index: int
    item: NewItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one row. ``error`` has a pointer relative to the row."""

    index: int
    status: Status
    item: NewItem
    text_hash: str
    id: str | None = None
    error: FieldError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A row that is already there; ``frozen`` rows keep their text and split."""

    id: str
    item: NewItem
    frozen: bool


class Encounter:
    """The part of the pool that some rows touch, as it changes row by row.

    A row meets the rows before it as it meets the pool, so the outcome does not depend
    on where a request or file is cut into transactions.
    """

    def __init__(
        self,
        *,
        present: Mapping[str, Present],
        sides: Mapping[str, tuple[str, Split]],
        on_conflict: OnConflict,
        ids: Ids,
    ) -> None:
        self._present = dict(present)
        self._sides = dict(sides)
        self._on_conflict = on_conflict
        self._ids = ids

    def meet(self, row: Candidate, *, digest: str) -> Decision:
        """Decide one row; ``digest`` is the hash of its normalised text."""
        known = self._present.get(row.item.external_id)
        status, error = self._outcome(row.item, known, digest=digest)
        id = known.id if known else self._ids.new("itm") if status == "created" else None
        if id is not None and status in {"created", "updated"}:
            self._take_in(id, row.item, frozen=known is not None and known.frozen, digest=digest)
        return Decision(
            index=row.index,
            status=status,
            item=row.item,
            text_hash=digest,
            id=id,
            error=error,
        )

    def _outcome(
        self, item: NewItem, known: Present | None, *, digest: str
    ) -> tuple[Status, FieldError | None]:
        if known is not None and known.item == item:
            return "unchanged", None
        if known is not None and self._on_conflict == "skip":
            return "skipped", None
        refusal = self._refusal(item, known, digest=digest)
        if refusal is not None:
            return "rejected", refusal
        return ("created" if known is None else "updated"), None

    def _refusal(self, item: NewItem, known: Present | None, *, digest: str) -> FieldError | None:
        if known is not None and self._on_conflict == "error":
            return CONFLICT
        if known is not None and known.frozen and _moved(known.item, item):
            return SELECTED
        twin = self._sides.get(digest)
        own = known is not None and twin is not None and twin[0] == known.id
        if twin is not None and not own and (twin[1] == "test") != (item.split == "test"):
            return LEAK
        return None

    def _take_in(self, id: str, item: NewItem, *, frozen: bool, digest: str) -> None:
        self._present[item.external_id] = Present(id=id, item=item, frozen=frozen)
        if digest not in self._sides or item.split == "test" or self._sides[digest][0] == id:
            self._sides[digest] = (id, item.split)


CONFLICT = FieldError(
    pointer="/external_id",
    code="external-id-conflict",
    detail="the pool has another row with this external id; on_conflict says what to do",
)
SELECTED = FieldError(
    pointer="/text",
    code="item-already-selected",
    detail="text and split do not change once an item was selected or labelled",
)
LEAK = FieldError(
    pointer="/text",
    code="test-leak",
    detail="the same text is on the other side of the test split",
)


def writable(tx: Repositories, session: Session) -> Session:
    """The session as it is now, locked; raises Conflict ``session-not-open`` once closed."""
    current = tx.sessions.get(session.tenant_id, session.id, lock=True)
    refuse_closed(current)
    return current


def refuse_closed(session: Session) -> None:
    """Raise Conflict ``session-not-open`` where the pool may not change."""
    if session.state not in {"draft", "open", "paused"}:
        raise Conflict(
            "the pool of a closed session does not change; reopen it first",
            code="session-not-open",
            extras={"state": session.state},
        )


def decide(
    tx: Repositories,
    session: Session,
    rows: Sequence[Candidate],
    *,
    on_conflict: OnConflict,
    ids: Ids,
) -> list[Decision]:
    """What becomes of ``rows``, in order; reads only."""
    digests = [text_hash(row.item.text) for row in rows]
    encounter = Encounter(
        present=_present(tx, session, rows, on_conflict=on_conflict),
        sides=tx.items.hash_matches(session.id, digests),
        on_conflict=on_conflict,
        ids=ids,
    )
    return [encounter.meet(row, digest=digest) for row, digest in zip(rows, digests, strict=True)]


def apply(
    tx: Repositories, session: Session, decisions: Sequence[Decision], *, clock: Clock
) -> None:
    """Write what was decided in this transaction; the first rows open a draft session.

    ``session`` is what ``writable`` returned in this transaction.
    """
    created = [d for d in decisions if d.status == "created" and d.id is not None]
    if created:
        tx.items.add_many(
            session,
            [(d.id, d.item) for d in created if d.id is not None],
            text_hashes=[d.text_hash for d in created],
            now=clock.now(),
        )
    for decision in decisions:
        if decision.status == "updated" and decision.id is not None:
            tx.items.rewrite(session.id, decision.id, decision.item, text_hash=decision.text_hash)
    if created and session.state == "draft":
        opened = replace(
            session, state="open", revision=session.revision + 1, updated_at=clock.now()
        )
        tx.sessions.save(opened, expected_revision=session.revision)


def content(item: Item, *, gold: Labels | None) -> NewItem:
    """A stored item as the row that would have made it."""
    return NewItem(
        external_id=item.external_id,
        text=item.text,
        split=item.split,
        gold=gold,
        lang=item.lang,
        metadata=dict(item.metadata),
    )


def frozen(tx: Repositories, session: Session, items: Sequence[Item]) -> set[str]:
    """Ids of items whose text somebody already saw: ever selected or ever labelled."""
    batches = tx.batches.containing(session.id, [item.id for item in items])
    return {
        item.id
        for item in items
        if item.id in batches
        or item.labels is not None
        or item.state in {"selected", "conflict", "resolved"}
        or tx.labels.list(session.id, Page(limit=1), item_id=item.id)
    }


def _present(
    tx: Repositories, session: Session, rows: Sequence[Candidate], *, on_conflict: OnConflict
) -> dict[str, Present]:
    known = tx.items.by_external_ids(session.id, [row.item.external_id for row in rows])
    if not known:
        return {}
    gold = tx.items.gold(session.id, [item.id for item in known.values()])
    stored = {name: content(item, gold=gold.get(item.id)) for name, item in known.items()}
    names = [row.item.external_id for row in rows if stored.get(row.item.external_id) != row.item]
    at_stake = {name for name in names if name in known and on_conflict == "update"}
    fixed = frozen(tx, session, [known[name] for name in sorted(at_stake)])
    return {
        name: Present(id=item.id, item=stored[name], frozen=item.id in fixed)
        for name, item in known.items()
    }


def _moved(old: NewItem, new: NewItem) -> bool:
    return old.text != new.text or old.split != new.split
