"""When a webhook is tried again, and when its endpoint is given up: the published schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from core.webhooks import Delivery, Outcome, WebhookEndpoint

MINUTE: Final = 60
HOUR: Final = 3_600
DELAYS: Final = (
    0,
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""Seconds before each attempt, counted from the one before; Standard Webhooks' own table."""

JITTER: Final = 0.2
"""A wait is lengthened by up to this share, so that a receiver that comes back is not flooded."""

LONGEST_WAIT: Final = 24 * HOUR
"""What a receiver may ask for with Retry-After, in seconds."""

FAILING: Final = timedelta(days=5)
"""After this long without one success an endpoint is disabled."""

Chance = Callable[[], float]
"""Draws from [0, 1)."""


def concluded(delivery: Delivery, outcome: Outcome, *, now: datetime, chance: Chance) -> Delivery:
    """The delivery after one more attempt: delivered, waiting for the next one, or dead."""
    tried = replace(
        delivery,
        attempts=delivery.attempts + 1,
        locked_until=None,
        last_status=outcome.status,
        last_error=None if outcome.delivered else _why(outcome),
    )
    if outcome.delivered:
        return replace(tried, state="delivered", delivered_at=now)
    if outcome.status == HTTPStatus.GONE or tried.attempts >= len(DELAYS):
        return replace(tried, state="dead")
    wait = DELAYS[tried.attempts] * (1 + JITTER * chance())
    if outcome.retry_after is not None:
        wait = max(wait, min(outcome.retry_after, LONGEST_WAIT))
    return replace(tried, next_attempt_at=now + timedelta(seconds=wait))


def reason_to_disable(endpoint: WebhookEndpoint, outcome: Outcome, *, now: datetime) -> str | None:
    """``gone`` when the receiver says so, ``failing`` after five days of failures."""
    if outcome.status == HTTPStatus.GONE:
        return "gone"
    since = endpoint.failing_since
    failing = not outcome.delivered and since is not None and now - since >= FAILING
    return "failing" if failing else None


def _why(outcome: Outcome) -> str:
    return outcome.error or f"status-{outcome.status}"
