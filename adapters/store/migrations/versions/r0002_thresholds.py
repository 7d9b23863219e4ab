"""Models of multi-label sessions keep one threshold per class."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("thresholds", sa.JSON, nullable=True))
