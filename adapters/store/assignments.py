"""The queue: who holds which item, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import ROWS, in_chunks, record_of, records_of, row_of
from adapters.store.queue_rules import (
    SORTS,
    Seeker,
    Sort,
    check_items,
    let_go,
    live,
    open_items,
    room_for,
    sitting_of,
    wanted,
)
from adapters.store.statements import replace_by
from adapters.store.tables import assignments, batch_items, batches, items
from core.errors import NotFound
from core.people import CLOSED, UNDONE, Assignment, AssignmentState, Claimable, Exposure

IDENTITY = ("session_id", "item_id", "annotator_id")


class SqlAssignments:
    """A lease counts while its end lies ahead; nothing sweeps the ended ones away."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claimable(
        self,
        session_id: str,
        annotator_id: str,
        *,
        limit: int,
        now: datetime,
        batch_id: str | None = None,
        languages: Sequence[str] = (),
        avoid_topics: Sequence[str] = (),
    ) -> Sequence[Claimable]:
        seeker = Seeker(session_id=session_id, annotator_id=annotator_id, now=now)
        found: list[Claimable] = []
        batches_ = self._open_batches(session_id, batch_id)
        for sort, among in self._passes(seeker):
            for batch in batches_:
                query = open_items(seeker, batch, sort=sort, among=among, languages=languages)
                query = query.where(room_for(seeker))
                found.extend(
                    Claimable(item_id=row.item_id, batch_id=batch, taken_back=sort == "undone")
                    for row in self._permitted(query, avoid_topics, limit=limit - len(found))
                )
                if len(found) >= limit:
                    return found
        return found

    def claimable_checks(
        self,
        session_id: str,
        annotator_id: str,
        *,
        limit: int,
        languages: Sequence[str] = (),
        avoid_topics: Sequence[str] = (),
    ) -> Sequence[Claimable]:
        query = check_items(session_id, annotator_id, languages=languages)
        return [
            Claimable(
                item_id=row.item_id, batch_id=None, check=True, taken_back=bool(row.taken_back)
            )
            for row in self._permitted(query, avoid_topics, limit=limit)
        ]

    def can_take(self, assignment: Assignment, *, now: datetime) -> bool:
        session_id, who = assignment.session_id, assignment.annotator_id
        if assignment.check:
            open_checks = check_items(session_id, who).where(items.c.id == assignment.item_id)
            return self._connection.execute(open_checks).first() is not None
        seeker = Seeker(session_id=session_id, annotator_id=who, now=now)
        return any(
            self._connection.execute(
                open_items(seeker, batch, sort=sort).where(
                    room_for(seeker), batch_items.c.item_id == assignment.item_id
                )
            ).first()
            is not None
            for batch in self._open_batches(session_id, assignment.batch_id)
            for sort in SORTS
        )

    def hold(self, assignment: Assignment) -> None:
        replace_by(self._connection, assignments, IDENTITY, row_of(assignment))

    def get(self, session_id: str, assignment_id: str) -> Assignment:
        query = sa.select(assignments).where(
            assignments.c.session_id == session_id, assignments.c.id == assignment_id
        )
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound("the session has no such assignment", code="unknown-assignment")
        return record_of(Assignment, row)

    def of_item(self, session_id: str, item_id: str) -> Sequence[Assignment]:
        query = sa.select(assignments).where(
            assignments.c.session_id == session_id, assignments.c.item_id == item_id
        )
        return records_of(Assignment, self._connection.execute(query.order_by(assignments.c.id)))

    def of_person(
        self, session_id: str, annotator_id: str, item_ids: Sequence[str]
    ) -> Mapping[str, Assignment]:
        found: dict[str, Assignment] = {}
        for chunk in in_chunks(item_ids):
            query = sa.select(assignments).where(
                *_of(session_id, annotator_id), assignments.c.item_id.in_(chunk)
            )
            for row in records_of(Assignment, self._connection.execute(query)):
                found[row.item_id] = row
        return found

    def held(self, session_id: str, annotator_id: str, *, now: datetime) -> Sequence[Assignment]:
        query = sa.select(assignments).where(
            *_of(session_id, annotator_id), live(assignments, now=now)
        )
        query = query.order_by(assignments.c.claimed_at, assignments.c.id)
        return records_of(Assignment, self._connection.execute(query))

    def given(self, session_id: str, annotator_id: str) -> int:
        query = sa.select(sa.func.count()).select_from(assignments)
        counted = query.where(*_of(session_id, annotator_id))
        return int(self._connection.execute(counted).scalar_one())

    def extend(self, assignment_id: str, *, expires_at: datetime) -> None:
        one = sa.update(assignments).where(assignments.c.id == assignment_id)
        self._connection.execute(one.values(expires_at=expires_at))

    def end(
        self,
        assignment_ids: Sequence[str],
        state: AssignmentState,
        *,
        now: datetime,
        reason: str | None = None,
    ) -> None:
        for chunk in in_chunks(assignment_ids):
            ended = sa.update(assignments).where(assignments.c.id.in_(chunk))
            self._connection.execute(ended.values(state=state, ended_at=now, reason=reason))

    def waiting(
        self,
        session_id: str,
        annotator_id: str,
        *,
        now: datetime,
        batch_id: str | None = None,
        languages: Sequence[str] = (),
        avoid_topics: Sequence[str] = (),
    ) -> Mapping[str, int]:
        seeker = Seeker(session_id=session_id, annotator_id=annotator_id, now=now)
        left = leased = 0
        for batch in self._open_batches(session_id, batch_id):
            for sort, among in self._passes(seeker):
                query = open_items(seeker, batch, sort=sort, among=among, languages=languages)
                query = query.where(room_for(seeker, leases=False))
                query = query.add_columns(room_for(seeker).label("free"))
                rows = list(self._permitted(query, avoid_topics))
                left += len(rows)
                leased += sum(not row.free for row in rows)
        return {
            "left": left,
            "leased": leased,
            "answered": self._answered(session_id, annotator_id),
        }

    def first_end(self, session_id: str, annotator_id: str, *, now: datetime) -> datetime | None:
        query = sa.select(sa.func.min(assignments.c.expires_at)).join(
            items, items.c.id == assignments.c.item_id
        )
        others = query.where(
            assignments.c.session_id == session_id,
            assignments.c.annotator_id != annotator_id,
            live(assignments, now=now),
            items.c.state == "selected",
        )
        return self._connection.execute(others).scalar()

    def skips(self, session_id: str, item_ids: Sequence[str]) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for chunk in in_chunks(item_ids):
            query = sa.select(assignments.c.item_id, sa.func.count()).where(
                assignments.c.session_id == session_id,
                assignments.c.item_id.in_(chunk),
                assignments.c.state == "skipped",
            )
            for item_id, people in self._connection.execute(query.group_by(assignments.c.item_id)):
                found[item_id] = int(people)
        return found

    def counts(self, session_id: str) -> Mapping[AssignmentState, int]:
        query = sa.select(assignments.c.state, sa.func.count()).where(
            assignments.c.session_id == session_id
        )
        rows = self._connection.execute(query.group_by(assignments.c.state))
        return {state: int(count) for state, count in rows}

    def exposure(
        self, session_id: str, annotator_id: str, *, since: datetime, break_seconds: float
    ) -> Exposure:
        ended = (*_of(session_id, annotator_id), assignments.c.state.in_(CLOSED))
        counted = sa.select(sa.func.count(), sa.func.min(assignments.c.ended_at))
        counted = counted.where(*ended, assignments.c.ended_at >= since)
        answered, first = self._connection.execute(counted).one()
        query = sa.select(assignments.c.claimed_at, assignments.c.ended_at).where(
            *ended,
            # A sitting may have begun the day before.
            assignments.c.ended_at >= since - timedelta(days=1),
        )
        latest_first = query.order_by(assignments.c.ended_at.desc())
        started, items_, last = sitting_of(
            self._connection.execute(latest_first), break_seconds=break_seconds
        )
        return Exposure(
            answered=int(answered),
            streak_items=items_,
            streak_started=started,
            last_ended=last,
            first_ended=first,
        )

    def leased_count(self, *, now: datetime) -> int:
        query = sa.select(sa.func.count()).select_from(assignments)
        return int(self._connection.execute(query.where(live(assignments, now=now))).scalar_one())

    def _passes(self, seeker: Seeker) -> Sequence[tuple[Sort, Sequence[str]]]:
        """The sorts of items to look for, in order, and among which items: () = among all."""
        rows = self._connection.execute(let_go(seeker)).all()
        undone = [item for item, reason in rows if reason == UNDONE]
        others = [item for item, reason in rows if reason != UNDONE]
        passes: list[tuple[Sort, Sequence[str]]] = [
            ("undone", undone),
            ("new", ()),
            ("let_go", others),
        ]
        return [
            (sort, among if len(among) <= ROWS else ())
            for sort, among in passes
            if among or sort == "new"
        ]

    def _open_batches(self, session_id: str, batch_id: str | None) -> Sequence[str]:
        query = sa.select(batches.c.id).where(
            batches.c.session_id == session_id, batches.c.state == "open"
        )
        if batch_id is not None:
            query = query.where(batches.c.id == batch_id)
        return list(self._connection.execute(query.order_by(batches.c.round)).scalars())

    def _permitted(
        self, query: sa.Select[Any], avoid_topics: Sequence[str], *, limit: int | None = None
    ) -> Iterator[sa.Row[Any]]:
        """Rows without an unwanted topic, at most ``limit``."""
        if not avoid_topics:
            yield from self._connection.execute(query.limit(limit))
            return
        given = 0
        for row in self._connection.execute(query.add_columns(items.c.metadata.label("facts"))):
            if limit is not None and given >= limit:
                return
            if wanted(row.facts, avoid_topics):
                given += 1
                yield row

    def _answered(self, session_id: str, annotator_id: str) -> int:
        """Items of open batches that this person answered, skipped or flagged."""
        query = (
            sa.select(sa.func.count(assignments.c.id.distinct()))
            .join(batch_items, batch_items.c.item_id == assignments.c.item_id)
            .join(batches, batches.c.id == batch_items.c.batch_id)
        )
        query = query.where(
            *_of(session_id, annotator_id),
            assignments.c.state.in_(CLOSED),
            batches.c.state == "open",
            batch_items.c.session_id == session_id,
        )
        return int(self._connection.execute(query).scalar_one())


def _of(session_id: str, annotator_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        assignments.c.session_id == session_id,
        assignments.c.annotator_id == annotator_id,
    )
