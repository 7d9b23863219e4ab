"""Webhooks as the core knows them: who wants to hear, and what became of each message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

DeliveryState: TypeAlias = Literal["pending", "delivered", "dead", "discarded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """An address that hears of events. ``types`` empty = all; ``session_id`` None = every
    session of the tenant. ``secrets`` is the sealed text of its signing secrets, which only
    the sender opens. ``failing_since`` is the first failure after the last success."""

    id: str
    tenant_id: str
    url: str
    description: str
    types: tuple[str, ...]
    session_id: str | None
    payload: Literal["thin", "full"]
    state: Literal["enabled", "disabled"]
    disabled_reason: str | None
    secrets: str
    failing_since: datetime | None
    revision: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one endpoint: the outbox row, written with the event itself.

    ``locked_until`` keeps other senders away while one tries. ``last_error`` is a code.
    """

    id: str
    tenant_id: str
    session_id: str
    endpoint_id: str
    event_id: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    locked_until: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None
