"""What all tables share: the metadata, its naming rules and the owner columns."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa
from sqlalchemy import Column, Text

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

needed = partial(Column, nullable=False)


def owner() -> list[Column[str]]:
    """The columns of a row that belongs to a session."""
    return [needed("tenant_id", Text), needed("session_id", sa.ForeignKey("sessions.id"))]
