"""Access keys: the secret is in the answer to the request that made it, and nowhere else."""

from __future__ import annotations

from api.schemas.documents import Answer, Request
from api.schemas.fields import Items, Name, Text, Time, identifier
from api.schemas.pages import PageQuery, page_of
from core.access import SCOPES


class NewKeySchema(Request):
    """A key to make."""

    name = Text("What it is for.", required=True, example="labelling console")
    scopes = Items(
        Name("A scope.", *sorted(SCOPES)),
        "What it may do; admin may do everything.",
        most=len(SCOPES),
        required=True,
    )
    session_id = identifier(
        "Bind it to one session, the only one it will see.", allow_none=True, load_default=None
    )


class KeySchema(Answer):
    """A key without its secret."""

    id = identifier("Its id.", example="key_01JD3V7Q6S0000000000000000")
    name = Text("What it is for.")
    scopes = Items(Name("A scope.", *sorted(SCOPES)), "What it may do.", dump_only=True)
    session_id = identifier("The one session it sees.", allow_none=True)
    created_at = Time("When it was made.")
    revoked_at = Time("When it was revoked.", allow_none=True)


class MintedKeySchema(KeySchema):
    """A new key with its token, shown this once."""

    token = Text("Send it as a bearer token; it is stored nowhere.")


class KeyQuery(PageQuery):
    """Which keys to list."""


KeyPageSchema = page_of(KeySchema)
