"""When each worker last said that it lives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.statements import upsert
from adapters.store.tables import heartbeats


class SqlHeartbeats:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, worker_id: str, *, now: datetime) -> None:
        upsert(self._connection, heartbeats, {"worker_id": worker_id, "beaten_at": now})

    def latest(self) -> Mapping[str, datetime]:
        query = sa.select(heartbeats.c.worker_id, heartbeats.c.beaten_at)
        return {row.worker_id: row.beaten_at for row in self._connection.execute(query)}
