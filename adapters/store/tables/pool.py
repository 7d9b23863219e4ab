"""The pool: items, their vectors and arrays, and the batches picked from them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, Text

from adapters.store.column_types import Json, LabelSet, UtcTime
from adapters.store.tables.schema import metadata, needed, owner

DELETED = "deleted"
"""The state of a deleted item's row, which keeps its position; core never sees it."""

items = sa.Table(
    "items",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    Column("external_id", Text),
    needed("position", Integer),
    needed("text", Text),
    needed("text_hash", Text),
    needed("split", Text),
    needed("state", Text),
    Column("labels", LabelSet),
    Column("gold", LabelSet),
    Column("lang", Text),
    needed("metadata", Json),
    needed("revision", Integer),
    needed("indexed", Boolean),
    needed("created_at", UtcTime),
    sa.UniqueConstraint("session_id", "external_id"),
    sa.UniqueConstraint("session_id", "position"),
    Index(None, "session_id", "split", "state", "position"),
    Index(None, "text_hash", "session_id"),
)

unindexed_items = Index(
    "ix_items_unindexed",
    items.c.session_id,
    items.c.position,
    sqlite_where=sa.not_(items.c.indexed),
    postgresql_where=sa.not_(items.c.indexed),
)

vectors = sa.Table(
    "vectors",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("text_hash", Text, primary_key=True),
    Column("encoder_id", Text, primary_key=True),
    needed("vector", LargeBinary),
)

blob_references = sa.Table(
    "blob_references",
    metadata,
    *owner(),
    needed("digest", Text),
    sa.PrimaryKeyConstraint("session_id", "digest"),
    Index(None, "digest"),
)

index_versions = sa.Table(
    "index_versions",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("sequence", Integer),
    needed("encoder_id", Text),
    needed("rows", Integer),
    needed("dimension", Integer),
    needed("cluster_count", Integer),
    needed("clustered_rows", Integer),
    needed("clusterer", Text),
    needed("centroids", Text),
    Column("model_id", Text),
    needed("shards", Json),
    needed("created_at", UtcTime),
    sa.UniqueConstraint("session_id", "sequence"),
)

batches = sa.Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("round", Integer),
    needed("state", Text),
    needed("strategy", Text),
    needed("strategy_used", Text),
    needed("seed", BigInteger),
    needed("index_id", Text),
    Column("model_id", Text),
    needed("requested", Integer),
    needed("shortfall", Integer),
    Column("shortfall_reason", Text),
    needed("created_at", UtcTime),
    Column("expires_at", UtcTime),
    sa.UniqueConstraint("session_id", "round"),
)

batch_items = sa.Table(
    "batch_items",
    metadata,
    Column("batch_id", Text, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    *owner(),
    needed("item_id", Text),
    needed("position", Integer),
    needed("cluster", Integer),
    needed("score", Float),
    needed("rank", Integer),
    needed("strategy", Text),
    Column("entropy", Float),
    needed("answers_needed", Integer, server_default="1"),
    Index(None, "session_id", "item_id"),
)

batch_requests = sa.Table(
    "batch_requests",
    metadata,
    *owner(),
    needed("request_key", Text),
    needed("batch_id", Text),
    sa.PrimaryKeyConstraint("session_id", "request_key"),
)
