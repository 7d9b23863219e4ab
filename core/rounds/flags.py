"""Flags: what people found wrong with items, and what is decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.answers import complete_batch
from core.blinding import names_of
from core.errors import Conflict
from core.people import Flag
from core.ports import Clock, Ids, Repositories, Store
from core.records import Item, Page, Session
from core.settling import look, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """A flag with its item, None where that was deleted, and the name of who raised it.

    A text that may be illegal is never shown again, whatever was decided.
    """

    flag: Flag
    item: Item | None
    name: str | None

    @property
    def text(self) -> str | None:
        """The item's text; None where it is gone, or flagged as illegal: nobody is shown that."""
        hidden = self.item is None or self.flag.reason == "illegal_content"
        return None if hidden or self.item is None else self.item.text


def list_flags(
    session: Session, page: Page, *, state: str | None, store: Store
) -> Sequence[Flagged]:
    """By id."""
    with store.read() as tx:
        flags = tx.flags.list(session.id, page, state=state)
        items = tx.items.by_ids(session.id, [flag.item_id for flag in flags])
        names = names_of(tx, session, [flag.annotator_id for flag in flags])
    return [
        Flagged(flag=flag, item=items.get(flag.item_id), name=names.get(flag.annotator_id))
        for flag in flags
    ]


def resolve(
    session: Session,
    flag_id: str,
    resolution: Literal["returned", "excluded"],
    *,
    note: str | None,
    resolver: str,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> Flagged:
    """Decide a flag: the item goes back to where it waited, or stays out.

    While another flag of the item is open it stays out. Raises NotFound
    ``unknown-flag`` and Conflict ``flag-resolved``.
    """
    with store.write() as tx:
        current = tx.sessions.get(session.tenant_id, session.id, lock=True)
        flag = tx.flags.get(session.id, flag_id)
        if flag.state == "resolved":
            raise Conflict(
                f"the flag was resolved: {flag.resolution}",
                code="flag-resolved",
                extras={"resolution": flag.resolution},
            )
        decided = replace(
            flag,
            state="resolved",
            resolution=resolution,
            resolved_by=resolver,
            resolved_at=clock.now(),
            note=_joined(flag.note, note),
        )
        tx.flags.save(decided)
        if resolution == "returned" and not tx.flags.open_items(session.id, [flag.item_id]):
            _return(tx, current, flag.item_id, clock=clock, ids=ids)
        item = tx.items.by_ids(session.id, [flag.item_id]).get(flag.item_id)
        names = names_of(tx, session, [flag.annotator_id])
    return Flagged(flag=decided, item=item, name=names.get(flag.annotator_id))


def _return(tx: Repositories, session: Session, item_id: str, *, clock: Clock, ids: Ids) -> None:
    """Back to the pool, or to its batch with whatever people had answered."""
    item = tx.items.by_ids(session.id, [item_id]).get(item_id)
    if item is None or item.state != "excluded":
        return
    batch = tx.batches.containing(session.id, [item_id]).get(item_id)
    waits = item.split == "pool" and batch is not None and batch.state in {"open", "completed"}
    tx.items.set_state(session.id, [item_id], "selected" if waits else "pooled")
    if item.split != "pool":
        return
    settle(tx, session, look(tx, session, [item_id]), clock=clock, ids=ids)
    if batch is not None:
        complete_batch(tx, session, batch, clock=clock)


def _joined(said: str | None, decided: str | None) -> str | None:
    """Who flagged and who decided both may leave a remark."""
    return "\n".join(part for part in (said, decided) if part) or None
