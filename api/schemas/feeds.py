"""Events, exports and the numbers of a session."""

from __future__ import annotations

from typing import Any

from marshmallow import pre_dump
from webargs.fields import DelimitedList

from api.schemas.documents import Answer, Request
from api.schemas.fields import Flag, Name, Object, Text, Time, Whole, identifier
from api.schemas.pages import FeedQuery, feed_of
from core.envelopes import envelope
from core.records import Event

MOST_TYPES = 50
EVENT_TYPE = r"^[a-z][a-z_.]{0,63}$"


class EventSchema(Answer):
    """Something that happened; ids and counts, never texts."""

    id = identifier("Its id, and a webhook's webhook-id.", example="evt_01JD3V7Q6S000000000_1")
    sequence = Whole("Its place in the session's sequence.")
    type = Text("What happened.", example="batch.completed")
    timestamp = Text("When it happened, as in a webhook's body.")
    tenant_id = Text("Whose it is.")
    session_id = identifier("The session.")
    created_at = Time("When it happened.")
    data = Object("Ids, counts and URLs, with session_id and sequence, as in a webhook's body.")

    @pre_dump
    def _enveloped(self, event: Event, **_kwargs: Any) -> dict[str, Any]:
        """``type``, ``timestamp``, ``tenant_id`` and ``data`` are the webhook's document."""
        own = ("id", "sequence", "session_id", "created_at")
        return {**{name: getattr(event, name) for name in own}, **envelope(event)}


class EventQuery(FeedQuery):
    """Which events to list."""

    types = DelimitedList(
        Text("An event type.", pattern=EVENT_TYPE),
        metadata={"description": "Only these types, separated by commas.", "maxItems": MOST_TYPES},
        validate=lambda types: len(types) <= MOST_TYPES,
    )


class ExportRequestSchema(Request):
    """What to take away."""

    what = Name(
        "labels: every label event; training: current answers and usable variations.",
        "labels",
        "training",
        required=True,
    )
    format = Name(
        "CSV cells that look like formulas are defused; hf is a zipped folder with a data card "
        "and splits, for what=training.",
        "jsonl",
        "csv",
        "parquet",
        "hf",
        required=True,
    )
    licence = Text(
        "Licence of the texts, written into the data card.",
        most=64,
        pattern=r"^[a-z0-9][a-z0-9.-]*$",
        example="cc-by-4.0",
    )
    include_text = Flag(
        "With the texts; needs the scope content:read. Default: whatever the key may.",
        allow_none=True,
        load_default=None,
    )


EventFeedSchema = feed_of(EventSchema)
