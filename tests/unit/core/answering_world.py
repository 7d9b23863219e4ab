"""A session over a real SQLite store in which several people answer."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.store.migrate import upgrade
from adapters.store.store import SqlStore, open_store
from core.labelling import record_answers
from core.people import Assignment
from core.records import (
    Batch,
    BatchItem,
    Budget,
    Event,
    Item,
    LabelClass,
    LabelEvent,
    Labels,
    NewItem,
    Page,
    PeopleSettings,
    Pick,
    Session,
    SessionSettings,
    Task,
)
from core.requests import LabelResult, LabelRow, NewLabel
from core.rounds.label import undo_label

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
CLASSES = ("garden", "harbour", "kitchen")
TOKEN = "a-token"


class MovableClock:
    """Stands still until somebody moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


class CountingIds:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):08d}"


IDS = CountingIds()
"""Worlds in one store never share an id."""


def new_store(folder: Path) -> SqlStore:
    store = open_store(f"sqlite:///{folder}/store.sqlite")
    upgrade(store.engine)
    with store.write() as tx:
        tx.access.ensure_tenant("ten_a", name="A", now=START)
    return store


@dataclass(kw_only=True)
class World:
    """One session with four pool items, a check item, and one open batch of all four."""

    store: SqlStore
    people: PeopleSettings = field(default_factory=PeopleSettings)
    needed: int = 2
    kind: str = "single"
    budget: int | None = None
    size: int = 4
    clock: MovableClock = field(default_factory=MovableClock)
    ids: CountingIds = field(default_factory=lambda: IDS)
    session: Session = field(init=False)
    batch: Batch = field(init=False)
    items: Sequence[Item] = field(init=False)

    def __post_init__(self) -> None:
        name = self.ids.new("ses")
        classes = tuple(LabelClass(id=c, name=c) for c in CLASSES)
        self.session = Session(
            id=name,
            tenant_id="ten_a",
            name="several",
            task=Task(classes=classes, kind=self.kind),  # type: ignore[arg-type]
            guidelines="",
            guidelines_version=1,
            settings=SessionSettings(people=self.people, budget=Budget(labels=self.budget)),
            state="open",
            revision=1,
            created_at=START,
            updated_at=START,
        )
        rows = [
            (f"itm_{name}_{n}", NewItem(external_id=f"e{n}", text=f"text {n}"))
            for n in range(self.size)
        ]
        check = NewItem(external_id="check", text="known", split="check", gold=("garden",))
        rows.append((f"itm_{name}_check", check))
        with self.store.write() as tx:
            tx.sessions.add(self.session)
            hashes = [f"{n:064x}" for n in range(len(rows))]
            self.items = tx.items.add_many(self.session, rows, text_hashes=hashes, now=START)
        self.batch = self.select(range(self.size))

    def select(self, places: Sequence[int], *, needed: int | None = None) -> Batch:
        """A new open batch of the items at these places."""
        with self.store.write() as tx:
            batch = self._batch(places, round=tx.batches.count(self.session.id) + 1, needed=needed)
            tx.batches.add(batch)
            chosen = [item.item_id for item in batch.items]
            tx.items.set_state(self.session.id, chosen, "selected")
        return batch

    def _batch(self, places: Sequence[int], *, round: int, needed: int | None) -> Batch:
        return Batch(
            id=self.ids.new("bat") + self.session.id,
            tenant_id="ten_a",
            session_id=self.session.id,
            round=round,
            state="open",
            strategy="random",
            strategy_used="random",
            seed=0,
            index_id="idx",
            model_id=None,
            requested=len(places),
            shortfall=0,
            shortfall_reason=None,
            items=tuple(
                BatchItem(
                    item_id=self.items[place].id,
                    external_id=self.items[place].external_id,
                    pick=Pick(position=place, cluster=0, score=0.0, rank=rank, strategy="random"),
                    answers_needed=self.needed if needed is None else needed,
                )
                for rank, place in enumerate(places)
            ),
            created_at=self.clock.now(),
        )

    def give(self, who: str, place: int, *labels: str, **more: object) -> LabelRow:
        """One answer (or with skip=True none) by one person; raises what refuses it."""
        answer = NewLabel(
            item_id=self.items[place].id,
            labels=None if more.get("skip") else labels,
            **{k: v for k, v in more.items() if not k.startswith("allow")},  # type: ignore[arg-type]
        )
        allow = {k: v for k, v in more.items() if k.startswith("allow")}
        return self.send(who, answer, mode="atomic", **allow).results[0]

    def send(
        self,
        who: str,
        *answers: NewLabel,
        mode: str = "partial",
        oracle: str = "human",
        **allow: object,
    ) -> LabelResult:
        with self.store.write() as tx:
            return record_answers(
                tx,
                self.session,
                answers,
                annotator_id=who,
                oracle=oracle,
                mode=mode,  # type: ignore[arg-type]
                **{"allow_unsolicited": False, **allow},  # type: ignore[arg-type]
                clock=self.clock,
                ids=self.ids,
            )

    def undo(self, who: str, label_id: str | None) -> LabelEvent:
        return undo_label(
            self.session,
            str(label_id),
            annotator_id=who,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
        )

    def lease(self, who: str, place: int, *, seconds: float = 600, **changes: object) -> NewLabel:
        """Holds an item for a person; the lease as the start of an answer."""
        item = self.items[place]
        made = Assignment(
            id=self.ids.new("asg") + self.session.id,
            tenant_id="ten_a",
            session_id=self.session.id,
            item_id=item.id,
            batch_id=self.batch.id,
            annotator_id=who,
            state="leased",
            token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
            check=item.split == "check",
            claimed_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(seconds=seconds),
        )
        with self.store.write() as tx:
            tx.assignments.hold(replace(made, **changes))  # type: ignore[arg-type]
        return NewLabel(item_id=item.id, assignment_id=made.id, lease_token=TOKEN)

    def assignment(self, who: str, place: int) -> Assignment:
        item_id = self.items[place].id
        with self.store.read() as tx:
            return tx.assignments.of_person(self.session.id, who, [item_id])[item_id]

    def item(self, place: int) -> Item:
        with self.store.read() as tx:
            return tx.items.get(self.session.id, self.items[place].id)

    def states(self) -> list[str]:
        return [self.item(place).state for place in range(self.size)]

    def batch_state(self) -> str:
        with self.store.read() as tx:
            return tx.batches.get(self.session.id, self.batch.id).state

    def labelled(self) -> dict[int, Labels]:
        """The answers that would train, by place."""
        with self.store.read() as tx:
            return {row.position: row.labels for row in tx.labels.labelled(self.session.id)}

    def kinds(self, place: int) -> list[str]:
        """Every event of an item, in order."""
        with self.store.read() as tx:
            page = Page(limit=500)
            events = tx.labels.list(self.session.id, page, item_id=self.items[place].id)
        return [event.kind for event in events]

    def happened(self, *types: str) -> list[Event]:
        with self.store.read() as tx:
            return list(tx.events.list(self.session.id, after=0, limit=500, types=types))
