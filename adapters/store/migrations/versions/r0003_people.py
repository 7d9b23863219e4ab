"""People in the loop: leases, flags, persons, webhooks, and several answers per item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

Columns = list[sa.Column[Any]]


def _needed(type_: Any, *names: str) -> Columns:
    return [sa.Column(name, type_, nullable=False) for name in names]


def _optional(type_: Any, *names: str) -> Columns:
    return [sa.Column(name, type_, nullable=True) for name in names]


def _table(
    name: str,
    *columns: sa.Column[Any],
    refers: Sequence[tuple[str, str]],
    unique: Sequence[Sequence[str]] = (),
    indexes: Sequence[Sequence[str]] = (),
) -> None:
    rules: list[Any] = [sa.PrimaryKeyConstraint("id", name=f"pk_{name}")]
    rules += [sa.UniqueConstraint(*u, name=f"uq_{name}_{'_'.join(u)}") for u in unique]
    rules += [sa.ForeignKeyConstraint([c], [to], name=f"fk_{name}_{c}") for c, to in refers]
    op.create_table(name, *_needed(sa.Text, "id", "tenant_id"), *columns, *rules)
    for columns_ in indexes:
        op.create_index(f"ix_{name}_{'_'.join(columns_)}", name, list(columns_))


def upgrade() -> None:
    _answers()
    _work()
    _persons()
    _webhooks()


def _answers() -> None:
    op.add_column("batches", sa.Column("expires_at", TIME, nullable=True))
    one = sa.Column("answers_needed", sa.Integer, nullable=False, server_default="1")
    op.add_column("batch_items", one)
    op.add_column("label_events", sa.Column("assignment_id", sa.Text, nullable=True))


def _work() -> None:
    of_session = [("session_id", "sessions.id")]
    _table(
        "assignments",
        *_needed(sa.Text, "session_id", "item_id", "annotator_id", "state", "token_sha256"),
        *_optional(sa.Text, "batch_id", "reason"),
        *_needed(sa.Boolean, "check"),
        *_needed(TIME, "claimed_at", "expires_at"),
        *_optional(TIME, "ended_at"),
        refers=of_session,
        unique=[("session_id", "item_id", "annotator_id")],
        indexes=[("session_id", "annotator_id", "state")],
    )
    _table(
        "flags",
        *_needed(sa.Text, "session_id", "item_id", "annotator_id", "reason", "state"),
        *_optional(sa.Text, "assignment_id", "note", "resolution", "resolved_by"),
        *_needed(TIME, "created_at"),
        *_optional(TIME, "resolved_at"),
        refers=of_session,
        indexes=[("session_id", "state", "id")],
    )


def _persons() -> None:
    of_tenant = [("tenant_id", "tenants.id")]
    _table(
        "people",
        *_needed(sa.Text, "name", "role"),
        *_optional(sa.Text, "session_id"),
        *_needed(sa.JSON, "preferences"),
        *_needed(TIME, "created_at"),
        *_optional(TIME, "revoked_at"),
        refers=of_tenant,
        indexes=[("session_id",), ("tenant_id", "id")],
    )
    _table(
        "invitations",
        *_needed(sa.Text, "name", "role", "token_sha256", "created_by"),
        *_optional(sa.Text, "session_id", "person_id"),
        *_needed(TIME, "created_at", "expires_at"),
        *_optional(TIME, "used_at", "revoked_at"),
        refers=of_tenant,
        unique=[("token_sha256",)],
        indexes=[("session_id",), ("tenant_id", "id")],
    )
    _table(
        "sign_ins",
        *_needed(sa.Text, "person_id", "token_sha256"),
        *_needed(TIME, "created_at", "expires_at"),
        *_optional(TIME, "revoked_at"),
        refers=of_tenant,
        unique=[("token_sha256",)],
        indexes=[("person_id",)],
    )


def _webhooks() -> None:
    _table(
        "webhook_endpoints",
        *_needed(sa.Text, "url", "description", "payload", "state", "secrets"),
        *_optional(sa.Text, "session_id", "disabled_reason"),
        *_needed(sa.JSON, "types"),
        *_needed(sa.Integer, "revision"),
        *_needed(TIME, "created_at"),
        *_optional(TIME, "failing_since"),
        refers=[("tenant_id", "tenants.id")],
        indexes=[("session_id",), ("tenant_id", "id")],
    )
    _table(
        "deliveries",
        *_needed(sa.Text, "endpoint_id", "event_id", "type", "state"),
        *_optional(sa.Text, "session_id", "last_error"),
        *_needed(sa.Integer, "attempts"),
        *_optional(sa.Integer, "last_status"),
        *_needed(TIME, "next_attempt_at", "created_at"),
        *_optional(TIME, "locked_until", "delivered_at"),
        refers=[("session_id", "sessions.id"), ("endpoint_id", "webhook_endpoints.id")],
        unique=[("endpoint_id", "event_id")],
        indexes=[("state", "next_attempt_at"), ("endpoint_id", "state", "id"), ("session_id",)],
    )
