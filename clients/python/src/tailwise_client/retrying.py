"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tailwise_client.errors import Problem
from tailwise_client.steps import Lost, Reply

REFUSED_FOR_NOW = frozenset({429, 503})
"""The service did not begin."""
AWAY = frozenset({502, 504})
"""A proxy lost the answer: what the service did is not known."""
JITTER = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How patient a client is. ``attempts`` counts the first one; waits grow from ``first_s``
    to ``most_s`` by doubling. A Retry-After longer than ``longest_s`` is not waited for.

    Where the service says when to come back, that time is kept, plus up to a quarter; where it
    does not, a wait is between half and all of the grown time, so that clients spread out.
    """

    attempts: int = 5
    first_s: float = 0.5
    most_s: float = 20.0
    longest_s: float = 120.0

    def wait_for(
        self,
        outcome: Reply | Lost,
        *,
        problem: Problem | None,
        attempt: int,
        repeatable: bool,
        chance: random.Random,
    ) -> float | None:
        """Seconds until the next attempt; None = give up. ``attempt`` counts from 1.

        ``repeatable`` False: doing it twice would not be the same as once, so it is sent again
        only where the service certainly did not begin.
        """
        if attempt >= self.attempts or not _may_repeat(outcome, problem, repeatable=repeatable):
            return None
        told = retry_after(outcome.headers) if isinstance(outcome, Reply) else None
        if told is not None:
            return None if told > self.longest_s else told * (1 + JITTER * chance.random())
        grown = min(self.most_s, self.first_s * 2.0 ** (attempt - 1))
        return grown * (0.5 + 0.5 * chance.random())


def _may_repeat(outcome: Reply | Lost, problem: Problem | None, *, repeatable: bool) -> bool:
    if isinstance(outcome, Lost):
        return repeatable or not outcome.sent
    if outcome.status in REFUSED_FOR_NOW or (problem is not None and problem.retryable):
        return True
    return repeatable and outcome.status in AWAY


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as the header says in seconds or as a date; None where it says nothing."""
    told = headers.get("retry-after", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        then = parsedate_to_datetime(told)
        now = parsedate_to_datetime(headers["date"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(0.0, (_utc(then) - _utc(now)).total_seconds())


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
