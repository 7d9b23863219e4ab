"""The queue as a person meets it: what can be claimed now, and why nothing can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import ROWS
from adapters.store.queue_rules import (
    BATCH,
    LET_GO,
    MOST,
    SESSION,
    SORTS,
    Seeker,
    Sort,
    check_items,
    leased_items,
    open_items,
    wanted,
)
from adapters.store.tables import batches
from core.people import UNDONE, Assignment, Claimable

OPEN_BATCHES = (
    sa.select(batches.c.id)
    .where(batches.c.session_id == SESSION, batches.c.state == "open")
    .order_by(batches.c.round)
)


class Queue:
    """Reads only; ``SqlAssignments`` adds the rows that people leave."""

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
        seeker = Seeker(
            session_id=session_id,
            annotator_id=annotator_id,
            now=now,
            languages=languages,
            avoid_topics=avoid_topics,
        )
        found: list[Claimable] = []
        batches_ = self._open_batches(session_id, batch_id)
        for sort, among in self._passes(seeker) if batches_ else ():
            for batch in batches_:
                found.extend(
                    Claimable(
                        item_id=row.item_id,
                        batch_id=batch,
                        taken_back=sort == "undone",
                        fresh=sort == "new",
                    )
                    for row in self._open(
                        seeker, batch, sort=sort, among=among, limit=limit - len(found)
                    )
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
        query = check_items(among=False, spoken=bool(languages), facts=bool(avoid_topics))
        given = {
            "session": session_id,
            "who": annotator_id,
            "spoken": [name.lower() for name in languages],
        }
        return [
            Claimable(
                item_id=row.item_id, batch_id=None, check=True, taken_back=bool(row.taken_back)
            )
            for row in self._permitted(query, given, avoid_topics, limit=limit)
        ]

    def can_take(self, assignment: Assignment, *, now: datetime) -> bool:
        session_id, who = assignment.session_id, assignment.annotator_id
        if assignment.check:
            query = check_items(among=True, spoken=False, facts=False)
            given = {"session": session_id, "who": who, "among": [assignment.item_id]}
            return self._connection.execute(query, given).first() is not None
        seeker = Seeker(session_id=session_id, annotator_id=who, now=now)
        among = [assignment.item_id]
        return any(
            list(self._open(seeker, batch, sort=sort, among=among, limit=1))
            for batch in self._open_batches(session_id, assignment.batch_id)
            for sort in SORTS
        )

    def all_leased(
        self,
        session_id: str,
        annotator_id: str,
        *,
        now: datetime,
        batch_id: str | None = None,
        languages: Sequence[str] = (),
        avoid_topics: Sequence[str] = (),
    ) -> bool:
        seeker = Seeker(
            session_id=session_id, annotator_id=annotator_id, now=now, languages=languages
        )
        query = leased_items(
            in_batch=batch_id is not None, spoken=bool(languages), facts=bool(avoid_topics)
        )
        given = {**seeker.given(), "batch": batch_id}
        return any(True for _ in self._permitted(query, given, avoid_topics, limit=1))

    def _passes(self, seeker: Seeker) -> Sequence[tuple[Sort, Sequence[str]]]:
        """The sorts of items to look for, in order, and among which items: () = among all."""
        rows = self._connection.execute(LET_GO, seeker.given()).all()
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

    def _open(
        self, seeker: Seeker, batch_id: str, *, sort: Sort, among: Sequence[str], limit: int
    ) -> Iterator[sa.Row[Any]]:
        query = open_items(
            sort=sort,
            among=bool(among),
            spoken=bool(seeker.languages),
            facts=bool(seeker.avoid_topics),
        )
        given = {**seeker.given(), "batch": batch_id, "among": among}
        return self._permitted(query, given, seeker.avoid_topics, limit=limit)

    def _open_batches(self, session_id: str, batch_id: str | None) -> Sequence[str]:
        query, given = OPEN_BATCHES, {"session": session_id}
        if batch_id is not None:
            query, given = query.where(batches.c.id == BATCH), {**given, "batch": batch_id}
        return list(self._connection.execute(query, given).scalars())

    def _permitted(
        self,
        query: sa.Select[Any],
        given: Mapping[str, Any],
        avoid_topics: Sequence[str],
        *,
        limit: int,
    ) -> Iterator[sa.Row[Any]]:
        """Rows without an unwanted topic, at most ``limit``."""
        if not avoid_topics:
            yield from self._connection.execute(_first(query), {**given, "most": limit})
            return
        allowed = (
            row for row in self._connection.execute(query, given) if wanted(row.facts, avoid_topics)
        )
        yield from islice(allowed, limit)


@cache
def _first(query: sa.Select[Any]) -> sa.Select[Any]:
    return query.limit(MOST)
