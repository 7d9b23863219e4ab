"""Brings an item's word and state in line with what people said of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from core.events import announce
from core.history import History
from core.ports import Clock, Ids, Repositories
from core.records import (
    Batch,
    BatchState,
    Item,
    ItemState,
    LabelEvent,
    LabelKind,
    Labels,
    Session,
)
from core.resolution import CONSENSUS, Outcome, Standing, outcome

WAITING: Final[frozenset[BatchState]] = frozenset({"open", "completed"})
"""A completed batch opens again when one of its answers is taken back."""
STALE: Final[frozenset[BatchState]] = frozenset({"expired", "superseded"})
"""Batches that closed unanswered: what people still answer is late, and counts."""


def answers_needed(batch: Batch | None, item_id: str) -> int:
    """How many people answer an item of this batch."""
    members = batch.items if batch else ()
    return next((m.answers_needed for m in members if m.item_id == item_id), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Items with their newest batches and all that was said of them, in one transaction.

    ``watermark`` is the session's highest seq.
    """

    items: Mapping[str, Item]
    batches: Mapping[str, Batch]
    histories: Mapping[str, History]
    watermark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Where the items are now, and the session's highest seq after it."""

    states: Mapping[str, ItemState]
    watermark: int


def look(tx: Repositories, session: Session, item_ids: Collection[str]) -> Scene:
    """The items as they are now. The caller holds the session's lock."""
    named = sorted(item_ids)
    said = tx.labels.of_items(session.id, named)
    return Scene(
        items=tx.items.by_ids(session.id, named),
        batches=tx.batches.containing(session.id, named),
        histories={item_id: History(events) for item_id, events in said.items()},
        watermark=tx.labels.watermark(session.id),
    )


def after(scene: Scene, events: Sequence[LabelEvent]) -> Scene:
    """The scene once these events, the session's latest, were appended to its items."""
    more = dict(scene.histories)
    for event in events:
        more[event.item_id] = History((*more[event.item_id].events, event))
    seqs = (event.seq for event in events)
    return replace(scene, histories=more, watermark=max(scene.watermark, *seqs))


def settle(
    tx: Repositories,
    session: Session,
    scene: Scene,
    *,
    clock: Clock,
    ids: Ids,
    unskipped: Collection[str] = (),
) -> Settled:
    """Decide again what several people said of the scene's pool items.

    Appends the deciding answer or skip where one follows and takes back one that no
    longer does; opens a completed batch that waits again; announces ``item.resolved`` and
    ``item.conflict``. ``unskipped`` are items whose skip was just taken back; other
    excluded items that nobody skipped were put out by hand, and stay out. The caller
    holds the session's lock and completes batches.
    """
    items = [scene.items[i] for i in sorted(scene.items) if scene.items[i].split == "pool"]
    standing = {item.id: _standing(scene, item, unskipped=unskipped) for item in items}
    outcomes = {
        item.id: outcome(
            standing[item.id],
            people=session.settings.people,
            multi_label=session.task.multi_label,
        )
        for item in items
    }
    words = _Words(session=session, seq=scene.watermark, clock=clock, ids=ids)
    batches = scene.batches
    events = [
        event
        for item in items
        for event in words.of(
            item, standing[item.id].word, outcomes[item.id], batch=batches.get(item.id)
        )
    ]
    if events:
        tx.labels.add_many(events)
    _move(tx, session, items, outcomes, batches, clock=clock)
    states = {item_id: o.state for item_id, o in outcomes.items()}
    return Settled(states=states, watermark=words.seq)


def _move(
    tx: Repositories,
    session: Session,
    items: Sequence[Item],
    outcomes: Mapping[str, Outcome],
    batches: Mapping[str, Batch],
    *,
    clock: Clock,
) -> None:
    """Put each item where its outcome says, and tell of those that moved."""
    changed = [
        i for i in items if (i.labels, i.state) != (outcomes[i.id].labels, outcomes[i.id].state)
    ]
    tx.items.set_labels(
        session.id, {i.id: (outcomes[i.id].labels, outcomes[i.id].state) for i in changed}
    )
    for item in changed:
        _announce(tx, session, item, outcomes[item.id], batches.get(item.id), clock=clock)
    _reopen(tx, outcomes, batches)


def _standing(scene: Scene, item: Item, *, unskipped: Collection[str]) -> Standing:
    history, batch = scene.histories[item.id], scene.batches.get(item.id)
    last = history.word()
    # Where somebody put the item back by hand, what took it out counts no more.
    put_back = last is not None and last.kind == "skipped" and item.state != "excluded"
    word = None if put_back else last
    since = last.seq if last is not None and put_back else 0
    return Standing(
        word=word,
        votes=history.votes(),
        declines=tuple(d for d in history.declines() if d.seq > since),
        needed=answers_needed(batch, item.id),
        waiting=batch is not None and batch.state in WAITING,
        put_out=_put_out(item, word) and item.id not in unskipped,
    )


def _put_out(item: Item, word: LabelEvent | None) -> bool:
    return item.state == "excluded" and (word is None or word.kind != "skipped")


@dataclass(slots=True, kw_only=True)
class _Words:
    """Makes the events of ``CONSENSUS``, numbered one after the other."""

    session: Session
    seq: int
    clock: Clock
    ids: Ids

    def of(
        self, item: Item, word: LabelEvent | None, to: Outcome, *, batch: Batch | None
    ) -> list[LabelEvent]:
        """What has to be appended, so that the word which stands is the one that follows."""
        ours = word if word is not None and word.annotator_id == CONSENSUS else None
        kind: LabelKind = "skipped" if to.state == "excluded" else "created"
        if ours is not None and (ours.kind, ours.labels) == (kind, to.word):
            return []
        events = [] if ours is None else [self._undo(ours)]
        if to.word is not None:
            events.append(self._word(item, kind, to.word, batch=batch))
        return events

    def _undo(self, word: LabelEvent) -> LabelEvent:
        return replace(word, **self._next(), kind="undone", labels=(), target_id=word.id)

    def _word(
        self, item: Item, kind: LabelKind, labels: Labels, *, batch: Batch | None
    ) -> LabelEvent:
        stale = batch is not None and batch.state in STALE
        return LabelEvent(
            **self._next(),
            tenant_id=self.session.tenant_id,
            session_id=self.session.id,
            item_id=item.id,
            kind=kind,
            labels=labels,
            oracle="declined" if kind == "skipped" else self.session.settings.people.resolution,
            annotator_id=CONSENSUS,
            client_label_id=None,
            batch_id=batch.id if batch else None,
            target_id=None,
            guidelines_version=self.session.guidelines_version,
            note=None,
            duration_ms=None,
            status="late" if stale else "on_time",
        )

    def _next(self) -> dict[str, Any]:
        self.seq += 1
        return {"id": self.ids.new("lab"), "seq": self.seq, "created_at": self.clock.now()}


def _announce(
    tx: Repositories,
    session: Session,
    item: Item,
    to: Outcome,
    batch: Batch | None,
    *,
    clock: Clock,
) -> None:
    about = {"item_id": item.id, "batch_id": batch.id if batch else None}
    if to.state == "conflict":
        announce(tx, session, "item.conflict", about, clock=clock)
    elif to.word is not None and to.state == "resolved":
        told = {**about, "labels": list(to.labels or ())}
        announce(tx, session, "item.resolved", told, clock=clock)


def _reopen(
    tx: Repositories, outcomes: Mapping[str, Outcome], batches: Mapping[str, Batch]
) -> None:
    """A batch that was complete waits again for an item that came back."""
    for batch_id in sorted(
        {
            batch.id
            for item_id, batch in batches.items()
            if batch.state == "completed"
            and item_id in outcomes
            and outcomes[item_id].state in {"selected", "conflict"}
        }
    ):
        tx.batches.set_state(batch_id, "open")
