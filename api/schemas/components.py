"""A registered component by name, with its options."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from api.schemas.documents import Answer, Request
from api.schemas.fields import COMMON, Items, Nested, Object, Text
from api.schemas.refusals import Refusal
from core.records import Choice


class ChoiceSchema(Request):
    """A component's name and its options."""

    name = Text("One of the names that ``GET /v1/components`` lists.", required=True)
    options = Object("Values for its options; the rest keep their defaults.", load_default=dict)


class ChoiceField(fields.Field[Choice]):
    """A component as ``{"name": ..., "options": {...}}``, or as its bare name."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be a name or an object with a name", code="invalid-type"),
    }

    def __init__(self, description: str, **options: Any) -> None:
        shapes: list[dict[str, Any]] = [
            {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"\S"},
            {"$ref": "#/components/schemas/Choice"},
        ]
        if options.get("allow_none"):
            shapes.append({"type": "null"})
        facts: dict[str, Any] = {"description": description, "anyOf": shapes}
        given = options.get("load_default")
        if isinstance(given, Choice) and not given.options:
            facts["default"] = given.name  # a client made of the document sends it as it stands
        super().__init__(metadata=facts, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Choice:
        del attr, data, kwargs
        if not isinstance(value, str | dict):
            raise self.make_error("invalid")
        document = {"name": value} if isinstance(value, str) else value
        loaded: dict[str, Any] = ChoiceSchema().load(document)
        return Choice(**loaded)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        del attr, obj, kwargs
        return None if value is None else {"name": value.name, "options": dict(value.options)}


class OptionSchema(Answer):
    """One option of a component."""

    name = Text("The option's name.")
    default = fields.Raw(
        allow_none=True, metadata={"description": "Its value where none is given."}
    )


class ComponentSchema(Answer):
    """Something that can be chosen by name."""

    name = Text("The name to choose it by.")
    summary = Text("What it does, in a sentence.", blank=True)
    options = Items(Nested(OptionSchema), "What can be set.", dump_only=True)
    facts = Object("What holds of it; for a generator what it can do, such as paid or structured.")


class ComponentsSchema(Answer):
    """Every component this server knows, by kind."""

    encoders = Items(Nested(ComponentSchema), "Texts to vectors.", dump_only=True)
    clusterers = Items(Nested(ComponentSchema), "Vectors to clusters.", dump_only=True)
    strategies = Items(Nested(ComponentSchema), "How a batch is chosen.", dump_only=True)
    learners = Items(Nested(ComponentSchema), "What is trained.", dump_only=True)
    generators = Items(Nested(ComponentSchema), "Who writes variations.", dump_only=True)
    oracles = Items(Nested(ComponentSchema), "Who answers.", dump_only=True)
