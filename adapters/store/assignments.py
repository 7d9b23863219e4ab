"""The queue: who holds which item, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from adapters.store.documents import in_chunks, record_of, records_of, row_of
from adapters.store.queue import Queue
from adapters.store.queue_rules import AMONG, SESSION, WHO, live, sitting_of
from adapters.store.statements import replace_by
from adapters.store.tables import assignments, items
from core.errors import NotFound
from core.people import CLOSED, Assignment, AssignmentState, Exposure

IDENTITY = ("session_id", "item_id", "annotator_id")

MINE = (assignments.c.session_id == SESSION, assignments.c.annotator_id == WHO)
OF_PERSON = sa.select(assignments).where(*MINE, assignments.c.item_id.in_(AMONG))
HELD = (
    sa.select(assignments)
    .where(*MINE, live(assignments))
    .order_by(assignments.c.claimed_at, assignments.c.id)
)
FIRST_END = (
    sa.select(sa.func.min(assignments.c.expires_at))
    .join(items, items.c.id == assignments.c.item_id)
    .where(
        assignments.c.session_id == SESSION,
        assignments.c.annotator_id != WHO,
        live(assignments),
        items.c.state == "selected",
    )
)
END = (
    sa.update(assignments)
    .where(assignments.c.id.in_(AMONG))
    .values(state=sa.bindparam("becomes"), ended_at=sa.bindparam("now"), reason=sa.bindparam("why"))
)
"""Built once: to build a small statement takes longer than to run it."""


class SqlAssignments(Queue):
    """A lease counts while its end lies ahead; nothing sweeps the ended ones away."""

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
            given = {"session": session_id, "who": annotator_id, "among": chunk}
            for row in records_of(Assignment, self._connection.execute(OF_PERSON, given)):
                found[row.item_id] = row
        return found

    def held(self, session_id: str, annotator_id: str, *, now: datetime) -> Sequence[Assignment]:
        given = {"session": session_id, "who": annotator_id, "now": now}
        return records_of(Assignment, self._connection.execute(HELD, given))

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
            ended = {"among": chunk, "becomes": state, "now": now, "why": reason}
            self._connection.execute(END, ended)

    def first_end(self, session_id: str, annotator_id: str, *, now: datetime) -> datetime | None:
        given = {"session": session_id, "who": annotator_id, "now": now}
        return self._connection.execute(FIRST_END, given).scalar()

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
        running = query.where(live(assignments))
        return int(self._connection.execute(running, {"now": now}).scalar_one())


def _of(session_id: str, annotator_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        assignments.c.session_id == session_id,
        assignments.c.annotator_id == annotator_id,
    )
