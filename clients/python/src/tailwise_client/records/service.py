"""The service itself: its version, limits, templates and webhook endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    name: str
    version: str
    api: str = "v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much fits into one request."""

    max_body_bytes: int
    max_items: int
    max_labels: int
    max_predict: int
    max_import_bytes: int = 0
    max_text_chars: int = 0
    max_batch: int = 0
    max_page: int = 500
    max_wait_seconds: int = 30
    requests_per_minute: int = 0
    predict_texts_per_minute: int = 0
    idempotency_hours: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A prompt for writing variations."""

    id: str
    version: int
    level: str
    system: str = field(repr=False)
    body: str = field(repr=False)
    sha256: str = ""
    builtin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that hears of events; ``types`` empty = all. ``secret`` is told only by the
    call that made it."""

    id: str
    url: str
    created_at: datetime
    description: str = ""
    types: tuple[str, ...] = ()
    session_id: str | None = None
    payload: str = "thin"
    state: str = "enabled"
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSecret:
    """The new secret; the old one signs too for a day."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one endpoint; ``state``: pending, delivered, dead or discarded."""

    id: str
    endpoint_id: str
    event_id: str
    state: str
    attempts: int
    created_at: datetime
    type: str = ""
    session_id: str | None = None
    next_attempt_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeued:
    """How many deliveries will be tried again."""

    requeued: int
