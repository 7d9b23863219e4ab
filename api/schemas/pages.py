"""What every listing takes and answers."""

from __future__ import annotations

from typing import Any

from api.schemas.documents import Answer, Query
from api.schemas.fields import Flag, Items, Nested, Text, Whole

LARGEST_PAGE = 500


class PageQuery(Query):
    """A page of a listing."""

    limit = Whole("How many rows at most.", least=1, most=LARGEST_PAGE, load_default=50)
    cursor = Text("``next_cursor`` of the page before.", most=1_000)


class FeedQuery(Query):
    """A slice of a feed that is read by sequence number."""

    limit = Whole("How many rows at most.", least=1, most=LARGEST_PAGE, load_default=50)
    after = Whole("Rows with a higher sequence number than this.", load_default=0)


def page_of(schema: type[Answer]) -> type[Answer]:
    """The document of one page of ``schema`` rows."""
    members: dict[str, Any] = {
        "data": Items(Nested(schema), "The rows, in the listing's order.", dump_only=True),
        "next_cursor": Text("Pass it as ``cursor`` to go on.", most=1_000, allow_none=True),
        "has_more": Flag("Whether there is another page."),
    }
    return type(_name(schema, "Page"), (Answer,), members)


def feed_of(schema: type[Answer]) -> type[Answer]:
    """The document of one slice of a feed of ``schema`` rows."""
    members: dict[str, Any] = {
        "data": Items(Nested(schema), "The rows by sequence number.", dump_only=True),
        "next_after": Whole("Pass it as ``after`` to go on, now or when more has happened."),
        "has_more": Flag("Whether there is more already."),
    }
    return type(_name(schema, "Feed"), (Answer,), members)


def _name(schema: type[Answer], kind: str) -> str:
    return schema.__name__.removesuffix("Schema") + kind + "Schema"
