"""Batches of calls at a provider are remembered until they are gone there too."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def _needed(type_: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, type_, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "provider_batches",
        *_needed(sa.Text, "id", "tenant_id", "session_id", "operation_id"),
        *_needed(sa.Integer, "wave"),
        *_needed(sa.Text, "state", "generator"),
        sa.Column("provider_id", sa.Text, nullable=True),
        *_needed(sa.Integer, "size"),
        *_needed(sa.Text, "cost_id"),
        *_needed(sa.Integer, "template_version"),
        *_needed(sa.JSON, "calls"),
        *_needed(TIME, "sent_at"),
        *_needed(sa.Integer, "tries"),
        sa.Column("next_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_provider_batches"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_provider_batches_session_id"
        ),
    )
    for columns in (["session_id", "state"], ["state", "next_at"]):
        op.create_index(
            f"ix_provider_batches_{'_'.join(columns)}", "provider_batches", list(columns)
        )
