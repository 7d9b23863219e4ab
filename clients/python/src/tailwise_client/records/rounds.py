"""Batches, picks, labels and generations: what a round is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tailwise_client.errors import FieldProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An item of a batch. ``rank`` from 0 or 1 is its place, ``entropy`` in nats (None before
    the first model), ``strategy`` what chose it."""

    id: str
    external_id: str
    cluster: int
    rank: int
    score: float = 0.0
    entropy: float | None = None
    strategy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterShare:
    """One cluster's part in a batch."""

    id: int
    size: int
    taken: int
    mean_entropy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Items reserved for labelling. ``state``: open, completed, cancelled, expired or
    superseded; ``shortfall`` = how many fewer than asked, with the reason. ``clusters`` is
    filled by the select that made it."""

    id: str
    round: int
    state: str
    strategy: str
    requested: int
    selected: int
    items: tuple[Pick, ...]
    created_at: datetime
    strategy_used: str = ""
    seed: int = 0
    model_id: str | None = None
    shortfall: int = 0
    shortfall_reason: str | None = None
    expires_at: datetime | None = None
    clusters: tuple[ClusterShare, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """What became of one answer: created, superseded, skipped, replayed or rejected."""

    index: int
    status: str
    label_id: str | None = None
    item_id: str | None = None
    item_state: str | None = None
    error: FieldProblem | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """An item that an oracle left to people, and why."""

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelResult:
    """What became of the answers, one row each, in order. Where an oracle was asked,
    ``escalated`` are left to people, and ``remaining`` were not asked yet: ask again."""

    accepted: int
    rejected: int
    replayed: int
    results: tuple[LabelRow, ...]
    label_watermark: int
    escalated: tuple[Escalation, ...] = ()
    remaining: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """An appended fact about an item's label."""

    id: str
    item_id: str
    kind: str
    labels: tuple[str, ...]
    created_at: datetime
    seq: int = 0
    oracle: str = ""
    annotator_id: str | None = None
    client_label_id: str | None = None
    batch_id: str | None = None
    target_id: str | None = None
    guidelines_version: int = 1
    note: str | None = field(default=None, repr=False)
    duration_ms: int | None = None
    status: str = "on_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLabel:
    """One of the caller's last answers, and whether it can still be undone."""

    label_id: str
    item_id: str
    kind: str
    labels: tuple[str, ...]
    created_at: datetime
    undoable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One check of a written text."""

    check: str
    passed: bool
    value: float | None = None
    match_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A written variation with its lineage; ``state``: proposed, accepted, edited, rejected
    or dropped. Only accepted and edited ones train."""

    id: str
    operation_id: str
    round: int
    seed_item_id: str
    labels: tuple[str, ...]
    state: str
    created_at: datetime
    revision: int = 1
    seed_label_id: str | None = None
    text: str | None = field(default=None, repr=False)
    original_text: str | None = field(default=None, repr=False)
    original_labels: tuple[str, ...] | None = None
    screens: tuple[Screen, ...] = ()
    needs_review: bool = True
    generator: str = ""
    model: str | None = None
    template_id: str = ""
    template_version: int = 1
    reviewer: str | None = None
    reason: str | None = None
    reviewed_at: datetime | None = None

    @property
    def passed(self) -> bool:
        """Whether it passed every screen."""
        return all(screen.passed for screen in self.screens)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationPlan:
    """What a generation would do and the worst it could cost, in dollars."""

    generator: str
    seeds: int
    calls: int
    variations: int
    dollars: float
    model: str | None = None
    template: str = ""
    template_version: int = 1
    by_class: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """What became of one decision."""

    index: int
    generation_id: str
    state: str | None = None
    revision: int | None = None
    error: FieldProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewResult:
    """How many decisions did what."""

    accepted: int
    edited: int
    rejected: int
    failed: int
    results: tuple[ReviewRow, ...] = ()
