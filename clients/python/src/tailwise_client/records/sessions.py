"""Sessions: what is labelled, by which rules, and where the loop stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tailwise_client.records.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelClass:
    """One class that an item may be given."""

    id: str
    name: str = ""
    definition: str = ""
    examples: tuple[str, ...] = ()
    target_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is asked of each item; ``type`` is single or multi."""

    type: str = "single"
    labels: tuple[LabelClass, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session at a glance. ``phase`` says what to do next: needs_items, indexing,
    ready_to_select, labelling, reviewing, ready_to_retrain, training, budget_exhausted,
    paused or closed; listings leave it and what follows it out."""

    id: str
    name: str
    state: str
    task: Task
    created_at: datetime
    updated_at: datetime
    guidelines: str = ""
    guidelines_version: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    revision: int
    phase: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    spent: Mapping[str, float] = field(default_factory=dict)
    round: int = 0
    active_model_id: str | None = None
    open_batch_id: str | None = None
    running: tuple[Operation, ...] = ()
