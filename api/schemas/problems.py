"""Problem documents (RFC 9457), as every refusal is answered."""

from __future__ import annotations

from api.schemas.documents import Answer
from api.schemas.fields import Flag, Items, Nested, Text, Whole


class FieldErrorSchema(Answer):
    """One refused field."""

    pointer = Text("JSON pointer into the body; ``?name`` for a query parameter.", blank=True)
    code = Text("Stable slug.", example="unknown-field")
    detail = Text("A sentence for people.", most=2_000)


class ProblemSchema(Answer):
    """Why a request was refused. Some codes add typed members of their own."""

    type = Text("URI of this kind of problem.", example="urn:tailwise:problem:unknown-field")
    title = Text("The kind of problem in words.")
    status = Whole("The HTTP status.", least=100, most=599)
    detail = Text("What was wrong with this request; never quotes texts.", most=5_000)
    instance = Text("The path that was asked.", most=2_000)
    code = Text("Stable slug to branch on.", example="unknown-field")
    request_id = Text("Quote it when reporting.")
    retryable = Flag("Whether the same request may succeed later.")
    errors = Items(Nested(FieldErrorSchema), "Every refused field.", dump_only=True)
