"""The state that answers meet, read once, and what each stored answer makes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.history import ANSWERS, History
from core.people import Assignment
from core.ports import Repositories
from core.records import Batch, Item, ItemState, LabelEvent, Session
from core.requests import NewLabel
from core.settling import Scene, after


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Who answers, and what the request allows."""

    session: Session
    annotator_id: str
    oracle: str
    allow_unsolicited: bool
    allow_extra: bool
    now: datetime

    @property
    def by_person(self) -> bool:
        """An oracle that is a program answers alone, whatever the overlap."""
        return self.oracle == "human"


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The state an upload starts from; each stored answer moves it on, so that the second
    answer for an item in one upload meets the first.

    ``histories`` are all events before the upload, ``said`` is what this person said of an
    item as one of several, ``held`` the person's assignment, ``lost`` the items whose place
    others took when this person's lease had ended, ``bought`` which items have answers
    already, ``settled`` where the items came to be that several people answer.
    """

    items: dict[str, Item]
    by_external_id: dict[str, str]
    histories: Mapping[str, History]
    current: dict[str, LabelEvent]
    by_client_id: dict[str, LabelEvent]
    said: dict[str, LabelEvent]
    batches: dict[str, Batch]
    held: Mapping[str, Assignment]
    lost: set[str]
    bought: set[str]
    watermark: int
    left_to_buy: int | None
    appended: list[LabelEvent] = field(default_factory=list)
    settled: Mapping[str, ItemState] = field(default_factory=dict)


def open_ledger(tx: Repositories, upload: Upload, answers: Sequence[NewLabel]) -> Ledger:
    """What the answers meet. The caller holds the session's lock."""
    session, annotator_id = upload.session, upload.annotator_id
    by_id = tx.items.by_ids(session.id, [a.item_id for a in answers if a.item_id])
    by_external = tx.items.by_external_ids(
        session.id, [a.external_id for a in answers if a.external_id]
    )
    items = {item.id: item for item in (*by_id.values(), *by_external.values())}
    client_ids = [a.client_label_id for a in answers if a.client_label_id]
    limit = session.settings.budget.labels
    named = list(items)
    known = tx.labels.of_items(session.id, named)
    histories = {item_id: History(events) for item_id, events in known.items()}
    held = tx.assignments.of_person(session.id, annotator_id, named) if upload.by_person else {}
    return Ledger(
        items=items,
        by_external_id={name: item.id for name, item in by_external.items()},
        histories=histories,
        current=_current(histories),
        by_client_id=dict(tx.labels.by_client_ids(session.id, annotator_id, client_ids)),
        said={i: mine for i in named if (mine := histories[i].said(annotator_id))},
        batches=dict(tx.batches.containing(session.id, named)),
        held=held,
        lost=_lost(tx, held, items, now=upload.now),
        bought={i for i in named if histories[i].votes()} if limit else set(),
        watermark=tx.labels.watermark(session.id),
        left_to_buy=None if limit is None else limit - tx.labels.bought(session.id),
    )


def _current(histories: Mapping[str, History]) -> dict[str, LabelEvent]:
    """The answers that stand; an item whose last word is a skip has none."""
    words = {item_id: history.word() for item_id, history in histories.items()}
    return {i: word for i, word in words.items() if word is not None and word.kind in ANSWERS}


def scene_of(ledger: Ledger, item_ids: Collection[str]) -> Scene:
    """These items as the upload leaves them; nothing of it is read again."""
    before = Scene(
        items={i: ledger.items[i] for i in item_ids},
        batches={i: ledger.batches[i] for i in item_ids if i in ledger.batches},
        histories={i: ledger.histories[i] for i in item_ids},
        watermark=ledger.watermark,
    )
    return after(before, [event for event in ledger.appended if event.item_id in item_ids])


def _lost(
    tx: Repositories, held: Mapping[str, Assignment], items: Mapping[str, Item], *, now: datetime
) -> set[str]:
    """Items that still wait, but for nobody whose lease ended: what others hold and answered
    is all that they need."""
    ended = {
        item_id: row
        for item_id, row in held.items()
        if row.state == "released" or (row.state == "leased" and row.expires_at <= now)
    }
    return {
        item_id
        for item_id, row in ended.items()
        if items[item_id].state == "selected" and not tx.assignments.can_take(row, now=now)
    }
