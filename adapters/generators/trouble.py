"""What went wrong with an attempt: whether to try again, when, and whether it may be billed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

from adapters.deadline import AnswerCompressed, AnswerTooLarge

RETRYABLE: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
GATEWAY: Final = frozenset(range(500, 529))
SERVER_ERRORS: Final = frozenset(range(500, 529))
BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 8.0
MAX_RETRY_AFTER_S: Final = 20.0
"""A provider that asks for a longer pause is not asked again within the call."""

_NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One failed attempt. ``billable`` when the provider may have done the work."""

    category: str
    retryable: bool
    billable: bool
    unreadable: bool = False
    retry_after: float | None = None
    request_id: str | None = None


def transport_trouble(cause: BaseException | None, *, timed_out: bool) -> Trouble:
    """Sort what went wrong on the way, with no answer of the provider's."""
    if isinstance(cause, AnswerTooLarge | AnswerCompressed):
        kind = "answer_too_large" if isinstance(cause, AnswerTooLarge) else "answer_compressed"
        return Trouble(category=kind, retryable=False, billable=True, unreadable=True)
    if isinstance(cause, _NOT_SENT):
        return Trouble(category="connection_error", retryable=True, billable=False)
    kind = "timeout" if timed_out else "connection_lost"
    return Trouble(category=kind, retryable=True, billable=True)


def pause_before(attempt: int, *, trouble: Trouble, chance: float) -> float | None:
    """Seconds to wait before attempt number ``attempt`` (2, 3, ...); None = do not try.

    ``chance`` in [0, 1) shortens the back-off by up to a quarter and lengthens a
    Retry-After by up to a tenth, so that callers refused together do not return together.
    """
    if trouble.retry_after is None:
        return float(min(MAX_BACKOFF_S, BACKOFF_S * 2 ** (attempt - 2)) * (1 - chance / 4))
    if trouble.retry_after > MAX_RETRY_AFTER_S:
        return None
    return max(trouble.retry_after * (1 + chance / 10), BACKOFF_S / 2)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the provider asks to wait: milliseconds, seconds or a date; None if unsaid."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    return seconds if seconds is not None else _until(value, now=headers.get("date"))


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _until(value: str | None, *, now: str | None) -> float | None:
    """Both dates are the server's, so its clock may be wrong and the difference right."""
    try:
        gap = parsedate_to_datetime(value or "") - parsedate_to_datetime(now or "")
    except (ValueError, TypeError):
        return None
    return max(0.0, gap.total_seconds())
