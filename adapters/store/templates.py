"""Prompt templates of a tenant, version by version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.store.documents import record_of, records_of, row_of
from adapters.store.tables import templates
from core.records import Template


class SqlTemplates:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, tenant_id: str, template: Template, *, now: datetime) -> None:
        row = {**row_of(template), "tenant_id": tenant_id, "created_at": now}
        self._connection.execute(sa.insert(templates), row)

    def latest(self, tenant_id: str, template_id: str) -> Template | None:
        query = sa.select(templates).where(
            templates.c.tenant_id == tenant_id, templates.c.id == template_id
        )
        newest = query.order_by(templates.c.version.desc()).limit(1)
        row = self._connection.execute(newest).mappings().one_or_none()
        return record_of(Template, row) if row else None

    def list(self, tenant_id: str) -> Sequence[Template]:
        """The latest version of each, by id."""
        newer = templates.alias()
        surpassed = sa.exists().where(
            newer.c.tenant_id == tenant_id,
            newer.c.id == templates.c.id,
            newer.c.version > templates.c.version,
        )
        query = sa.select(templates).where(templates.c.tenant_id == tenant_id, ~surpassed)
        return records_of(Template, self._connection.execute(query.order_by(templates.c.id)))
