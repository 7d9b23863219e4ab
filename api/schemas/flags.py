"""Flags: what people found wrong with items, and what was decided."""

from __future__ import annotations

from typing import Any, Final, get_args

from marshmallow import post_dump, pre_dump

from api.schemas.documents import Answer, Request
from api.schemas.fields import Name, Text, Time, identifier
from api.schemas.pages import PageQuery, page_of
from core.people import FlagReason
from core.records import ItemState
from core.rounds.flags import Flagged

RESOLUTIONS: Final = ("returned", "excluded")
STATES: Final = ("open", "resolved")


class FlagRowSchema(Answer):
    """A flag. Text and remarks are there with the scope content:read; a text that may be
    illegal never is."""

    sometimes = ("text", "note")
    id = identifier("The flag.", example="flg_01JD3V7Q6S0000000000000000")
    item_id = identifier("The item.")
    external_id = Text("Your id for it; null once it is deleted.", allow_none=True)
    item_state = Name(
        "Where the item is now; null once it is deleted.", *get_args(ItemState), allow_none=True
    )
    text = Text("The text.")
    reason = Name("What is wrong.", *get_args(FlagReason))
    note = Text("Remarks of who flagged and who decided.", allow_none=True)
    annotator_id = Text("Who flagged it.")
    name = Text("That person's name; null for a key.", allow_none=True)
    state = Name("Whether it was decided.", *STATES)
    resolution = Name("What was decided.", *RESOLUTIONS, allow_none=True)
    resolved_by = Text("Who decided.", allow_none=True)
    created_at = Time("When it was flagged.")
    resolved_at = Time("When it was decided.", allow_none=True)

    @pre_dump
    def _flatten(self, found: Flagged, **_kwargs: Any) -> dict[str, Any]:
        item = found.item
        own = {name: getattr(found.flag, name) for name in found.flag.__slots__}
        return {
            **own,
            "name": found.name,
            "external_id": item.external_id if item else None,
            "item_state": item.state if item else None,
            "text": found.text,
        }

    @post_dump
    def _hide(self, document: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """A text that is not to be shown is not even named."""
        return {k: v for k, v in document.items() if k != "text" or v is not None}


class FlagQuery(PageQuery):
    """Which flags to list."""

    state = Name("Only these.", *STATES)


FlagPageSchema = page_of(FlagRowSchema)


class ResolutionSchema(Request):
    """The decision."""

    resolution = Name(
        "returned: back to where it waited; excluded: it stays out.", *RESOLUTIONS, required=True
    )
    note = Text("Why.", most=2_000, blank=True, allow_none=True, load_default=None)
