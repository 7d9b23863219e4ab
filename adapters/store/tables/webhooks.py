"""Who hears of events, and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, Text

from adapters.store.column_types import Json, UtcTime
from adapters.store.tables.schema import metadata, needed

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    needed("tenant_id", sa.ForeignKey("tenants.id")),
    needed("url", Text),
    needed("description", Text),
    needed("types", Json),
    Column("session_id", Text, index=True),
    needed("payload", Text),
    needed("state", Text),
    Column("disabled_reason", Text),
    needed("secrets", Text),
    Column("failing_since", UtcTime),
    needed("revision", Integer),
    needed("created_at", UtcTime),
    Index(None, "tenant_id", "id"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    needed("tenant_id", Text),
    Column("session_id", sa.ForeignKey("sessions.id")),
    needed("endpoint_id", sa.ForeignKey("webhook_endpoints.id")),
    needed("event_id", Text),
    needed("type", Text),
    needed("state", Text),
    needed("attempts", Integer),
    needed("next_attempt_at", UtcTime),
    Column("locked_until", UtcTime),
    Column("last_status", Integer),
    Column("last_error", Text),
    needed("created_at", UtcTime),
    Column("delivered_at", UtcTime),
    sa.UniqueConstraint("endpoint_id", "event_id"),
    Index(None, "state", "next_attempt_at"),
    Index(None, "endpoint_id", "state", "id"),
    Index(None, "session_id"),
)
