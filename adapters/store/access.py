"""Tenants and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import record_of, records_of, row_of
from adapters.store.statements import insert_absent
from adapters.store.tables import api_keys, tenants
from core.records import ApiKey, Page

KEY = sa.select(api_keys).where(api_keys.c.id == sa.bindparam("key"))
"""Built once: every request asks for its key."""


class SqlAccess:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ensure_tenant(self, tenant_id: str, *, name: str, now: datetime) -> None:
        insert_absent(
            self._connection, tenants, [{"id": tenant_id, "name": name, "created_at": now}]
        )

    def add_key(self, key: ApiKey) -> None:
        self._connection.execute(sa.insert(api_keys), row_of(key))

    def get_key(self, key_id: str) -> ApiKey | None:
        found = self._connection.execute(KEY, {"key": key_id})
        row = found.mappings().one_or_none()
        return record_of(ApiKey, row) if row else None

    def list_keys(self, tenant_id: str, page: Page) -> Sequence[ApiKey]:
        query = sa.select(api_keys).where(api_keys.c.tenant_id == tenant_id)
        if page.after is not None:
            query = query.where(api_keys.c.id > page.after)
        query = query.order_by(api_keys.c.id).limit(page.limit)
        return records_of(ApiKey, self._connection.execute(query))

    def revoke_key(self, tenant_id: str, key_id: str, *, now: datetime) -> bool:
        """Whether the tenant has that key; the time of the first revocation stays."""
        revoked = sa.update(api_keys).values(
            revoked_at=sa.func.coalesce(
                api_keys.c.revoked_at, sa.literal(now, api_keys.c.revoked_at.type)
            )
        )
        mine = sa.and_(api_keys.c.id == key_id, api_keys.c.tenant_id == tenant_id)
        return self._connection.execute(revoked.where(mine)).rowcount > 0

    def any_key(self) -> bool:
        return self._connection.execute(sa.select(api_keys.c.id).limit(1)).first() is not None
