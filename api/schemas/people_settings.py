"""How people label a session: several answers, checks, leases, pauses, what they see."""

from __future__ import annotations

from typing import Any

from marshmallow import post_load

from api.schemas.documents import Request
from api.schemas.fields import Flag, Items, Name, Real, Text, Whole
from core.records import PeopleSettings

GIVEN = PeopleSettings()


class PeopleSettingsSchema(Request):
    """How people label."""

    overlap = Whole(
        "How many different people answer each item.",
        least=1,
        most=10,
        load_default=GIVEN.overlap,
    )
    double_share = Real(
        "Share of items that a second person answers where overlap is 1.",
        least=0,
        most=1,
        load_default=GIVEN.double_share,
    )
    resolution = Name(
        "majority: a tie goes to an adjudicator; unanimous: any difference does; "
        "adjudicate: every item answered more than once does.",
        "majority",
        "unanimous",
        "adjudicate",
        load_default=GIVEN.resolution,
    )
    check_share = Real(
        "Share of check items among what a person is given.",
        least=0,
        most=0.5,
        load_default=GIVEN.check_share,
    )
    skip_limit = Whole(
        "How many people skip an item before it is taken out.",
        least=1,
        most=10,
        load_default=GIVEN.skip_limit,
    )
    lease_s = Whole(
        "Seconds an item is held by default.", least=30, most=3_600, load_default=GIVEN.lease_s
    )
    batch_hours = Real(
        "Hours a batch waits for answers; null waits for ever.",
        above=0,
        most=8_760,
        allow_none=True,
        load_default=GIVEN.batch_hours,
    )
    break_after_minutes = Real(
        "Minutes of work before a pause; null for none.",
        above=0,
        most=1_440,
        allow_none=True,
        load_default=GIVEN.break_after_minutes,
    )
    break_after_items = Whole(
        "Items before a pause; null for none.",
        least=1,
        most=100_000,
        allow_none=True,
        load_default=GIVEN.break_after_items,
    )
    break_minutes = Real(
        "How long a pause is.", above=0, most=1_440, load_default=GIVEN.break_minutes
    )
    daily_items = Whole(
        "Items a person gets in 24 hours; null for no limit.",
        least=1,
        most=100_000,
        allow_none=True,
        load_default=GIVEN.daily_items,
    )
    hide_text = Flag("Texts stay hidden until the person reveals them.", load_default=False)
    greyscale = Flag("Pages without colour.", load_default=False)
    metadata_shown = Items(
        Text("A metadata key.", most=200),
        "The metadata a person sees beside a text.",
        most=50,
        load_default=list,
    )
    support_text = Text(
        "What to do when a text weighs on somebody.",
        most=2_000,
        blank=True,
        load_default=GIVEN.support_text,
    )
    support_url = Text(
        "Where help is found.",
        most=2_000,
        blank=True,
        pattern=r"^(https://\S+)?$",
        load_default=GIVEN.support_url,
    )

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> PeopleSettings:
        shown = tuple(data.pop("metadata_shown"))
        return PeopleSettings(**data, metadata_shown=shown)
