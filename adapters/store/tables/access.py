"""Who may do what: tenants, keys, sessions, remembered replies and living workers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, LargeBinary, Text

from adapters.store.column_types import Json, UtcTime
from adapters.store.tables.schema import metadata, needed

tenants = sa.Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    needed("name", Text),
    needed("created_at", UtcTime),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    needed("tenant_id", sa.ForeignKey("tenants.id")),
    needed("name", Text),
    needed("secret_sha256", Text),
    needed("scopes", Json),
    Column("session_id", Text, index=True),
    needed("created_at", UtcTime),
    Column("revoked_at", UtcTime),
    Index(None, "tenant_id", "id"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    needed("tenant_id", Text),
    needed("name", Text),
    needed("task", Json),
    needed("guidelines", Text),
    needed("guidelines_version", Integer),
    needed("settings", Json),
    needed("state", Text),
    needed("revision", Integer),
    needed("created_at", UtcTime),
    needed("updated_at", UtcTime),
    Index(None, "tenant_id", "id"),
)

replies = sa.Table(
    "replies",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("session_id", Text, index=True),
    needed("fingerprint", Text),
    needed("status", Integer),
    needed("body", LargeBinary),
    needed("headers", Json),
    Column("created_at", UtcTime, nullable=False, index=True),
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    Column("worker_id", Text, primary_key=True),
    needed("beaten_at", UtcTime),
)
