"""Sessions, up to the tombstone that a purge leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import record_of, records_of, row_of
from adapters.store.purge import purge_session
from adapters.store.tables import sessions
from core.errors import Gone, NotFound, PreconditionFailed
from core.records import Page, Session

ONE = sa.select(sessions).where(
    sessions.c.id == sa.bindparam("id"), sessions.c.tenant_id == sa.bindparam("tenant")
)
LOCKED = ONE.with_for_update(key_share=True)
"""Built once, like what every request runs: building takes longer than running."""


class SqlSessions:
    """``scrub`` is told when text was deleted that the write-ahead log still holds."""

    def __init__(self, connection: Connection, *, scrub: Callable[[], None]) -> None:
        self._connection = connection
        self._scrub = scrub

    def add(self, session: Session) -> None:
        self._connection.execute(sa.insert(sessions), row_of(session))

    def get(self, tenant_id: str, session_id: str, *, lock: bool = False) -> Session:
        named = {"id": session_id, "tenant": tenant_id}
        found = self._connection.execute(LOCKED if lock else ONE, named)
        row = found.mappings().one_or_none()
        if row is None:
            raise NotFound("there is no such session", code="unknown-session")
        if row["state"] == "deleted":
            raise Gone("the session was deleted", code="session-deleted")
        return record_of(Session, row)

    def list(self, tenant_id: str, page: Page, *, state: str | None = None) -> Sequence[Session]:
        """By id; deleted ones only when asked for."""
        wanted = sessions.c.state == state if state else sessions.c.state != "deleted"
        query = sa.select(sessions).where(sessions.c.tenant_id == tenant_id, wanted)
        if page.after is not None:
            query = query.where(sessions.c.id > page.after)
        query = query.order_by(sessions.c.id).limit(page.limit)
        return records_of(Session, self._connection.execute(query))

    def save(self, session: Session, *, expected_revision: int) -> None:
        seen = sa.and_(
            sessions.c.id == session.id,
            sessions.c.tenant_id == session.tenant_id,
            sessions.c.revision == expected_revision,
        )
        changed = sa.update(sessions).where(seen).values(row_of(session))
        if self._connection.execute(changed).rowcount == 0:
            raise PreconditionFailed("the session changed since it was read")

    def closed(self, *, before: datetime) -> Sequence[Session]:
        query = sa.select(sessions).where(
            sessions.c.state == "closed", sessions.c.updated_at <= before
        )
        query = query.order_by(sessions.c.updated_at, sessions.c.id)
        return records_of(Session, self._connection.execute(query))

    def purge(self, session_id: str) -> Sequence[str]:
        digests = purge_session(self._connection, session_id)
        self._scrub()
        return digests
