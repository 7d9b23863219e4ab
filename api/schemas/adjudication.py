"""Items that people answered differently, and the decision about one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from marshmallow import ValidationError, post_load, pre_dump, validates_schema

from api.schemas.documents import Answer, Request
from api.schemas.fields import Items, Name, Nested, Object, Text, identifier
from api.schemas.pages import PageQuery, page_of
from api.schemas.refusals import Refusal
from core.records import ItemState
from core.rounds.adjudicate import Contested
from core.showing import context_of, shown_metadata

TWICE = Refusal("send label or labels, not both", code="too-many-labels")


class MessageSchema(Answer):
    """One message before the text."""

    sometimes = ("author",)
    author = Text("Who wrote it, where that is known.")
    text = Text("The message.")


class BlindAnswerSchema(Answer):
    """What one person answered, without the name."""

    sometimes: tuple[str, ...] = ("note",)
    who = Text("A letter for the person.", example="A")
    labels = Items(Text("Class id."), "The answer.", dump_only=True)
    note = Text("A remark of the person.", allow_none=True)


class NamedAnswerSchema(BlindAnswerSchema):
    """What one person answered, and who it was."""

    annotator_id = Text("Who answered.")
    name = Text("The person's name; null for a key.", allow_none=True)


class ConflictSchema(Answer):
    """An item in conflict. Texts and remarks are there with the scope content:read."""

    sometimes = ("text", "context", "metadata")
    item_id = identifier("The item.")
    external_id = Text("Your id for it.")
    text = Text("The text.")
    lang = Text("BCP 47 language tag.", allow_none=True)
    context = Items(Nested(MessageSchema), "The messages before it, in order.", dump_only=True)
    metadata = Object("The facts that the session shows to people.")
    answers = Items(Nested(BlindAnswerSchema), "What people answered.", dump_only=True)


def conflict_schema(shown: Sequence[str], *, content: bool) -> Answer:
    """The schema for one session and caller; ``shown`` are the metadata keys people see."""

    class Shown(ConflictSchema):
        @pre_dump
        def _flatten(self, found: Contested, **_kwargs: Any) -> dict[str, Any]:
            item = found.item
            return {
                "item_id": item.id,
                "external_id": item.external_id,
                "text": item.text,
                "lang": item.lang,
                "context": context_of(item.metadata),
                "metadata": shown_metadata(item.metadata, shown),
                "answers": found.answers,
            }

    hidden = () if content else (*ConflictSchema.sometimes, "answers.note")
    return Shown(exclude=hidden)


class ConflictQuery(PageQuery):
    """Which conflicts to list."""


ConflictPageSchema = page_of(ConflictSchema)


class AdjudicationRequestSchema(Request):
    """The decision: one class, or the classes of a multi-label session."""

    label = Text("The class, where there is one.", most=64)
    labels = Items(
        Text("Class id.", most=64),
        "The classes; in a multi-label session [] says that none of them applies.",
        most=200,
    )
    note = Text("Why.", most=2_000, blank=True, load_default=None, allow_none=True)

    @validates_schema
    def _once(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "label" in data and "labels" in data:
            raise ValidationError([TWICE], "label")

    @post_load
    def _one(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        one, several = data.pop("label", None), data.pop("labels", None)
        labels = None if several is None else tuple(several)
        return {**data, "labels": labels if one is None else (one,)}


class AdjudicationSchema(Answer):
    """What was decided, and whose answers it was about."""

    item_state = Name("Where the item is now.", *get_args(ItemState))
    label_id = identifier("The deciding label event.")
    answers = Items(Nested(NamedAnswerSchema), "What people answered.", dump_only=True)
