"""Column types that both databases give back alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from core.records import Labels

to_json = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode
"""One spelling per document; made once, because setting an encoder up costs more than it does."""


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC times with microseconds; SQLite stores them without their zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a time without a zone cannot be stored"
            raise ValueError(message)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - the base class's signature
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class LabelSet(TypeDecorator[Labels]):
    """A set of class ids as a JSON array in plain text, so that one id can be searched for.

    A line break before each id marks where it starts: inside an id JSON would escape it.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(
        self,
        value: Labels | None,
        dialect: Dialect,  # noqa: ARG002 - the base class's signature
    ) -> str | None:
        return None if value is None else f"[{','.join(map(_marked, value))}]"

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - the base class's signature
    ) -> Labels | None:
        return None if value is None else _labels(value)


class Json(TypeDecorator[Any]):
    """A JSON document; None is SQL's NULL."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True


def has_label(column: sa.Column[Any], class_id: str) -> sa.ColumnElement[bool]:
    """Rows whose label set holds ``class_id``: its marked form occurs in the array's text.

    Replacing is the one case-sensitive substring test that both databases share.
    """
    text = sa.type_coerce(column, sa.Text)
    return sa.func.replace(text, _marked(class_id), "") != text


@lru_cache(maxsize=1024)
def _labels(text: str) -> Labels:
    """A session has few distinct sets of labels, and many rows."""
    return tuple(json.loads(text))


def _marked(class_id: str) -> str:
    return "\n" + to_json(class_id)
