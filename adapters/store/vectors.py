"""The cache of vectors by text hash and encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import in_chunks
from adapters.store.statements import insert_absent
from adapters.store.tables import vectors
from core.ports import Halves


class SqlVectorCache:
    """A vector is stored as the bytes of its float16 values, little-endian."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, tenant_id: str, encoder_id: str, text_hashes: Sequence[str]) -> Set[str]:
        found: set[str] = set()
        for chunk in in_chunks(text_hashes):
            query = sa.select(vectors.c.text_hash).where(*_among(tenant_id, encoder_id, chunk))
            found.update(self._connection.execute(query).scalars())
        return found

    def get(
        self, tenant_id: str, encoder_id: str, text_hashes: Sequence[str]
    ) -> Mapping[str, Halves]:
        """Read-only (D,) arrays; unknown hashes are left out."""
        found: dict[str, Halves] = {}
        for chunk in in_chunks(text_hashes):
            query = sa.select(vectors.c.text_hash, vectors.c.vector)
            query = query.where(*_among(tenant_id, encoder_id, chunk))
            for text_hash, vector in self._connection.execute(query):
                found[text_hash] = np.frombuffer(vector, dtype="<f2")
        return found

    def put(self, tenant_id: str, encoder_id: str, vectors: Mapping[str, Halves]) -> None:
        # In one order for everybody, so that two writers of the same texts cannot deadlock.
        rows = [
            {
                "tenant_id": tenant_id,
                "encoder_id": encoder_id,
                "text_hash": text_hash,
                "vector": np.ascontiguousarray(vector, dtype="<f2").tobytes(),
            }
            for text_hash, vector in sorted(vectors.items(), key=lambda pair: pair[0])
        ]
        insert_absent(self._connection, _TABLE, rows)


_TABLE = vectors


def _among(
    tenant_id: str, encoder_id: str, text_hashes: Sequence[str]
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        vectors.c.tenant_id == tenant_id,
        vectors.c.encoder_id == encoder_id,
        vectors.c.text_hash.in_(text_hashes),
    )
