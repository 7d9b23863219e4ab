"""Leases: items that people hold, as those people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from marshmallow import post_load

from api.schemas.adjudication import MessageSchema
from api.schemas.documents import Answer, Request
from api.schemas.fields import Items, Name, Nested, Object, Text, Time, Whole, identifier
from core.people import FlagReason
from core.records import ItemState, Session
from core.rounds.lease import MOST_AT_ONCE, TTL_S, Claimed, ClaimRequest, Lease, Reason
from core.showing import context_of, shown_metadata

STATES = get_args(ItemState)
SECONDS: Final = {"least": TTL_S[0], "most": TTL_S[1]}


class ClaimRequestSchema(Request):
    """What somebody who labels asks for."""

    count = Whole("How many items at most.", least=1, most=MOST_AT_ONCE, load_default=1)
    ttl_s = Whole("Seconds to hold them; the session's by default.", **SECONDS)
    batch_id = identifier("Only of this batch.")
    languages = Items(
        Text("A language tag.", most=35), "Only items in these.", most=50, load_default=list
    )
    avoid_topics = Items(
        Text("A topic.", most=100), "No items with these topics.", most=50, load_default=list
    )

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> ClaimRequest:
        languages, topics = tuple(data.pop("languages")), tuple(data.pop("avoid_topics"))
        return ClaimRequest(**data, languages=languages, avoid_topics=topics)


class LeasedItemSchema(Answer):
    """What a person sees of an item: never a score, a cluster, or what others answered."""

    id = identifier("The item.")
    external_id = Text("Your id for it.")
    text = Text("The text.")
    lang = Text("BCP 47 language tag.", allow_none=True)
    context = Items(Nested(MessageSchema), "The messages before it, in order.", dump_only=True)
    metadata = Object("The facts that the session shows to people.")


class AssignmentSchema(Answer):
    """An item in a person's hands."""

    id = identifier("The assignment; it stays the same when the item is claimed again.")
    lease_token = Text("Goes with the answer; each claim gives a new one.")
    expires_at = Time("Until when it is held.")
    ttl_s = Whole("How long it is held from now.")
    item = Nested(LeasedItemSchema)
    guidelines_version = Whole("The guidelines in force.")


class ClaimedSchema(Answer):
    """What a claim gave, or why it gave nothing."""

    assignments = Items(Nested(AssignmentSchema), "The items.", dump_only=True)
    reason = Name(
        "Why there are none: none_left (you had them all), all_leased (others hold them), quota "
        "(enough for a day), break_due (time for a pause).",
        *get_args(Reason),
        allow_none=True,
    )
    retry_after_s = Whole("When to ask again.", allow_none=True)


class HeartbeatSchema(Request):
    """Hold it longer."""

    lease_token = Text("The lease's token.", most=128, required=True)
    ttl_s = Whole("Seconds from now; the session's by default.", load_default=None, **SECONDS)


class HeldSchema(Answer):
    """A lease that goes on."""

    id = identifier("The assignment.")
    expires_at = Time("Until when it is held now.")


class ReleaseSchema(Request):
    """Hand it back."""

    lease_token = Text("The lease's token.", most=128, required=True)


class SkipSchema(Request):
    """Decline it."""

    lease_token = Text("The lease's token.", most=128, required=True)
    reason = Text("Why.", most=200, blank=True, allow_none=True, load_default=None)


class SkippedSchema(Answer):
    """Where that left the item."""

    item_state = Name("Where the item is now.", *STATES)


class FlagSchema(Request):
    """Say what is wrong with it."""

    lease_token = Text("The lease's token.", most=128, required=True)
    reason = Name("What is wrong.", *get_args(FlagReason), required=True)
    note = Text(
        "A remark, never the text itself.",
        most=2_000,
        blank=True,
        allow_none=True,
        load_default=None,
    )


class FlaggedSchema(SkippedSchema):
    """The flag, and where that left the item."""

    flag_id = identifier("The flag.")


def claimed_document(session: Session, claimed: Claimed) -> Mapping[str, Any]:
    """A claim's answer: only what a person who labels may know."""
    shown = session.settings.people.metadata_shown
    return {
        "assignments": [_assignment(session, lease, shown) for lease in claimed.leases],
        "reason": claimed.reason,
        "retry_after_s": claimed.retry_after_s,
    }


def _assignment(session: Session, lease: Lease, shown: Sequence[str]) -> Mapping[str, Any]:
    item = lease.item
    return {
        "id": lease.assignment.id,
        "lease_token": lease.token,
        "expires_at": lease.assignment.expires_at,
        "ttl_s": lease.ttl_s,
        "item": {
            "id": item.id,
            "external_id": item.external_id,
            "text": item.text,
            "lang": item.lang,
            "context": context_of(item.metadata),
            "metadata": shown_metadata(item.metadata, shown),
        },
        "guidelines_version": session.guidelines_version,
    }
