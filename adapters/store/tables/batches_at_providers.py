"""Calls that were handed in together at a provider."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, Text

from adapters.store.column_types import Json, UtcTime
from adapters.store.tables.schema import metadata, needed, owner

provider_batches = sa.Table(
    "provider_batches",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("operation_id", Text),
    needed("wave", Integer),
    needed("state", Text),
    needed("generator", Text),
    Column("provider_id", Text),
    needed("size", Integer),
    needed("cost_id", Text),
    needed("template_version", Integer),
    needed("calls", Json),
    needed("sent_at", UtcTime),
    needed("tries", Integer),
    Column("next_at", UtcTime),
    Index(None, "session_id", "state"),
    Index(None, "state", "next_at"),
)
