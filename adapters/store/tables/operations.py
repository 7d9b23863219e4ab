"""Jobs as people see them, and what has happened."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Index, Integer, Text

from adapters.store.column_types import Json, UtcTime
from adapters.store.tables.schema import metadata, needed, owner

operations = sa.Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("kind", Text),
    needed("state", Text),
    needed("input", Json),
    Column("lane", Text, unique=True),
    Column("request_key", Text),
    needed("progress", Json),
    Column("result", Json),
    Column("error", Json),
    needed("attempt", Integer),
    needed("cancel_requested", Boolean),
    needed("created_at", UtcTime),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    sa.UniqueConstraint("tenant_id", "request_key"),
    Index(None, "session_id", "state"),
    Index(None, "state", "created_at"),
    Index(None, "tenant_id", "id"),
)

events = sa.Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("sequence", Integer),
    needed("type", Text),
    needed("data", Json),
    needed("created_at", UtcTime),
    sa.UniqueConstraint("session_id", "sequence"),
)
