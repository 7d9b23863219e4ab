"""Leases that run are found without looking at those that ended."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_assignments_session_id_state_expires_at",
        "assignments",
        ["session_id", "state", "expires_at"],
    )
