"""Label events, append-only, and the answers that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks, record_of, records_of, row_of
from adapters.store.statements import insert_all
from adapters.store.tables import DELETED, items, label_events
from core.errors import NotFound
from core.history import vote_of
from core.people import Vote
from core.records import LabelEvent, LabelKind, Labelled, Page

ANSWERS: tuple[LabelKind, ...] = ("created", "superseded")
WORDS: tuple[LabelKind, ...] = (*ANSWERS, "skipped")
PERSONAL: tuple[LabelKind, ...] = ("vote", "declined")
GIVEN: tuple[LabelKind, ...] = (*WORDS, *PERSONAL, "check")

LATER, UNDO = label_events.alias("later"), label_events.alias("undo")
"""Made once: an alias costs more than the statement that uses it."""

_MINE = label_events.c.session_id == sa.bindparam("session")
WATERMARK = sa.select(sa.func.max(label_events.c.seq)).where(_MINE)
OF_ITEMS = sa.select(label_events).where(
    _MINE, label_events.c.item_id.in_(sa.bindparam("items", expanding=True))
)
BY_CLIENT_ID = sa.select(label_events).where(
    _MINE,
    label_events.c.annotator_id == sa.bindparam("annotator"),
    label_events.c.client_label_id.in_(sa.bindparam("names", expanding=True)),
)
"""Built once: to build a small statement takes longer than to run it."""


class SqlLabelEvents:
    """The last word on an item is its latest answer or skip that no undo points at.

    A skip is a word too: an item answered and then skipped has no answer, until the
    skip is undone. What one of several people said (vote, declined, check) is no word on
    the item; the latest of a person on an item that no undo points at is that person's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_many(self, events: Sequence[LabelEvent]) -> None:
        insert_all(self._connection, label_events, [row_of(event) for event in events])

    def watermark(self, session_id: str) -> int:
        return int(self._connection.execute(WATERMARK, {"session": session_id}).scalar() or 0)

    def get(self, session_id: str, label_id: str) -> LabelEvent:
        query = sa.select(label_events).where(_of(session_id), label_events.c.id == label_id)
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound("the session has no such label", code="unknown-label")
        return record_of(LabelEvent, row)

    def by_client_ids(
        self, session_id: str, annotator_id: str, client_ids: Sequence[str]
    ) -> Mapping[str, LabelEvent]:
        found: dict[str, LabelEvent] = {}
        for chunk in in_chunks(client_ids):
            given = {"session": session_id, "annotator": annotator_id, "names": chunk}
            for row in self._connection.execute(BY_CLIENT_ID, given).mappings():
                found[row["client_label_id"]] = record_of(LabelEvent, row)
        return found

    def current(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, LabelEvent]:
        found: dict[str, LabelEvent] = {}
        for chunk in in_chunks(item_ids):
            last = _last_words(session_id).where(label_events.c.item_id.in_(chunk))
            answers = sa.select(label_events).where(*_answers(session_id, last))
            for event in records_of(LabelEvent, self._connection.execute(answers)):
                found[event.item_id] = event
        return found

    def of_items(
        self, session_id: str, item_ids: Sequence[str]
    ) -> Mapping[str, Sequence[LabelEvent]]:
        found: dict[str, list[LabelEvent]] = {item_id: [] for item_id in item_ids}
        for chunk in in_chunks(item_ids):
            given = {"session": session_id, "items": chunk}
            for event in records_of(LabelEvent, self._connection.execute(OF_ITEMS, given)):
                found[event.item_id].append(event)
        # Sorted here, so that no database walks the session by seq to find a few items.
        return {item_id: sorted(known, key=_seq) for item_id, known in found.items()}

    def list(
        self, session_id: str, page: Page, *, item_id: str | None = None
    ) -> Sequence[LabelEvent]:
        query = sa.select(label_events).where(_of(session_id))
        if item_id is not None:
            query = query.where(label_events.c.item_id == item_id)
        if page.after is not None:
            query = query.where(label_events.c.seq > int(page.after))
        query = query.order_by(label_events.c.seq).limit(page.limit)
        return records_of(LabelEvent, self._connection.execute(query))

    def labelled(self, session_id: str, *, watermark: int | None = None) -> Sequence[Labelled]:
        last = _last_words(session_id, watermark=watermark)
        query = (
            sa.select(
                label_events.c.item_id,
                items.c.position,
                label_events.c.labels,
                label_events.c.seq,
                items.c.split,
                label_events.c.oracle,
            )
            .join(items, items.c.id == label_events.c.item_id)
            .where(
                *_answers(session_id, last),
                items.c.split == "pool",
                items.c.state != DELETED,
            )
            .order_by(items.c.position)
        )
        return [
            Labelled(
                item_id=item_id,
                position=position,
                labels=labels,
                seq=seq,
                split=split,
                oracle=oracle,
            )
            for item_id, position, labels, seq, split, oracle in self._connection.execute(query)
        ]

    def counts_now(self, session_id: str, label_id: str) -> bool:
        it = sa.select(label_events).where(_of(session_id), label_events.c.id == label_id)
        found = records_of(LabelEvent, self._connection.execute(it))
        if not found:
            return False
        [event] = found
        last = _last_words(session_id) if event.kind in WORDS else _last_said(session_id, event)
        standing = sa.select(label_events.c.id).where(
            _of(session_id),
            label_events.c.seq.in_(last.where(label_events.c.item_id == event.item_id)),
            label_events.c.id == label_id,
        )
        return self._connection.execute(standing).first() is not None

    def bought(self, session_id: str) -> int:
        answered = sa.select(sa.func.count(label_events.c.item_id.distinct()))
        answered = answered.where(_of(session_id), _bought())
        return int(self._connection.execute(answered).scalar_one())

    def pledged(self, session_id: str) -> int:
        answered = sa.exists().where(
            _of(session_id), label_events.c.item_id == items.c.id, _bought()
        )
        waiting = sa.select(sa.func.count()).where(
            items.c.session_id == session_id,
            items.c.split == "pool",
            items.c.state == "selected",
            ~answered,
        )
        return int(self._connection.execute(waiting).scalar_one())

    def votes(self, session_id: str, item_ids: Sequence[str] | None = None) -> Sequence[Vote]:
        return self._said(session_id, "vote", item_ids)

    def declines(self, session_id: str) -> Sequence[Vote]:
        return self._said(session_id, "declined", None)

    def checks(self, session_id: str) -> Sequence[Vote]:
        return self._said(session_id, "check", None)

    def by_annotator(
        self, session_id: str, annotator_id: str, *, limit: int
    ) -> Sequence[LabelEvent]:
        taken_back = sa.exists().where(UNDO.c.target_id == LATER.c.id, UNDO.c.kind == "undone")
        gone = sa.exists().where(LATER.c.target_id == label_events.c.id, ~taken_back)
        query = sa.select(label_events).where(
            _of(session_id),
            label_events.c.annotator_id == annotator_id,
            label_events.c.kind.in_(GIVEN),
            ~gone,
        )
        query = query.order_by(label_events.c.seq.desc()).limit(limit)
        return records_of(LabelEvent, self._connection.execute(query))

    def given_since(
        self, session_id: str, *, since: datetime
    ) -> Sequence[tuple[datetime, int | None]]:
        query = (
            sa.select(label_events.c.created_at, label_events.c.duration_ms)
            .where(
                _of(session_id),
                label_events.c.oracle == "human",
                label_events.c.kind.in_((*ANSWERS, "vote", "check")),
                label_events.c.created_at >= since,
            )
            .order_by(label_events.c.seq)
        )
        return [(given, took) for given, took in self._connection.execute(query)]

    def time_spent(self, session_id: str) -> Mapping[str | None, int]:
        taken = sa.select(label_events.c.batch_id, sa.func.sum(label_events.c.duration_ms))
        taken = taken.where(_of(session_id), label_events.c.duration_ms.is_not(None))
        taken = taken.group_by(label_events.c.batch_id)
        return {batch: int(total) for batch, total in self._connection.execute(taken)}

    def _said(
        self, session_id: str, kind: LabelKind, item_ids: Sequence[str] | None
    ) -> Sequence[Vote]:
        """What each person said last, where it was of this kind, by seq."""
        last = _last_of_people(session_id, ("check",) if kind == "check" else PERSONAL)
        chunks = [None] if item_ids is None else list(in_chunks(item_ids))
        found: list[Vote] = []
        for chunk in chunks:
            some = last if chunk is None else last.where(label_events.c.item_id.in_(chunk))
            query = sa.select(label_events).where(
                _of(session_id), label_events.c.kind == kind, label_events.c.seq.in_(some)
            )
            events = records_of(LabelEvent, self._connection.execute(query))
            found.extend(vote_of(event) for event in events)
        return sorted(found, key=lambda vote: vote.seq)


def _seq(event: LabelEvent) -> int:
    return event.seq


def _of(session_id: str) -> sa.ColumnElement[bool]:
    return label_events.c.session_id == session_id


def _answers(
    session_id: str, last_words: sa.Select[tuple[int]]
) -> tuple[sa.ColumnElement[bool], ...]:
    """IN, not a join: SQLite then looks each seq up instead of comparing all with all."""
    return (
        _of(session_id),
        label_events.c.kind.in_(ANSWERS),
        label_events.c.seq.in_(last_words),
    )


def _bought() -> sa.ColumnElement[bool]:
    return label_events.c.kind.in_((*ANSWERS, "vote"))


def _last_words(session_id: str, *, watermark: int | None = None) -> sa.Select[tuple[int]]:
    """The seq of each item's last word at the watermark that is not undone by then."""
    return _standing(session_id, WORDS, watermark=watermark).group_by(label_events.c.item_id)


def _last_of_people(session_id: str, kinds: Sequence[LabelKind]) -> sa.Select[tuple[int]]:
    """The seq of what each person last said of each item and did not undo."""
    return _standing(session_id, kinds).group_by(
        label_events.c.item_id, label_events.c.annotator_id
    )


def _last_said(session_id: str, event: LabelEvent) -> sa.Select[tuple[int]]:
    """Of the person behind this event, among events of its sort."""
    kinds: tuple[LabelKind, ...] = ("check",) if event.kind == "check" else PERSONAL
    return _last_of_people(session_id, kinds).where(
        label_events.c.annotator_id == event.annotator_id
    )


def _standing(
    session_id: str, kinds: Sequence[LabelKind], *, watermark: int | None = None
) -> sa.Select[tuple[int]]:
    """The highest seq of these kinds that is not undone, to be grouped."""
    undone = sa.exists().where(UNDO.c.target_id == label_events.c.id, UNDO.c.kind == "undone")
    standing = sa.select(sa.func.max(label_events.c.seq).label("seq")).where(
        _of(session_id), label_events.c.kind.in_(kinds)
    )
    if watermark is not None:
        undone = undone.where(UNDO.c.seq <= watermark)
        standing = standing.where(label_events.c.seq <= watermark)
    return standing.where(~undone)
