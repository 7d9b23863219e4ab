"""Predictions in the shapes of two moderation services, so that their clients can switch by URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from api.schemas.documents import Answer, Request
from api.schemas.fields import Flag, Items, Nested, Object, Text, shape
from api.schemas.limits import limit
from api.schemas.refusals import Refusal


class TextOrTexts(fields.Field[list[str]]):
    """One text or a list of them, as a list."""

    def __init__(self, description: str, **options: Any) -> None:
        text = {"type": "string", "minLength": 1}
        several = {"type": "array", "items": text, "minItems": 1}
        super().__init__(metadata={"description": description, "oneOf": [text, several]}, **options)
        text_field = Text(description, **limit("max_text_chars"))
        self._several = Items(text_field, description, least=1, **limit("max_predict"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list):
            wrong = Refusal("send a text or a list of texts", code="invalid-type")
            raise ValidationError([wrong])
        return [str(text) for text in self._several.deserialize(texts, attr, data, **kwargs)]


class ModerationRequestSchema(Request):
    """What an OpenAI client's ``moderations.create`` sends."""

    input = TextOrTexts("The text, or several.", required=True)
    model = Text("``active`` or a model's id; other names mean active.", most=128)


class ModerationResultSchema(Answer):
    """One text judged."""

    flagged = Flag("Whether the model names a class that is not benign.")
    categories = Object("Whether it names each class.", metadata=shape(type="boolean"))
    category_scores = Object("Probability of each class.", metadata=shape(type="number"))


class ModerationSchema(Answer):
    """Texts judged, in order, in the shape of OpenAI's moderation answer."""

    id = Text("The request's id.")
    model = Text("The model that judged.")
    results = Items(Nested(ModerationResultSchema), "One per text.", dump_only=True)


class CommentSchema(Request):
    """The text in question."""

    text = Text("The text; not stored.", required=True, **limit("max_text_chars"))
    type = Text("Taken and not used.", most=64)


class AnalyzeRequestSchema(Request):
    """What a Perspective client sends; what has no meaning here is taken and not used."""

    comment = Nested(CommentSchema, required=True)
    requestedAttributes = Object(  # noqa: N815 -- the service's own spelling
        "The classes to score, by id; empty = all.", required=True
    )
    languages = Items(Text("A language.", most=35), "Taken and not used.", most=20)
    doNotStore = Flag("Nothing is stored in any case.")  # noqa: N815
    clientToken = Text("Given back.", most=256)  # noqa: N815
    sessionId = Text("Taken and not used.", most=256)  # noqa: N815
    communityId = Text("Taken and not used.", most=256)  # noqa: N815
    spanAnnotations = Flag("Taken and not used.")  # noqa: N815


SCORE: Mapping[str, Any] = {
    "type": "object",
    "required": ["summaryScore"],
    "properties": {
        "summaryScore": {
            "type": "object",
            "required": ["value", "type"],
            "properties": {"value": {"type": "number"}, "type": {"const": "PROBABILITY"}},
        }
    },
}


class AnalyzeSchema(Answer):
    """One text judged, in the shape of Perspective's answer."""

    sometimes = ("clientToken",)
    attributeScores = Object("The score of each class asked for.", metadata=shape(**SCORE))  # noqa: N815
    languages = Items(
        Text("Language."), "Always empty: languages are not told apart.", dump_only=True
    )
    clientToken = Text("As it was sent.")  # noqa: N815
