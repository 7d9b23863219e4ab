"""Idempotency keys, held by at most one request at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import record_of
from adapters.store.statements import claim
from adapters.store.tables import replies
from core.errors import Unavailable
from core.records import SavedReply

ATTEMPTS = 5
"""How often a key may come and go while a request tries to take it."""


class SqlReplies:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(
        self,
        scope: str,
        *,
        fingerprint: str,
        now: datetime,
        stale: datetime,
        session_id: str | None = None,
    ) -> SavedReply | None:
        running: dict[str, object] = {
            "scope": scope,
            "session_id": session_id,
            "fingerprint": fingerprint,
            "status": 0,
            "body": b"",
            "headers": {},
            "created_at": now,
        }
        for _ in range(ATTEMPTS):
            if claim(self._connection, replies, running):
                return None
            abandoned = sa.and_(
                replies.c.scope == scope, replies.c.status == 0, replies.c.created_at <= stale
            )
            taken = sa.update(replies).where(abandoned).values(running)
            if self._connection.execute(taken).rowcount:
                return None
            saved = self._connection.execute(sa.select(replies).where(replies.c.scope == scope))
            row = saved.mappings().one_or_none()
            if row is not None:
                return record_of(SavedReply, row)
        raise Unavailable("the idempotency key keeps changing hands; try again")

    def finish(
        self,
        scope: str,
        *,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        session_id: str | None = None,
    ) -> None:
        done = sa.update(replies).where(replies.c.scope == scope)
        owner = {} if session_id is None else {"session_id": session_id}
        values = {"status": status, "body": body, "headers": dict(headers), **owner}
        self._connection.execute(done.values(values))

    def forget(self, scope: str) -> None:
        self._connection.execute(sa.delete(replies).where(replies.c.scope == scope))

    def expire(self, *, before: datetime) -> int:
        """Delete replies begun before that time; how many those were."""
        old = sa.delete(replies).where(replies.c.created_at < before)
        return self._connection.execute(old).rowcount
