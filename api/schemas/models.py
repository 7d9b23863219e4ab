"""Models: trained, listed, activated; and what they predict."""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import post_load

from api.schemas.documents import Answer, Query, Request
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
from api.schemas.limits import limit
from api.schemas.pages import PageQuery, page_of
from core.records import ModelState
from core.requests import RetrainRequest


class RetrainRequestSchema(Request):
    """How to train; null or absent means the session's setting."""

    include_generated = Flag("Train on accepted variations too.", load_default=True)
    generated_weight = Real(
        "Their weight, where a human row has 1.",
        least=0,
        most=1,
        allow_none=True,
        load_default=None,
    )
    activate = Name(
        "When the new model becomes active.",
        "auto",
        "if_better",
        "manual",
        allow_none=True,
        load_default=None,
    )
    min_per_class = Whole(
        "Labels a class needs.", least=1, most=1_000_000, allow_none=True, load_default=None
    )
    seed = Whole("Repeats a training.", most=2**31 - 1, allow_none=True, load_default=None)
    force = Flag("Train although nothing is new.", load_default=False)

    @post_load
    def _record(self, data: dict[str, Any], **_kwargs: Any) -> RetrainRequest:
        return RetrainRequest(**data)


class RetrainQuery(Query):
    """What to do while another training runs."""

    if_running = Name(
        "refuse answers 409, join answers with the training that runs.",
        "refuse",
        "join",
        load_default="refuse",
    )


class ModelSchema(Answer):
    """A trained head; only its state changes."""

    id = identifier("Its id.", example="mdl_01JD3V7Q6S0000000000000000")
    version = Whole("Counts up within the session.")
    round = Whole("The round it was trained after.")
    state = Name("The active one predicts.", *get_args(ModelState))
    learner = Text("What was trained.")
    encoder_id = Text("The encoder of its input.")
    classes = Items(Text("Class id."), "The order of its probabilities.", dump_only=True)
    thresholds = Object(
        "A multi-label model names a class from this probability on; null where the most "
        "probable class is the answer.",
        metadata=shape(type="number"),
        allow_none=True,
    )
    onnx = Text("sha256 of the ONNX head.")
    label_watermark = Whole("It saw labels up to this sequence number.")
    human_counts = Object("Human rows by class.", metadata=shape(type="integer"))
    generated_counts = Object("Generated rows by class.", metadata=shape(type="integer"))
    parameters = Object("What was fitted with.")
    metrics = Object("How well it does; empty where nothing could be held out.")
    evaluated_on = Name("On which rows.", "test", "holdout", "nothing")
    parity = Real("Largest difference between ONNX and the training library.")
    revision = Whole("Grows when its state changes.")
    created_at = Time("When it was trained.")


class ModelQuery(PageQuery):
    """Which models to list."""


class PredictInputSchema(Request):
    """One text to judge."""

    id = Text("Your id, given back.", most=128)
    text = Text("The text; not stored.", required=True, **limit("max_text_chars"))


class PredictRequestSchema(Request):
    """Texts to judge by the active model, or by another one."""

    inputs = Items(
        Nested(PredictInputSchema), "The texts.", least=1, required=True, **limit("max_predict")
    )
    model = Text("``active`` or a model's id.", most=64, load_default="active")


class PredictionSchema(Answer):
    """One text judged."""

    id = Text("Your id.", allow_none=True)
    label = Text("The most probable class; null in a multi-label session.", allow_none=True)
    labels = Items(
        Text("Class id."),
        "The classes the model names: the most probable one, or those that reach their "
        "threshold, possibly none.",
        dump_only=True,
    )
    scores = Object("Probability of every class.", metadata=shape(type="number"))
    entropy = Real("Uncertainty in nats; in a multi-label session the mean over classes.")
    truncated = Flag("Whether the text was longer than the encoder reads.")


class PredictResultSchema(Answer):
    """Texts judged, in order."""

    model_id = identifier("The model that judged.")
    version = Whole("Its version.")
    unseen_classes = Items(Text("Class id."), "Classes it never saw.", dump_only=True)
    thresholds = Object(
        "The model's threshold of each class; null in a single-label session.",
        metadata=shape(type="number"),
        allow_none=True,
    )
    results = Items(Nested(PredictionSchema), "One per input.", dump_only=True)


ModelPageSchema = page_of(ModelSchema)
