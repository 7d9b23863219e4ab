"""The first schema: everything the main loop stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
UNINDEXED = sa.not_(sa.column("indexed", sa.Boolean))
ACTIVE = sa.text("state = 'active'")

Columns = list[sa.Column[Any]]


def _needed(type_: Any, *names: str) -> Columns:
    return [sa.Column(name, type_, nullable=False) for name in names]


def _optional(type_: Any, *names: str) -> Columns:
    return [sa.Column(name, type_, nullable=True) for name in names]


def _table(
    name: str,
    *parts: sa.Column[Any] | sa.ForeignKeyConstraint,
    key: Sequence[str] = ("id",),
    unique: Sequence[Sequence[str]] = (),
    owned: bool = False,
) -> None:
    """A table with its rules; an owned one belongs to a session."""
    rules: list[Any] = [sa.PrimaryKeyConstraint(*key, name=f"pk_{name}")]
    rules += [sa.UniqueConstraint(*u, name=f"uq_{name}_{'_'.join(u)}") for u in unique]
    if owned:
        rules += _needed(sa.Text, "tenant_id", "session_id")
        rules += [_refers(name, "session_id", to="sessions.id")]
    op.create_table(name, *parts, *rules)


def _refers(table: str, column: str, *, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def upgrade() -> None:
    _access()
    _requests()
    _pool()
    _arrays()
    _batches()
    _labels()
    _generation()
    _costs()
    _models()
    _operations()


def _access() -> None:
    _table(
        "tenants",
        *_needed(sa.Text, "id", "name"),
        *_needed(TIME, "created_at"),
    )
    _table(
        "api_keys",
        _refers("api_keys", "tenant_id", to="tenants.id"),
        *_needed(sa.Text, "id", "tenant_id", "name", "secret_sha256"),
        *_needed(sa.JSON, "scopes"),
        *_optional(sa.Text, "session_id"),
        *_needed(TIME, "created_at"),
        *_optional(TIME, "revoked_at"),
    )
    _index("api_keys", "session_id")
    _index("api_keys", "tenant_id", "id")
    _table(
        "sessions",
        *_needed(sa.Text, "id", "tenant_id", "name", "guidelines", "state"),
        *_needed(sa.JSON, "task", "settings"),
        *_needed(sa.Integer, "guidelines_version", "revision"),
        *_needed(TIME, "created_at", "updated_at"),
    )
    _index("sessions", "tenant_id", "id")


def _requests() -> None:
    _table(
        "replies",
        *_needed(sa.Text, "scope", "fingerprint"),
        *_optional(sa.Text, "session_id"),
        *_needed(sa.Integer, "status"),
        *_needed(sa.LargeBinary, "body"),
        *_needed(sa.JSON, "headers"),
        *_needed(TIME, "created_at"),
        key=("scope",),
    )
    _index("replies", "created_at")
    _index("replies", "session_id")
    _table(
        "heartbeats",
        *_needed(sa.Text, "worker_id"),
        *_needed(TIME, "beaten_at"),
        key=("worker_id",),
    )


def _pool() -> None:
    _table(
        "items",
        *_needed(sa.Text, "id", "text", "text_hash", "split", "state"),
        *_optional(sa.Text, "external_id", "labels", "gold", "lang"),
        *_needed(sa.Integer, "position", "revision"),
        *_needed(sa.JSON, "metadata"),
        *_needed(sa.Boolean, "indexed"),
        *_needed(TIME, "created_at"),
        unique=[("session_id", "external_id"), ("session_id", "position")],
        owned=True,
    )
    op.create_index(
        "ix_items_unindexed",
        "items",
        ["session_id", "position"],
        sqlite_where=UNINDEXED,
        postgresql_where=UNINDEXED,
    )
    _index("items", "session_id", "split", "state", "position")
    _index("items", "text_hash", "session_id")
    _table(
        "vectors",
        *_needed(sa.Text, "tenant_id", "text_hash", "encoder_id"),
        *_needed(sa.LargeBinary, "vector"),
        key=("tenant_id", "text_hash", "encoder_id"),
    )
    _table(
        "blob_references",
        *_needed(sa.Text, "digest"),
        key=("session_id", "digest"),
        owned=True,
    )
    _index("blob_references", "digest")


def _arrays() -> None:
    _table(
        "index_versions",
        *_needed(sa.Text, "id", "encoder_id", "clusterer", "centroids"),
        *_needed(sa.Integer, "sequence", "rows", "dimension", "cluster_count"),
        *_needed(sa.Integer, "clustered_rows"),
        *_optional(sa.Text, "model_id"),
        *_needed(sa.JSON, "shards"),
        *_needed(TIME, "created_at"),
        unique=[("session_id", "sequence")],
        owned=True,
    )


def _batches() -> None:
    _table(
        "batches",
        *_needed(sa.Text, "id", "state", "strategy", "strategy_used", "index_id"),
        *_needed(sa.Integer, "round", "requested", "shortfall"),
        *_needed(sa.BigInteger, "seed"),
        *_optional(sa.Text, "model_id", "shortfall_reason"),
        *_needed(TIME, "created_at"),
        unique=[("session_id", "round")],
        owned=True,
    )
    _table(
        "batch_items",
        *_needed(sa.Text, "batch_id", "item_id", "strategy"),
        *_needed(sa.Integer, "ordinal", "position", "cluster", "rank"),
        *_needed(sa.Float, "score"),
        *_optional(sa.Float, "entropy"),
        key=("batch_id", "ordinal"),
        owned=True,
    )
    _index("batch_items", "session_id", "item_id")
    _table(
        "batch_requests",
        *_needed(sa.Text, "request_key", "batch_id"),
        key=("session_id", "request_key"),
        owned=True,
    )


def _labels() -> None:
    _table(
        "label_events",
        *_needed(sa.Text, "id", "item_id", "kind", "labels", "oracle", "annotator_id"),
        *_needed(sa.Text, "status"),
        *_needed(sa.Integer, "seq", "guidelines_version"),
        *_optional(sa.Text, "client_label_id", "batch_id", "target_id", "note"),
        *_optional(sa.BigInteger, "duration_ms"),
        *_needed(TIME, "created_at"),
        unique=[("session_id", "annotator_id", "client_label_id"), ("session_id", "seq")],
        owned=True,
    )
    _index("label_events", "session_id", "item_id", "seq", "kind")
    _index("label_events", "target_id")


def _generation() -> None:
    _table(
        "templates",
        *_needed(sa.Text, "tenant_id", "id", "level", "system", "body", "sha256"),
        *_needed(sa.Integer, "version"),
        *_needed(sa.Boolean, "builtin"),
        *_needed(TIME, "created_at"),
        key=("tenant_id", "id", "version"),
    )
    _table(
        "generations",
        *_needed(sa.Text, "id", "operation_id", "seed_item_id", "seed_label_id", "text"),
        *_needed(sa.Text, "labels", "state", "generator", "template_id", "template_sha256"),
        *_needed(sa.Text, "prompt_sha256", "response_sha256"),
        *_needed(sa.Integer, "round", "template_version", "revision"),
        *_optional(sa.Text, "original_text", "original_labels", "model", "contrast"),
        *_optional(sa.Text, "request_id", "reviewer", "reason"),
        *_needed(sa.JSON, "screens", "attributes", "example_ids"),
        *_needed(sa.Boolean, "needs_review"),
        *_needed(TIME, "created_at"),
        *_optional(TIME, "reviewed_at"),
        owned=True,
    )
    _index("generations", "session_id", "operation_id", "id")
    _index("generations", "session_id", "state", "id")


def _costs() -> None:
    _table(
        "costs",
        *_needed(sa.Text, "id", "operation_id", "generator", "state"),
        *_optional(sa.Text, "model", "request_id"),
        *_needed(sa.Float, "dollars"),
        *_needed(sa.Integer, "input_tokens", "output_tokens"),
        *_needed(TIME, "created_at"),
        owned=True,
    )
    _index("costs", "session_id", "operation_id")


def _models() -> None:
    _table(
        "models",
        *_needed(sa.Text, "id", "state", "learner", "encoder_id", "onnx", "evaluated_on"),
        *_needed(sa.Integer, "version", "round", "label_watermark", "revision"),
        *_needed(sa.JSON, "classes", "human_counts", "generated_counts", "parameters"),
        *_needed(sa.JSON, "metrics"),
        *_needed(sa.Float, "parity"),
        *_needed(TIME, "created_at"),
        unique=[("session_id", "version")],
        owned=True,
    )
    op.create_index(
        "uq_models_active",
        "models",
        ["session_id"],
        unique=True,
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )


def _operations() -> None:
    _table(
        "operations",
        *_needed(sa.Text, "id", "kind", "state"),
        *_needed(sa.JSON, "input", "progress"),
        *_optional(sa.Text, "lane", "request_key"),
        *_optional(sa.JSON, "result", "error"),
        *_needed(sa.Integer, "attempt"),
        *_needed(sa.Boolean, "cancel_requested"),
        *_needed(TIME, "created_at"),
        *_optional(TIME, "started_at", "finished_at"),
        unique=[("lane",), ("tenant_id", "request_key")],
        owned=True,
    )
    _index("operations", "session_id", "state")
    _index("operations", "state", "created_at")
    _index("operations", "tenant_id", "id")
    _table(
        "events",
        *_needed(sa.Text, "id", "type"),
        *_needed(sa.Integer, "sequence"),
        *_needed(sa.JSON, "data"),
        *_needed(TIME, "created_at"),
        unique=[("session_id", "sequence")],
        owned=True,
    )
