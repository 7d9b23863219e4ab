"""What rounds produce: labels, templates, generations, costs and models."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Text

from adapters.store.column_types import Json, LabelSet, UtcTime
from adapters.store.tables.schema import metadata, needed, owner

label_events = sa.Table(
    "label_events",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("item_id", Text),
    needed("seq", Integer),
    needed("kind", Text),
    needed("labels", LabelSet),
    needed("oracle", Text),
    needed("annotator_id", Text),
    Column("client_label_id", Text),
    Column("batch_id", Text),
    Column("target_id", Text, index=True),
    needed("guidelines_version", Integer),
    Column("note", Text),
    Column("duration_ms", BigInteger),
    needed("status", Text),
    needed("created_at", UtcTime),
    Column("assignment_id", Text),
    sa.UniqueConstraint("session_id", "seq"),
    sa.UniqueConstraint("session_id", "annotator_id", "client_label_id"),
    Index(None, "session_id", "item_id", "seq", "kind"),
)

templates = sa.Table(
    "templates",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    needed("level", Text),
    needed("system", Text),
    needed("body", Text),
    needed("sha256", Text),
    needed("builtin", Boolean),
    needed("created_at", UtcTime),
)

generations = sa.Table(
    "generations",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("operation_id", Text),
    needed("round", Integer),
    needed("seed_item_id", Text),
    needed("seed_label_id", Text),
    needed("text", Text),
    needed("labels", LabelSet),
    Column("original_text", Text),
    Column("original_labels", LabelSet),
    needed("state", Text),
    needed("screens", Json),
    needed("needs_review", Boolean),
    needed("generator", Text),
    Column("model", Text),
    needed("template_id", Text),
    needed("template_version", Integer),
    needed("template_sha256", Text),
    needed("attributes", Json),
    needed("example_ids", Json),
    Column("contrast", Text),
    needed("prompt_sha256", Text),
    needed("response_sha256", Text),
    Column("request_id", Text),
    Column("reviewer", Text),
    Column("reason", Text),
    needed("revision", Integer),
    needed("created_at", UtcTime),
    Column("reviewed_at", UtcTime),
    Index(None, "session_id", "state", "id"),
    Index(None, "session_id", "operation_id", "id"),
)

costs = sa.Table(
    "costs",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("operation_id", Text),
    needed("generator", Text),
    Column("model", Text),
    needed("state", Text),
    needed("dollars", Float),
    needed("input_tokens", Integer),
    needed("output_tokens", Integer),
    Column("request_id", Text),
    needed("created_at", UtcTime),
    Index(None, "session_id", "operation_id"),
)

models = sa.Table(
    "models",
    metadata,
    Column("id", Text, primary_key=True),
    *owner(),
    needed("version", Integer),
    needed("round", Integer),
    needed("state", Text),
    needed("learner", Text),
    needed("encoder_id", Text),
    needed("classes", Json),
    needed("onnx", Text),
    needed("label_watermark", Integer),
    needed("human_counts", Json),
    needed("generated_counts", Json),
    needed("parameters", Json),
    needed("metrics", Json),
    needed("evaluated_on", Text),
    needed("parity", Float),
    needed("revision", Integer),
    needed("created_at", UtcTime),
    Column("thresholds", Json),
    sa.UniqueConstraint("session_id", "version"),
)

active_model = Index(
    "uq_models_active",
    models.c.session_id,
    unique=True,
    sqlite_where=models.c.state == sa.literal_column("'active'"),
    postgresql_where=models.c.state == sa.literal_column("'active'"),
)
