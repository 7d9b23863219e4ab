"""The label schema: what is being labelled."""

from __future__ import annotations

from typing import Any

from marshmallow import post_load

from api.schemas.documents import Request
from api.schemas.fields import Flag, Items, Name, Nested, Real, Text
from core.records import LabelClass, Task


class LabelClassSchema(Request):
    """One class of the label schema."""

    id = Text("Its id in labels and scores.", required=True, most=64, example="self_harm")
    name = Text("What people read.", most=200, example="Self-harm")
    definition = Text("What belongs in it.", most=4_000, blank=True, load_default="")
    examples = Items(
        Text("A text that belongs in it.", most=2_000), "Examples.", most=20, load_default=list
    )
    target_share = Real(
        "The share of labels it should have; null shares evenly what the others leave.",
        above=0,
        most=1,
        allow_none=True,
        load_default=None,
    )
    benign = Flag(
        "Whether texts of it are nothing to act on; moderation answers then leave them unflagged.",
        load_default=False,
    )

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> LabelClass:
        examples = tuple(data.pop("examples"))
        return LabelClass(**{"name": data["id"], **data}, examples=examples)


class TaskSchema(Request):
    """What is being labelled."""

    type = Name(
        "single: one class per text; multi: any number of classes, none included.",
        "single",
        "multi",
        load_default="single",
        attribute="kind",
    )
    labels = Items(
        Nested(LabelClassSchema),
        "The classes, in the order pages and reports show them.",
        least=2,
        most=200,
        required=True,
        attribute="classes",
    )

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> Task:
        return Task(classes=tuple(data["classes"]), kind=data["kind"])
