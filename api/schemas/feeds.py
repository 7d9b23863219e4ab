"""Events, exports and the numbers of a session."""

from __future__ import annotations

from webargs.fields import DelimitedList

from api.schemas.documents import Answer, Request
from api.schemas.fields import Flag, Name, Object, Text, Time, Whole, identifier
from api.schemas.pages import FeedQuery, feed_of

MOST_TYPES = 50
EVENT_TYPE = r"^[a-z][a-z_.]{0,63}$"


class EventSchema(Answer):
    """Something that happened; ids and counts, never texts."""

    id = identifier("Its id.", example="evt_01JD3V7Q6S0000000000000000")
    type = Text("What happened.", example="batch.completed")
    sequence = Whole("Its place in the session's sequence.")
    session_id = identifier("The session.")
    data = Object("Ids and counts.")
    created_at = Time("When it happened.")


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
