"""People: who is calling, invitations, and what a person may set for themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

import marshmallow

from api.schemas.documents import Answer, Request
from api.schemas.fields import (
    Flag,
    Items,
    Name,
    Nested,
    Object,
    Text,
    Time,
    Whole,
    identifier,
    shape,
)
from api.schemas.pages import PageQuery, page_of
from api.schemas.refusals import Refusal
from core.access import SCOPES
from core.people import NewInvitation, Role

ROLES = get_args(Role)
MOST_SHORTCUTS: Final = 50
ACTION = re.compile(r"[a-z][a-z0-9_-]{0,31}")
MOST_KEY: Final = 20


class PreferencesSchema(Request):
    """What a person set for themselves; what is left out is the session's or the browser's."""

    keys = Object(
        "Which key does what: the name of an action to the name of a key.",
        metadata=shape(type="string", minLength=1, maxLength=MOST_KEY),
        allow_none=True,
    )
    avoid_topics = Items(
        Text("A topic.", most=100), "Topics never to be shown.", most=50, allow_none=True
    )
    languages = Items(
        Text("A language tag.", most=35), "Only items in these.", most=50, allow_none=True
    )
    hide_text = Flag("Hide texts until they are asked for.", allow_none=True)
    blur = Flag("Blur texts until they are asked for.", allow_none=True)
    less_motion = Flag("Show no motion.", allow_none=True)
    single_keys = Flag("Act on single keys.", allow_none=True)
    greyscale = Flag("Show everything in grey.", allow_none=True)
    text_size = Whole("Percent of the usual size.", least=80, most=200, allow_none=True)
    theme = Name("Colours.", "auto", "light", "dark", allow_none=True)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """From the stored mapping alone: every mapping has an attribute named ``keys``."""
        return obj.get(attr, default)

    @marshmallow.validates("keys")
    def _few_short_names(self, keys: Mapping[str, Any] | None, **_kwargs: Any) -> None:
        pairs = (keys or {}).items()
        if len(pairs) > MOST_SHORTCUTS:
            detail = f"this takes at most {MOST_SHORTCUTS} actions"
            raise marshmallow.ValidationError([Refusal(detail, code="too-many")])
        for action, key in pairs:
            named = isinstance(key, str) and 0 < len(key) <= MOST_KEY
            if not named or not ACTION.fullmatch(action):
                detail = f"an action is like next-item, and a key has 1 to {MOST_KEY} characters"
                raise marshmallow.ValidationError([Refusal(detail, code="invalid-value")])


class OwnChangesSchema(Request):
    """What to change of oneself; a preference that is null goes back to the default."""

    name = Text("How others see this person.", most=100)
    preferences = Nested(PreferencesSchema, load_default=dict)


class MeSchema(Answer):
    """Who is calling."""

    id = identifier("The key's or the person's id; answers are stored under it.")
    name = Text("The key's or the person's name.")
    role = Name("The person's role; null for a key.", *ROLES, allow_none=True)
    scopes = Items(
        Name("A scope.", *sorted(SCOPES)), "What the caller may do, all told.", dump_only=True
    )
    session_id = identifier("The one session the caller sees.", allow_none=True)
    preferences = Nested(PreferencesSchema)


class SignInSchema(Request):
    """The token of a link."""

    token = Text("What follows the # of the link.", most=200, required=True)


class PersonSchema(Answer):
    """Somebody who may sign in, or might."""

    id = identifier("Its id.", example="per_01JD3V7Q6S0000000000000000")
    name = Text("The person's name.")
    role = Name("The person's role.", *ROLES)
    session_id = identifier("The one session the person sees.", allow_none=True)
    created_at = Time("When the first link was used.")
    revoked_at = Time("When the person was revoked.", allow_none=True)


class SignedInSchema(Answer):
    """Who signed in; the cookie is in the header."""

    person = Nested(PersonSchema)
    expires_at = Time("When the cookie ends.")


class NewInvitationSchema(Request):
    """Whom to invite; with ``person_id`` name, role and session are that person's."""

    name = Text("The person's name.", most=100, load_default=None)
    role = Name("What the person may do.", *ROLES, load_default=None)
    session_id = identifier("The one session to see.", allow_none=True, load_default=None)
    person_id = identifier("Who is to sign in again.", allow_none=True, load_default=None)
    hours = Whole("How long the link is good.", least=1, most=720, load_default=72)

    @marshmallow.post_load
    def _as_record(self, data: Mapping[str, Any], **_kwargs: Any) -> NewInvitation:
        return NewInvitation(**data)


class InvitationSchema(Answer):
    """A link, without what makes it one."""

    id = identifier("Its id.", example="inv_01JD3V7Q6S0000000000000000")
    name = Text("The person's name.")
    role = Name("What the person may do.", *ROLES)
    session_id = identifier("The one session to see.", allow_none=True)
    person_id = identifier("Who used it, or may sign in again with it.", allow_none=True)
    created_by = identifier("The key or person who made it.")
    created_at = Time("When it was made.")
    expires_at = Time("Until when it is good.")
    used_at = Time("When it was used.", allow_none=True)
    revoked_at = Time("When it was revoked.", allow_none=True)


class MintedInvitationSchema(InvitationSchema):
    """A new invitation with its link, shown this once."""

    url = Text("The link, without the host; it is stored nowhere.")


class PeopleQuery(PageQuery):
    """Which people or invitations to list."""


PersonPageSchema = page_of(PersonSchema)
InvitationPageSchema = page_of(InvitationSchema)
