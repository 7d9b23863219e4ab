"""The three kinds of documents: read from a body, read from a query, written as an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow

from api.schemas.refusals import Refusal

OBJECT = Refusal("this must be an object", code="invalid-type")
UNKNOWN = Refusal("there is no such field here", code="unknown-field")
MOST_STRANGERS = 10
"""Unknown fields reported per object; marshmallow's bookkeeping of each costs as much as a row."""


class Request(marshmallow.Schema):
    """A document we read: unknown fields are refused."""

    error_messages = {"unknown": UNKNOWN, "type": OBJECT}  # noqa: RUF012 -- marshmallow's way

    class Meta:  # noqa: D106 -- marshmallow's way
        unknown = marshmallow.RAISE

    @marshmallow.pre_load
    def _few_strangers(self, data: Any, **_kwargs: Any) -> Any:
        if not isinstance(data, Mapping) or len(data) <= len(self.fields) + MOST_STRANGERS:
            return data
        strangers = [name for name in data if name not in self.fields][:MOST_STRANGERS]
        return {name: data[name] for name in (*self.fields, *strangers) if name in data}


class Query(marshmallow.Schema):
    """Query parameters: text that is read as numbers and flags."""

    error_messages = {"unknown": UNKNOWN, "type": OBJECT}  # noqa: RUF012 -- marshmallow's way

    class Meta:  # noqa: D106 -- marshmallow's way
        unknown = marshmallow.RAISE


class Answer(marshmallow.Schema):
    """A document we write: every field is always there but those in ``sometimes``."""

    sometimes: tuple[str, ...] = ()

    class Meta:  # noqa: D106 -- marshmallow's way
        unknown = marshmallow.EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        super().on_bind_field(field_name, field_obj)
        field_obj.required = field_name not in self.sometimes
        bounds = {"minLength", "maxLength", "pattern", "minItems", "maxItems"}
        facts = field_obj.metadata.items()
        field_obj.metadata = {k: v for k, v in facts if k not in bounds}
        field_obj.validators = [v for v in field_obj.validators if hasattr(v, "choices")]
