"""Sessions: the label schema, every choice with its default, and what can be done next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from marshmallow import ValidationError, post_load, pre_dump

from api.schemas.components import ChoiceField
from api.schemas.documents import OBJECT, Answer, Request
from api.schemas.fields import (
    Flag,
    Items,
    Name,
    Nested,
    Object,
    Real,
    Text,
    Time,
    Whole,
    identifier,
    shape,
)
from api.schemas.operations import OperationSchema
from api.schemas.pages import PageQuery, page_of
from api.schemas.people_settings import PeopleSettingsSchema
from api.schemas.task import TaskSchema
from core.records import Budget, Retention, SessionSettings, SessionState
from core.requests import NewSession, Phase, SessionOverview

GIVEN = SessionSettings()
VERBS: Mapping[str, tuple[str, str]] = {
    "cancel": ("POST", "/batches/{batch}/cancel"),
    "review": ("POST", "/generations/review"),
    "export": ("POST", "/exports"),
    "delete": ("DELETE", ""),
}
"""Verbs whose path is not simply their name."""
STATES = get_args(SessionState)


class BudgetSchema(Request):
    """Limits of a session; null is unlimited."""

    labels = Whole("How many answers may be bought.", allow_none=True, load_default=None)
    dollars = Real("What generation may cost.", least=0, allow_none=True, load_default=None)

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> Budget:
        return Budget(**data)


class RetentionSchema(Request):
    """How long a session is kept."""

    items_days = Whole(
        "Days after closing until the session is deleted with its texts; null keeps it.",
        least=1,
        most=36_500,
        allow_none=True,
        load_default=GIVEN.retention.items_days,
    )
    hold = Flag("Legal hold: nothing of the session can be deleted.", load_default=False)

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> Retention:
        return Retention(**data)


class SettingsSchema(Request):
    """Every choice of a session."""

    encoder = ChoiceField("Texts to vectors; fixed once indexed.", load_default=GIVEN.encoder)
    clusterer = ChoiceField("Vectors to clusters.", load_default=GIVEN.clusterer)
    recluster_growth = Real(
        "Share of new texts since the last clustering at which clusters are fitted again.",
        least=0,
        most=1_000,
        load_default=GIVEN.recluster_growth,
    )
    strategy = ChoiceField("How a batch is chosen.", load_default=GIVEN.strategy)
    batch_size = Whole("Items per batch.", least=1, most=100_000, load_default=GIVEN.batch_size)
    min_distance = Real(
        "Cosine distance below which two texts are near-duplicates within a batch.",
        least=0,
        most=2,
        load_default=GIVEN.min_distance,
    )
    learner = ChoiceField("What is trained.", load_default=GIVEN.learner)
    min_per_class = Whole(
        "Labels a class needs to be trained on.",
        least=1,
        most=1_000_000,
        load_default=GIVEN.min_per_class,
    )
    holdout = Real(
        "Share of human labels held out for evaluation where there are no test rows.",
        least=0,
        most=0.9,
        load_default=GIVEN.holdout,
    )
    activate = Name(
        "When a new model becomes active.",
        "auto",
        "if_better",
        "manual",
        load_default=GIVEN.activate,
    )
    generator = ChoiceField(
        "Who writes variations; auto takes the best that is configured.",
        load_default=GIVEN.generator,
    )
    template = Text("The prompt template.", most=64, load_default=GIVEN.template)
    variations = Whole("Variations per seed.", least=1, most=100, load_default=GIVEN.variations)
    review = Name(
        "manual: people decide every row; screened: rows that pass the screens are accepted.",
        "manual",
        "screened",
        load_default=GIVEN.review,
    )
    review_sample = Real(
        "Share of screened rows that people see all the same.",
        least=0,
        most=1,
        load_default=GIVEN.review_sample,
    )
    generated_weight = Real(
        "A generated row's weight in training, where a human one has 1.",
        least=0,
        most=1,
        load_default=GIVEN.generated_weight,
    )
    generated_cap = Real(
        "Largest weight of a class's generated rows, as a multiple of its human rows'.",
        least=0,
        most=1_000,
        load_default=GIVEN.generated_cap,
    )
    oracle = ChoiceField("Who answers: human, gold or a plug-in.", load_default=GIVEN.oracle)
    seed = Whole(
        "Same pool, same labels and same seed give the same batches.",
        most=2**31 - 1,
        load_default=GIVEN.seed,
    )
    budget = Nested(BudgetSchema, "Limits.", load_default=GIVEN.budget)
    people = Nested(PeopleSettingsSchema, "How people label.", load_default=GIVEN.people)
    retention = Nested(RetentionSchema, "How long it is kept.", load_default=GIVEN.retention)

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> SessionSettings:
        return SessionSettings(**data)


class NewSessionSchema(Request):
    """A session as it is asked for; only name and task are needed."""

    name = Text("What people call it.", required=True, example="Safety triage")
    task = Nested(TaskSchema, required=True)
    guidelines = Text(
        "Instructions for labelling, in Markdown; versioned.",
        most=100_000,
        blank=True,
        load_default="",
    )
    settings = Nested(SettingsSchema, load_default=GIVEN)

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> NewSession:
        return NewSession(**data)


class SessionPatchSchema(Request):
    """A merge patch (RFC 7396): what is absent stays, null goes back to the default.

    The document that results is what is checked, so pointers lead into it.
    """

    name = Text("What people call it.")
    task = Object("Replaces members of the task; the list of labels is replaced whole.")
    guidelines = Text("Instructions.", most=100_000, blank=True, allow_none=True)
    settings = Object("The settings to change.", allow_none=True)

    def load(self, data: Any, **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError([OBJECT])
        return dict(data)


class SessionSchema(Answer):
    """A session as stored."""

    id = identifier("Its id.", example="ses_01JD3V7Q6S0000000000000000")
    name = Text("What people call it.")
    state = Name("Stored state.", *STATES)
    task = Nested(TaskSchema)
    guidelines = Text("Instructions.", blank=True)
    guidelines_version = Whole("Grows with each change of the guidelines.")
    settings = Nested(SettingsSchema)
    revision = Whole("Grows with each change; the first part of the ETag.")
    created_at = Time("When it was made.")
    updated_at = Time("When it last changed.")


class SessionOverviewSchema(SessionSchema):
    """A session with what is computed from its content."""

    phase = Name("What to do next.", *get_args(Phase))
    counts = Object("Rows by what became of them.", metadata=shape(type="integer"))
    spent = Object("Labels bought and dollars spent.", metadata=shape(type="number"))
    round = Whole("Batches selected so far.")
    active_model_id = identifier("The model that predicts.", allow_none=True)
    open_batch_id = identifier("The batch that waits for labels.", allow_none=True)
    running = Items(Nested(OperationSchema), "Unfinished operations.", dump_only=True)
    links = Object(
        "What can be done now, by verb.",
        metadata=shape(
            type="object",
            required=["method", "href"],
            properties={"method": {"type": "string"}, "href": {"type": "string"}},
        ),
    )

    @pre_dump
    def _flatten(self, overview: SessionOverview, **_kwargs: Any) -> dict[str, Any]:
        session = {n: getattr(overview.session, n) for n in SessionSchema().fields}
        computed = set(self.fields) - set(session) - {"links"}
        return {
            **session,
            **{name: getattr(overview, name) for name in computed},
            "links": links(overview),
        }


def links(overview: SessionOverview) -> dict[str, dict[str, str]]:
    """Where each verb that the session allows now is sent."""
    base = f"/v1/sessions/{overview.session.id}"
    ways = {verb: VERBS.get(verb, ("POST", f"/{verb}")) for verb in overview.allowed}
    return {
        verb: {"method": method, "href": base + path.format(batch=overview.open_batch_id)}
        for verb, (method, path) in ways.items()
    }


class SessionQuery(PageQuery):
    """Which sessions to list."""

    state = Name("Only in this state.", *STATES)


SessionPageSchema = page_of(SessionSchema)
