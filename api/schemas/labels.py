"""Answers: given, taken back, listed."""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import ValidationError, post_load, pre_dump, validates_schema

from api.schemas.documents import Answer, Query, Request
from api.schemas.fields import (
    Flag,
    Items,
    Name,
    Nested,
    Object,
    Real,
    Text,
    Time,
    Whole,
    identifier,
)
from api.schemas.limits import limit
from api.schemas.pages import FeedQuery, feed_of
from api.schemas.problems import FieldErrorSchema
from api.schemas.refusals import Refusal
from core.blinding import SeenLabel
from core.opinions import Doubt
from core.records import ItemState, LabelEvent, LabelKind
from core.requests import NewLabel

KINDS = get_args(LabelKind)
ROW_STATES = ("created", "superseded", "skipped", "replayed", "rejected")
STATUSES = ("on_time", "late", "unsolicited")
ITEM = Refusal("name the item by item_id or external_id, not both", code="missing-field")
SOURCE = Refusal("send either labels, or oracle and batch_id", code="missing-field")
LEASE = Refusal("send assignment_id and lease_token together", code="missing-field")
ALONE = Refusal("this belongs to an answer by an oracle", code="unknown-field")


class NewLabelSchema(Request):
    """One answer to one item."""

    item_id = identifier("The item.")
    external_id = Text("Your id of the item, instead.")
    label = Text("The class, where there is one.", most=64)
    labels = Items(
        Text("Class id.", most=64),
        "The classes; in a multi-label session [] says that none of them applies.",
        most=200,
    )
    skip = Flag("Declines the item instead of answering.", load_default=False)
    client_label_id = Text("Your id of this answer: sent twice, stored once.", most=128)
    batch_id = identifier("The batch it answers.")
    supersedes = identifier("Your earlier label that this one replaces.")
    note = Text("A remark for whoever reads the labels.", most=2_000, blank=True)
    duration_ms = Whole("How long the answer took.", most=86_400_000)
    assignment_id = identifier("The lease it was given under.")
    lease_token = Text("The token of that lease.", most=128)

    @validates_schema
    def _one_item(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("item_id" in data) == ("external_id" in data):
            raise ValidationError([ITEM], "item_id")
        if "label" in data and "labels" in data:
            twice = Refusal("send label or labels, not both", code="too-many-labels")
            raise ValidationError([twice], "label")
        if ("assignment_id" in data) != ("lease_token" in data):
            raise ValidationError([LEASE], "lease_token")

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> NewLabel:
        one = data.pop("label", None)
        several = data.pop("labels", None)
        labels = None if several is None else tuple(several)
        return NewLabel(**data, labels=labels if one is None else (one,))


class LabelRequestSchema(Request):
    """People's answers in ``labels``, or ``oracle`` and ``batch_id`` to ask an oracle now."""

    labels = Items(Nested(NewLabelSchema), "The answers.", least=1, **limit("max_labels"))
    mode = Name(
        "atomic: all answers or none; partial: the good ones are stored.",
        "partial",
        "atomic",
        load_default="partial",
    )
    allow_unsolicited = Flag("Take answers for items in no open batch.", load_default=False)
    allow_extra = Flag(
        "Keep an answer that comes after the item had enough; it decides nothing.",
        load_default=False,
    )
    annotator_id = Text("Who answered: the caller, or with the scope oracle anybody.", most=128)
    oracle = Text("The oracle to ask, as the session's settings name it.", most=64, example="gold")
    batch_id = identifier("The batch to ask the oracle about.")
    noise = Real("Share of answers the oracle gets wrong.", least=0, most=1)

    @validates_schema
    def _one_source(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("oracle" in data) == ("labels" in data):
            raise ValidationError([SOURCE], "labels")
        if "oracle" in data and "batch_id" not in data:
            raise ValidationError([SOURCE], "batch_id")
        for name in {"batch_id", "noise"} & set(data) if "labels" in data else ():
            raise ValidationError([ALONE], name)


class LabelRowSchema(Answer):
    """What became of one answer."""

    index = Whole("Its place in the request.")
    status = Name("What was done.", *ROW_STATES)
    label_id = identifier("The label event.", allow_none=True)
    item_id = identifier("The item.", allow_none=True)
    item_state = Name("Where the item is now.", *get_args(ItemState), allow_none=True)
    error = Nested(FieldErrorSchema, "Why it was rejected.", allow_none=True)
    extras = Object("What the error's code promises, such as the classes allowed.")


class EscalationSchema(Answer):
    """An item that an oracle left to people."""

    item_id = identifier("The item; it waits in the people's queue.")
    reason = Name("Why.", *get_args(Doubt))


class LabelResultSchema(Answer):
    """What became of the answers."""

    accepted = Whole("Answers stored.")
    rejected = Whole("Answers refused.")
    replayed = Whole("Answers that were stored before.")
    results = Items(Nested(LabelRowSchema), "One per answer, in order.", dump_only=True)
    label_watermark = Whole("The session's highest sequence number; a retrain reads up to it.")
    escalated = Items(
        Nested(EscalationSchema), "What the oracle left to people, if any.", dump_only=True
    )
    remaining = Whole("Items of the batch that the oracle would judge if it were asked again.")


class LabelEventSchema(Answer):
    """One appended fact. ``note`` is there for keys with the scope content:read."""

    sometimes = ("note",)
    id = identifier("Its id.", example="lab_01JD3V7Q6S0000000000000000")
    item_id = identifier("The item.")
    seq = Whole("Its place in the session's sequence.")
    kind = Name("What happened.", *KINDS)
    labels = Items(Text("Class id."), "The classes.", dump_only=True)
    oracle = Text("What answered.")
    annotator_id = Text(
        "Who answered. Without the scope people:write null until the item is resolved, but for "
        "your own answers.",
        allow_none=True,
    )
    client_label_id = Text("The client's id of the answer.", allow_none=True)
    batch_id = identifier("The batch it answered.", allow_none=True)
    target_id = identifier("The event it replaces or undoes.", allow_none=True)
    guidelines_version = Whole("The guidelines in force.")
    note = Text("A remark.", allow_none=True)
    duration_ms = Whole("How long the answer took.", allow_none=True)
    status = Name("How it met its batch.", *STATUSES)
    created_at = Time("When it was stored.")


class SeenLabelSchema(LabelEventSchema):
    """An event as this caller may see it."""

    @pre_dump
    def _blind(self, seen: SeenLabel, **_kwargs: Any) -> dict[str, Any]:
        event = {name: getattr(seen.event, name) for name in self.fields}
        return {**event, "annotator_id": seen.annotator_id}


class MineQuery(Query):
    """How many of one's own answers to list."""

    limit = Whole("How many rows at most.", least=1, most=50, load_default=10)


class MyLabelSchema(Answer):
    """An answer of the caller. Nothing in it tells a check item from any other."""

    label_id = identifier("The label event.", example="lab_01JD3V7Q6S0000000000000000")
    item_id = identifier("The item.")
    kind = Name("Whether the item was answered or skipped.", "answer", "skip")
    labels = Items(Text("Class id."), "The classes.", dump_only=True)
    created_at = Time("When it was stored.")
    undoable = Flag("Whether it can be taken back.")

    @pre_dump
    def _plain(self, found: tuple[LabelEvent, bool], **_kwargs: Any) -> dict[str, Any]:
        event, undoable = found
        return {
            "label_id": event.id,
            "item_id": event.item_id,
            "kind": "skip" if event.kind in {"skipped", "declined"} else "answer",
            "labels": event.labels,
            "created_at": event.created_at,
            "undoable": undoable,
        }


class MyLabelsSchema(Answer):
    """The caller's latest answers."""

    data = Items(Nested(MyLabelSchema), "Newest first.", dump_only=True)


class LabelQuery(FeedQuery):
    """Which label events to list."""

    item_id = identifier("Only of this item.")


LabelFeedSchema = feed_of(LabelEventSchema)
