"""How much one caller may ask per minute; counted in this process's memory.

Each web process counts for itself, so N processes admit up to N times the limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flask import Response, g
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.errors import TooManyRequests
from core.access import Caller
from runtime.settings import Settings


class RateLimits:
    """The budgets of every caller; ``now`` is in epoch seconds, as the limits library counts."""

    def __init__(self, settings: Settings, *, now: Callable[[], float]) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._now = now
        self._budgets: dict[str, Any] = {
            name: RateLimitItemPerMinute(amount, namespace=name)
            for name, amount in {
                "requests": settings.requests_per_minute,
                "texts": settings.predict_texts_per_minute,
                "sign-ins": settings.sign_ins_per_minute,
            }.items()
            if amount > 0
        }

    def spend(self, name: str, caller: Caller, *, cost: int = 1) -> None:
        """Raises TooManyRequests when the caller's budget for this minute is used up."""
        self.spend_as(name, caller.id, cost=cost)

    def spend_as(self, name: str, who: str, *, cost: int = 1) -> None:
        """The same for somebody who is only known by an address."""
        budget = self._budgets.get(name)
        if budget is None:
            return
        admitted = self._limiter.hit(budget, who, cost=cost)
        window = self._limiter.get_window_stats(budget, who)
        seconds = max(1, math.ceil(window.reset_time - self._now()))
        left = max(0, int(window.remaining))
        g.setdefault("rate_limits", {})[name] = (budget.amount, left, seconds)
        if not admitted:
            error = TooManyRequests(
                f"one caller may spend {budget.amount} {name} per minute",
                extras={"limit": budget.amount, "budget": name},
            )
            error.headers = {"Retry-After": str(seconds)}
            raise error


def describe(response: Response) -> Response:
    """RateLimit fields (draft-ietf-httpapi-ratelimit-headers) for what this request spent."""
    spent: dict[str, tuple[int, int, int]] = g.get("rate_limits", {})
    if spent:
        policies = [f'"{name}";q={amount};w=60' for name, (amount, _, _) in spent.items()]
        states = [f'"{name}";r={left};t={seconds}' for name, (_, left, seconds) in spent.items()]
        response.headers["RateLimit-Policy"] = ", ".join(policies)
        response.headers["RateLimit"] = ", ".join(states)
    return response
