"""Webhooks as the core knows them: who wants to hear, and what became of each message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    ``session_id`` None = a test message, which is in no session's feed.
    """

    id: str
    tenant_id: str
    session_id: str | None
    endpoint_id: str
    event_id: str
    type: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    locked_until: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One signing secret, ``whsec_`` and base64; it signs until ``until``, None = for good."""

    text: str = field(repr=False)
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt came to: the status answered, or the code of why there was none.

    ``retry_after`` are the seconds the receiver asked for.
    """

    status: int | None = None
    error: str | None = None
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Only 2xx counts; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a callback URL stands for: one batch, one endpoint, until then."""

    endpoint_id: str
    session_id: str
    batch_id: str
    expires_at: datetime


def signing(secrets: Sequence[Secret], *, now: datetime) -> list[str]:
    """The secrets that count now: the newest first, then those whose overlap still runs."""
    return [secret.text for secret in secrets if secret.until is None or secret.until > now]
