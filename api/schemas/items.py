"""Items of the pool. Gold labels come in and never go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from marshmallow import fields

from api.schemas.documents import UNKNOWN, Answer, Request
from api.schemas.fields import COMMON, Items, Name, Nested, Object, Text, Time, Whole, identifier
from api.schemas.limits import limit
from api.schemas.operations import OperationSchema
from api.schemas.pages import PageQuery, page_of
from api.schemas.problems import FieldErrorSchema
from api.schemas.refusals import Refusal, pointer_of
from core.errors import FieldError, InvalidInput
from core.ingest_rules import MAX_ID_CHARS, MAX_LANG_CHARS, check_row
from core.records import SPLITS, ItemState, Labels, NewItem, Task

STATES = get_args(ItemState)
ROW_STATES = ("created", "updated", "unchanged", "skipped", "rejected")


class GoldField(fields.Field[Labels | None]):
    """A class id, or a list of one; in a multi-label session a list of any length."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be a class id or a list of them", code="invalid-type"),
    }

    def __init__(self, **options: Any) -> None:
        one = {"type": "string", "minLength": 1, "maxLength": 64}
        shapes = [one, {"type": "array", "items": one, "maxItems": 200}, {"type": "null"}]
        description = (
            "The known answer; never shown. A class id or a list of one; in a multi-label "
            "session a list, where [] says that none of the classes applies."
        )
        metadata = {"description": description, "anyOf": shapes}
        super().__init__(metadata=metadata, allow_none=True, load_only=True, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Labels | None:
        del attr, data, kwargs
        given = value if isinstance(value, list) else [value]
        if not all(isinstance(label, str) for label in given):
            raise self.make_error("invalid")
        return tuple(given)


class NewItemSchema(Request):
    """A row that wants to enter the pool."""

    text = Text("The text.", required=True, **limit("max_text_chars"))
    external_id = Text(
        "Your id for it; without one the text's hash is taken.",
        most=MAX_ID_CHARS,
        allow_none=True,
    )
    split = Name(
        "pool: may be selected; test: evaluation only; reserve: for simulation only.",
        *SPLITS,
        allow_none=True,
        load_default="pool",
    )
    gold = GoldField()
    lang = Text("BCP 47 language tag.", most=MAX_LANG_CHARS, allow_none=True)
    metadata = Object("Your own facts, at most 10,000 characters as JSON.", allow_none=True)


class Rows(fields.List[Any]):
    """Rows that are checked one by one, so that partial mode can report each."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        limits = Items(fields.Raw(), "", least=1, **limit("max_items"))
        return limits.deserialize(value, attr, data, **kwargs)


class AddItemsSchema(Request):
    """Rows for the pool."""

    items = Rows(
        fields.Nested(NewItemSchema),
        required=True,
        error_messages={**COMMON},
        metadata={
            "description": "The rows.",
            "minItems": 1,
            "maxItems": limit("max_items")["documented"],
        },
    )
    on_conflict = Name(
        "What to do with a row whose external id exists with other content.",
        "error",
        "skip",
        "update",
        load_default="error",
    )
    mode = Name(
        "atomic: all rows or none; partial: good rows are stored, bad ones reported.",
        "atomic",
        "partial",
        load_default="atomic",
    )


def new_items(rows: Sequence[Any], *, task: Task, max_text_chars: int) -> list[NewItem | Exception]:
    """Each row as an item, or as the InvalidInput that says what is wrong with it."""
    return [_new_item(row, task=task, max_text_chars=max_text_chars) for row in rows]


def _new_item(row: Any, *, task: Task, max_text_chars: int) -> NewItem | InvalidInput:
    if not isinstance(row, Mapping):
        return InvalidInput.at("", "a row is an object", code="invalid-type")
    strangers = [name for name in row if name not in NewItemSchema._declared_fields]
    if strangers:
        errors = [
            FieldError(pointer=pointer_of([name]), code="unknown-field", detail=str(UNKNOWN))
            for name in strangers[:10]
        ]
        return InvalidInput(str(UNKNOWN), code="unknown-field", errors=errors)
    try:
        return check_row(
            row,
            class_ids=task.class_ids,
            multi_label=task.multi_label,
            max_text_chars=max_text_chars,
        )
    except InvalidInput as error:
        return error


class RowResultSchema(Answer):
    """What became of one row."""

    index = Whole("Its place in the request.")
    status = Name("What was done.", *ROW_STATES)
    id = identifier("The item.", allow_none=True)
    external_id = Text("Your id for it.", allow_none=True)
    error = Nested(FieldErrorSchema, "Why it was rejected.", allow_none=True)


class IngestResultSchema(Answer):
    """What became of the rows."""

    created = Whole("Rows that are new.")
    updated = Whole("Rows that changed.")
    unchanged = Whole("Rows that were there already, equal.")
    skipped = Whole("Rows that were left as they are.")
    rejected = Whole("Rows that were refused.")
    results = Items(Nested(RowResultSchema), "One per row, in order.", dump_only=True)
    operation = Nested(OperationSchema, "The indexing that follows.", allow_none=True)


class ItemPatchSchema(Request):
    """Changes of one item (merge patch); text and split are fixed once it was selected."""

    text = Text("The text.", **limit("max_text_chars"))
    split = Name("Which part it belongs to.", *SPLITS)
    gold = GoldField()
    lang = Text("BCP 47 language tag.", most=MAX_LANG_CHARS, allow_none=True)
    metadata = Object("Members to change; null removes one.", allow_none=True)
    state = Name("pooled puts it back, excluded takes it out.", "pooled", "excluded")


class ItemSchema(Answer):
    """A text of the session. ``text`` is there for keys with the scope content:read."""

    sometimes = ("text",)
    id = identifier("Its id.", example="itm_01JD3V7Q6S0000000000000000")
    external_id = Text("Your id for it.")
    position = Whole("Its row number in the session, never reused.")
    text = Text("The text.")
    split = Name("Which part it belongs to.", *SPLITS)
    state = Name("Where it is in the round.", *STATES)
    labels = Items(Text("Class id."), "Its answer.", allow_none=True, dump_only=True)
    lang = Text("BCP 47 language tag.", allow_none=True)
    metadata = Object("Your own facts.")
    revision = Whole("Grows with each change.")
    created_at = Time("When it arrived.")


class ItemQuery(PageQuery):
    """Which items to list."""

    status = Name("Only in this state.", *STATES)
    split = Name("Only of this part.", *SPLITS)
    label = Text("Only with this answer.", most=64)
    batch_id = identifier("Only of this batch.")
    q = Text("Only texts that contain this; needs the scope content:read.", most=200)


ItemPageSchema = page_of(ItemSchema)
