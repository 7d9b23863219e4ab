"""Models, predictions, events and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A trained model. ``state``: candidate, active, archived, rejected or deleted; ``parity``
    is the largest difference between its probabilities here and in ONNX."""

    id: str
    version: int
    state: str
    classes: tuple[str, ...]
    metrics: Mapping[str, Any]
    label_watermark: int
    created_at: datetime
    round: int = 0
    learner: str = ""
    encoder_id: str = ""
    thresholds: Mapping[str, Any] | None = None
    human_counts: Mapping[str, int] = field(default_factory=dict)
    generated_counts: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    evaluated_on: str = "nothing"
    parity: float = 0.0
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One text's labels; ``scores`` are probabilities by class, ``entropy`` in nats."""

    labels: tuple[str, ...]
    scores: Mapping[str, float]
    entropy: float
    id: str | None = None
    label: str | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictResult:
    """The predictions of one model, in the order of the inputs."""

    model_id: str
    version: int
    results: tuple[Prediction, ...]
    unseen_classes: tuple[str, ...] = ()
    thresholds: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One text in the shape of a moderation service: whether each class was named, and its
    probability; ``flagged`` says whether a class was named that is not benign."""

    flagged: bool
    categories: Mapping[str, bool]
    category_scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderation:
    """What ``model`` says of texts, in their order."""

    id: str
    model: str
    results: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: ``data`` has ids and counts, and ``sequence`` orders a session's
    events. A webhook carries the same event; its id is then the webhook's id."""

    id: str
    type: str
    data: Mapping[str, Any]
    sequence: int = 0
    session_id: str | None = None
    tenant_id: str | None = None
    created_at: datetime | None = None
    timestamp: datetime | None = None
