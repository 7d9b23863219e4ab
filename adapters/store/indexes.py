"""Index versions, and the record of which session refers to which blob."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import record_of, row_of
from adapters.store.statements import insert_absent
from adapters.store.tables import blob_references, index_versions
from core.errors import NotFound
from core.records import IndexVersion


class SqlIndexes:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, version: IndexVersion) -> None:
        self._connection.execute(sa.insert(index_versions), row_of(version))
        names = [(s.vectors, s.splits, s.clusters, s.probabilities) for s in version.shards]
        refer(
            self._connection,
            tenant_id=version.tenant_id,
            session_id=version.session_id,
            digests=[version.centroids, *(name for shard in names for name in shard if name)],
        )

    def latest(self, session_id: str) -> IndexVersion | None:
        return self._newest(index_versions.c.session_id == session_id)

    def get(self, session_id: str, index_id: str) -> IndexVersion:
        """Raises NotFound ``unknown-index``."""
        found = self._newest(
            index_versions.c.session_id == session_id, index_versions.c.id == index_id
        )
        if found is None:
            raise NotFound("the session has no such index version", code="unknown-index")
        return found

    def with_model(self, session_id: str, model_id: str) -> IndexVersion | None:
        return self._newest(
            index_versions.c.session_id == session_id, index_versions.c.model_id == model_id
        )

    def _newest(self, *wanted: sa.ColumnElement[bool]) -> IndexVersion | None:
        query = sa.select(index_versions).where(*wanted)
        query = query.order_by(index_versions.c.sequence.desc()).limit(1)
        row = self._connection.execute(query).mappings().one_or_none()
        return record_of(IndexVersion, row) if row else None


def refer(
    connection: Connection, *, tenant_id: str, session_id: str, digests: Iterable[str]
) -> None:
    """Note that the session needs these blobs, so that a purge elsewhere spares them."""
    owner = {"tenant_id": tenant_id, "session_id": session_id}
    insert_absent(
        connection, blob_references, [{**owner, "digest": d} for d in sorted(set(digests)) if d]
    )
