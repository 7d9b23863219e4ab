"""Webhook endpoints, what was sent to them, and what is sent back."""

from __future__ import annotations

from datetime import UTC
from typing import Any, get_args

from marshmallow import ValidationError, post_load

from api.schemas.documents import Answer, Request
from api.schemas.feeds import EVENT_TYPE, MOST_TYPES
from api.schemas.fields import Items, Name, Nested, Text, Time, Whole, identifier
from api.schemas.labels import NewLabelSchema
from api.schemas.limits import limit
from api.schemas.pages import PageQuery, page_of
from api.schemas.refusals import Refusal
from core.rounds.webhooks import NewEndpoint
from core.webhooks import DeliveryState

NO_TIME = Refusal("this lies before or after all time", code="out-of-range")
LONGEST_URL = 2_048
LONGEST_DESCRIPTION = 500
PAYLOADS = ("thin", "full")
STATES = ("enabled", "disabled")
URL = "An https URL on the open internet, port 443 or 8443."
DESCRIPTION = "What it is for."
TYPES = "Event types it hears of; none = all."
PAYLOAD = "full: batch.ready carries the texts of its items; needs the scope content:read."


class NewEndpointSchema(Request):
    """Who is to hear of what."""

    url = Text(URL, most=LONGEST_URL, required=True, example="https://example.com/tailwise")
    description = Text(DESCRIPTION, most=LONGEST_DESCRIPTION, blank=True, load_default="")
    types = Items(
        Text("An event type.", pattern=EVENT_TYPE), TYPES, most=MOST_TYPES, load_default=list
    )
    session_id = identifier(
        "Only events of this session; null = of every session.", allow_none=True, load_default=None
    )
    payload = Name(PAYLOAD, *PAYLOADS, load_default="thin")

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> NewEndpoint:
        return NewEndpoint(**{**data, "types": tuple(data["types"])})


class EndpointPatchSchema(Request):
    """What to change about an endpoint."""

    url = Text(URL, most=LONGEST_URL)
    description = Text(DESCRIPTION, most=LONGEST_DESCRIPTION, blank=True)
    types = Items(Text("An event type.", pattern=EVENT_TYPE), TYPES, most=MOST_TYPES)
    payload = Name(PAYLOAD, *PAYLOADS)
    state = Name("enabled again, or disabled: then nothing is sent.", *STATES)

    @post_load
    def _tuples(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "types": tuple(data["types"])} if "types" in data else data


class EndpointSchema(Answer):
    """A webhook endpoint without its secret."""

    id = identifier("Its id.", example="whe_01JD3V7Q6S0000000000000000")
    url = Text(URL)
    description = Text(DESCRIPTION, blank=True)
    types = Items(Text("An event type."), TYPES, dump_only=True)
    session_id = identifier("The one session it hears of; null = all.", allow_none=True)
    payload = Name(PAYLOAD, *PAYLOADS)
    state = Name("Whether it is sent to.", *STATES)
    disabled_reason = Text(
        "gone: it answered 410; failing: five days without a success; by-hand.", allow_none=True
    )
    failing_since = Time("The first failure after its last success.", allow_none=True)
    created_at = Time("When it was made.")


class EndpointSecretSchema(EndpointSchema):
    """An endpoint with a new secret, shown this once."""

    secret = Text("Verify messages with it; kept sealed here, and never shown again.")


class EndpointQuery(PageQuery):
    """Which endpoints to list."""


class DeliverySchema(Answer):
    """One message for one endpoint. What the receiver answered is not kept."""

    id = identifier("Its id.", example="dlv_019ac1f2a3b4c5d6e7f8a9b0c1")
    endpoint_id = identifier("The endpoint.")
    event_id = identifier("The event, and the webhook-id of every attempt.")
    session_id = identifier("The session; null for a test message.", allow_none=True)
    type = Text("The event's type.", example="batch.ready")
    state = Name("What became of it.", *get_args(DeliveryState))
    attempts = Whole("How often it was tried.")
    next_attempt_at = Time("When it is tried next, where it is pending.")
    last_status = Whole("The status that was answered last.", allow_none=True)
    last_error = Text("Why the last attempt failed, as a code.", allow_none=True)
    created_at = Time("When the event happened.")
    delivered_at = Time("When it was delivered.", allow_none=True)


class DeliveryQuery(PageQuery):
    """Which deliveries to list."""

    state = Name("Only these.", *get_args(DeliveryState))


class RecoverSchema(Request):
    """From when to send again."""

    since = Time("Messages made since then.", required=True)

    @post_load
    def _in_utc(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        try:
            return {"since": data["since"].astimezone(UTC)}
        except OverflowError:
            raise ValidationError([NO_TIME], "since") from None


class RecoveredSchema(Answer):
    """What will be sent again."""

    requeued = Whole("Messages, dead or discarded, that wait to be sent now.")


class CallbackSchema(Request):
    """Answers to one batch."""

    labels = Items(
        Nested(NewLabelSchema), "The answers.", least=1, required=True, **limit("max_labels")
    )
    annotator_id = Text("Who answered; the endpoint where it is not given.", most=128)
    mode = Name(
        "atomic: all answers or none; partial: the good ones are stored.",
        "partial",
        "atomic",
        load_default="partial",
    )


EndpointPageSchema = page_of(EndpointSchema)
DeliveryPageSchema = page_of(DeliverySchema)
