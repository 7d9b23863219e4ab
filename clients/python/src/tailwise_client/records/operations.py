"""Work that takes a while, and what a page or a file transfer says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far something is: ``done`` of ``total`` in this phase; total 0 = not known."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A job of the service. ``state``: queued, running, succeeded, failed or cancelled;
    ``error`` is the problem that ended it."""

    id: str
    kind: str
    session_id: str
    state: str
    done: bool
    created_at: datetime
    progress: Progress
    attempt: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    cancel_requested: bool = False
