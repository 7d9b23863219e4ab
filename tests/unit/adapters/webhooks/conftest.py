"""Guards over names that a test makes up, and couriers behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from adapters.webhooks.address_guard import WebhookGuard
from adapters.webhooks.allow_list import parse_allow_list
from adapters.webhooks.delivery import HttpCourier

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PUBLIC = "93.184.215.14"


class FixedClock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def guard_for() -> Callable[..., WebhookGuard]:
    """``names`` gives each name's addresses, one list per time it is asked; the last stays."""

    def make(
        allow: str = "",
        *,
        names: Mapping[str, Sequence[Sequence[str]]] | None = None,
        own: tuple[str, int] = ("127.0.0.1", 8080),
        interfaces: frozenset[str] = frozenset(),
    ) -> WebhookGuard:
        asked: dict[str, int] = {}

        def resolve(host: str, port: int) -> Sequence[str]:
            answers = (names or {}).get(host)
            if not answers:
                raise OSError("no such name")
            asked[host] = asked.get(host, -1) + 1
            return answers[min(asked[host], len(answers) - 1)]

        return WebhookGuard(
            allow=parse_allow_list(allow),
            resolve=resolve,
            own=frozenset({own}),
            interfaces=lambda: interfaces,
        )

    return make


@pytest.fixture
def courier_for(guard_for: Callable[..., WebhookGuard]) -> Callable[..., HttpCourier]:
    def make(allow: str = "", *, seconds: float = 15.0, **guard: object) -> HttpCourier:
        return HttpCourier(guard=guard_for(allow, **guard), clock=FixedClock(), seconds=seconds)

    return make
