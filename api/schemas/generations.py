"""Generated variations: asked for, listed with their lineage, reviewed."""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import post_load

from api.schemas.components import ChoiceField
from api.schemas.documents import Answer, Request
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
    shape,
)
from api.schemas.limits import limit
from api.schemas.pages import PageQuery, page_of
from api.schemas.problems import FieldErrorSchema
from core.records import GenerationState
from core.requests import GenerateRequest, ReviewDecision

STATES = get_args(GenerationState)
DECISIONS = ("accept", "edit", "relabel", "reject")


class GenerateRequestSchema(Request):
    """Which seeds to vary, by default the latest round's labels, and how."""

    batch_id = identifier("Vary this batch's labelled items.", allow_none=True, load_default=None)
    item_ids = Items(identifier("An item."), "Vary these.", most=1_000, load_default=list)
    template = Text("The prompt template.", most=64, allow_none=True, load_default=None)
    variations = Whole(
        "Variations per seed.", least=1, most=100, allow_none=True, load_default=None
    )
    generator = ChoiceField("Who writes.", allow_none=True, load_default=None)
    max_dollars = Real("What this operation may cost.", least=0, allow_none=True, load_default=None)
    dry_run = Flag("Answer with the plan and its cost, and write nothing.", load_default=False)

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> tuple[GenerateRequest, bool]:
        dry_run = data.pop("dry_run")
        data["item_ids"] = tuple(data["item_ids"])
        return GenerateRequest(**data), dry_run


class GenerationPlanSchema(Answer):
    """What a generation would do, and the most it could cost."""

    generator = Text("Who would write.")
    model = Text("With which model.", allow_none=True)
    template = Text("The prompt template.")
    template_version = Whole("Its version.")
    seeds = Whole("Labelled items to vary.")
    calls = Whole("Calls to make.")
    variations = Whole("Variations to ask for.")
    by_class = Object("Variations by class.", metadata=shape(type="integer"))
    input_tokens = Whole("Tokens to send, at most.")
    output_tokens = Whole("Tokens to receive, at most.")
    dollars = Real("Cost, at most.")
    note = Text("What else is worth knowing.", allow_none=True)


class ScreenSchema(Answer):
    """One screening result."""

    check = Text("What was checked.")
    passed = Flag("Whether it passed.")
    value = Real("Similarity or probability.", allow_none=True)
    match_id = Text("What it collided with.", allow_none=True)


class GenerationSchema(Answer):
    """A variation. Texts are there for keys with the scope content:read."""

    sometimes = ("text", "original_text", "reason")
    id = identifier("Its id.", example="gen_01JD3V7Q6S0000000000000000")
    operation_id = identifier("The operation that wrote it.")
    round = Whole("Which round.")
    seed_item_id = identifier("The item it varies.")
    seed_label_id = identifier("The label of that item.")
    text = Text("What was written, or what a reviewer made of it.")
    labels = Items(Text("Class id."), "Its classes.", dump_only=True)
    original_text = Text("What was written, where a reviewer edited it.", allow_none=True)
    original_labels = Items(
        Text("Class id."),
        "Its classes before a reviewer's change.",
        allow_none=True,
        dump_only=True,
    )
    state = Name("accepted and edited rows train.", *STATES)
    screens = Items(Nested(ScreenSchema), "What the screens found.", dump_only=True)
    needs_review = Flag("Whether a person is asked to look.")
    generator = Text("Who wrote it.")
    model = Text("With which model.", allow_none=True)
    template_id = Text("The prompt template.")
    template_version = Whole("Its version.")
    template_sha256 = Text("Hash of the template.")
    attributes = Items(Text("Attribute."), "What was asked of the text.", dump_only=True)
    example_ids = Items(identifier("Item."), "Items shown as examples.", dump_only=True)
    contrast = Text("The class it must not be read as.", allow_none=True)
    prompt_sha256 = Text("Hash of the prompt.")
    response_sha256 = Text("Hash of the raw answer.")
    request_id = Text("The provider's id of the call.", allow_none=True)
    reviewer = Text("Who decided.", allow_none=True)
    reason = Text("Why.", allow_none=True)
    revision = Whole("Grows with each change.")
    created_at = Time("When it was written.")
    reviewed_at = Time("When it was decided.", allow_none=True)


class GenerationQuery(PageQuery):
    """Which variations to list."""

    state = Name("Only in this state.", *STATES)
    operation_id = identifier("Only of this operation.")
    label = Text("Only with this label.", most=64)


class DecisionSchema(Request):
    """What to do with a variation."""

    decision = Name(
        "accept keeps it, edit replaces the text, relabel its label, reject drops it.",
        *DECISIONS,
        required=True,
    )
    text = Text("The text that replaces it (edit).", **limit("max_text_chars"))
    labels = Items(Text("Class id.", most=64), "The classes that replace its own.", most=200)
    reason = Text("Why.", most=2_000, blank=True)

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        labels = data.pop("labels", None)
        return {**data, "labels": None if labels is None else tuple(labels)}


class BulkDecisionSchema(DecisionSchema):
    """What to do with one of many variations."""

    generation_id = identifier("The variation.", required=True)
    expected_revision = Whole("Refuse when it changed since this revision.")

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        labels = data.pop("labels", None)
        return ReviewDecision(**data, labels=None if labels is None else tuple(labels))


class ReviewRequestSchema(Request):
    """Decisions on many variations."""

    decisions = Items(
        Nested(BulkDecisionSchema), "The decisions.", least=1, most=500, required=True
    )
    mode = Name(
        "atomic: all or none; partial: what can be decided is.",
        "partial",
        "atomic",
        load_default="partial",
    )


class ReviewRowSchema(Answer):
    """What became of one decision."""

    index = Whole("Its place in the request.")
    generation_id = identifier("The variation.")
    state = Name("Its state now.", *STATES, allow_none=True)
    revision = Whole("Its revision now.", allow_none=True)
    error = Nested(FieldErrorSchema, "Why it was refused.", allow_none=True)


class ReviewResultSchema(Answer):
    """What became of the decisions."""

    accepted = Whole("Rows accepted.")
    edited = Whole("Rows edited or relabelled.")
    rejected = Whole("Rows rejected.")
    failed = Whole("Decisions refused.")
    results = Items(Nested(ReviewRowSchema), "One per decision, in order.", dump_only=True)


GenerationPageSchema = page_of(GenerationSchema)
