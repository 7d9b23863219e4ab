"""People and their work: assignments, flags, persons, invitations and sign-ins."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Index, Text

from adapters.store.column_types import Json, UtcTime
from adapters.store.tables.schema import metadata, needed, owner

assignments = sa.Table(
    "assignments",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("item_id", Text),
    Column("batch_id", Text),
    needed("annotator_id", Text),
    needed("state", Text),
    needed("token_sha256", Text),
    needed("check", Boolean),
    needed("claimed_at", UtcTime),
    needed("expires_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("reason", Text),
    sa.UniqueConstraint("session_id", "item_id", "annotator_id"),
    Index(None, "session_id", "annotator_id", "state"),
    Index(None, "session_id", "state", "expires_at"),
)

flags = sa.Table(
    "flags",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("item_id", Text),
    Column("assignment_id", Text),
    needed("annotator_id", Text),
    needed("reason", Text),
    Column("note", Text),
    needed("state", Text),
    Column("resolution", Text),
    Column("resolved_by", Text),
    needed("created_at", UtcTime),
    Column("resolved_at", UtcTime),
    Index(None, "session_id", "state", "id"),
)

people = sa.Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    needed("tenant_id", sa.ForeignKey("tenants.id")),
    needed("name", Text),
    needed("role", Text),
    Column("session_id", Text, index=True),
    needed("preferences", Json),
    needed("created_at", UtcTime),
    Column("revoked_at", UtcTime),
    Index(None, "tenant_id", "id"),
)

invitations = sa.Table(
    "invitations",
    metadata,
    Column("id", Text, primary_key=True),
    needed("tenant_id", sa.ForeignKey("tenants.id")),
    needed("name", Text),
    needed("role", Text),
    Column("session_id", Text, index=True),
    Column("token_sha256", Text, nullable=False, unique=True),
    needed("created_by", Text),
    needed("created_at", UtcTime),
    needed("expires_at", UtcTime),
    Column("person_id", Text),
    Column("used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Index(None, "tenant_id", "id"),
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True),
    needed("tenant_id", sa.ForeignKey("tenants.id")),
    Column("person_id", Text, nullable=False, index=True),
    Column("token_sha256", Text, nullable=False, unique=True),
    needed("created_at", UtcTime),
    needed("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
)
