"""One item changes or leaves the pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import Conflict, InvalidInput, PreconditionFailed
from core.events import announce
from core.ingest_rules import check_row
from core.intake import Candidate, content, decide, writable
from core.ports import Clock, Ids, Jobs, Repositories, Store
from core.records import Item, ItemState, NewItem, Operation, Session
from core.session_rules import require_free
from core.submission import index_operation

CONTENT = ("text", "split", "lang", "metadata", "gold")
FIELDS = (*CONTENT, "state")


def update_item(
    session: Session,
    item_id: str,
    changes: Mapping[str, Any],
    *,
    expected_revision: int,
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> Item:
    """Change text, split, lang, metadata, gold or state (pooled, excluded).

    Raises NotFound, PreconditionFailed, InvalidInput, and Conflict
    ``item-already-selected`` (text and split are fixed once somebody saw them; a
    selected or answered item is neither excluded nor put back) or ``test-leak``.
    """
    _check_fields(changes)
    with store.write() as tx:
        current = writable(tx, session)
        item = _expected(tx, current, item_id, revision=expected_revision)
        if "state" in changes:
            _move(tx, current, item, to=changes["state"])
        if changes:
            _rewrite(tx, current, item, changes, ids=ids)
        operation = _announce(tx, current, item, "item.updated", clock=clock, ids=ids)
        changed = tx.items.get(session.id, item_id)
    if operation is not None:
        jobs.enqueue(operation)
    return changed


def delete_item(
    session: Session,
    item_id: str,
    *,
    expected_revision: int,
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> None:
    """Blank the row and hide it; raises Conflict ``item-selected`` within an open batch."""
    with store.write() as tx:
        current = writable(tx, session)
        require_free(current)
        item = _expected(tx, current, item_id, revision=expected_revision)
        batch = tx.batches.containing(session.id, [item_id]).get(item_id)
        if item.state in {"selected", "conflict"} or (batch is not None and batch.state == "open"):
            raise Conflict(
                "the item is in an open batch; cancel or complete the batch first",
                code="item-selected",
                extras={"batch_id": batch.id} if batch else {},
            )
        tx.items.delete(session.id, item_id)
        operation = _announce(tx, current, item, "item.deleted", clock=clock, ids=ids)
    if operation is not None:
        jobs.enqueue(operation)


def _check_fields(changes: Mapping[str, Any]) -> None:
    for field in changes:
        if field not in FIELDS:
            detail = f"an item has no such field to change; known: {', '.join(FIELDS)}"
            raise InvalidInput.at(f"/{field}", detail, code="unknown-field", allowed=list(FIELDS))


def _expected(tx: Repositories, session: Session, item_id: str, *, revision: int) -> Item:
    item = tx.items.get(session.id, item_id)
    if item.revision != revision:
        raise PreconditionFailed(
            "the item changed since it was read", extras={"revision": item.revision}
        )
    return item


def _move(tx: Repositories, session: Session, item: Item, *, to: ItemState) -> None:
    allowed = ("pooled", "excluded")
    if to not in allowed:
        detail = "an item is put into one of pooled, excluded; the rest follows from its labels"
        raise InvalidInput.at("/state", detail, code="invalid-state", allowed=list(allowed))
    if item.state not in allowed:
        raise Conflict(
            f"an item that is {item.state} stays so; cancel its batch or undo its label first",
            code="item-already-selected",
            extras={"state": item.state},
        )
    tx.items.set_state(session.id, [item.id], to)


def _rewrite(
    tx: Repositories, session: Session, item: Item, changes: Mapping[str, Any], *, ids: Ids
) -> None:
    """Also where only the state changed: it raises the revision."""
    new = _changed(tx, session, item, changes)
    row = Candidate(index=0, item=new)
    decision = decide(tx, session, [row], on_conflict="update", ids=ids)[0]
    if decision.error is not None:
        raise Conflict(decision.error.detail, code=decision.error.code, errors=[decision.error])
    tx.items.rewrite(session.id, item.id, new, text_hash=decision.text_hash)


def _changed(tx: Repositories, session: Session, item: Item, changes: Mapping[str, Any]) -> NewItem:
    old = content(item, gold=tx.items.gold(session.id, [item.id]).get(item.id))
    kept = {field: getattr(old, field) for field in ("external_id", *CONTENT)}
    given = {field: changes[field] for field in CONTENT if field in changes}
    return check_row(
        {**kept, **given},
        class_ids=session.task.class_ids,
        multi_label=session.task.multi_label,
    )


def _announce(
    tx: Repositories, session: Session, item: Item, type: str, *, clock: Clock, ids: Ids
) -> Operation | None:
    """The event, and an index operation where rows now wait for one."""
    announce(tx, session, type, {"item_id": item.id}, clock=clock)
    waiting = tx.items.unindexed(session.id)
    return index_operation(tx, session, ids=ids, clock=clock) if waiting else None
