"""Requests, purses and time for generator tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from adapters.generators.templates import builtin_templates
from core.budget import Spend
from core.generation import GenerationRequest
from core.records import LabelClass

SEED_TEXT = "I have been so worried about my rent since the landlord raised it last month"
FINANCIAL = LabelClass(id="financial", name="financial", definition="Money trouble.")
LEGAL = LabelClass(id="legal", name="legal", definition="Questions of law.")


@dataclass(slots=True, kw_only=True)
class FakeTime:
    """A clock that moves only while somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(slots=True, kw_only=True)
class MemoryPurse:
    """Keeps reservations and bills, and refuses what passes the limit."""

    limit: float | None = None
    reserved: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    tokens: list[tuple[int, int]] = field(default_factory=list)
    request_ids: list[str | None] = field(default_factory=list)

    def reserve(self, dollars: float) -> str:
        open_reservations = self.reserved[len(self.settled) :]
        spent = sum(self.settled) + sum(open_reservations)
        Spend(limit=self.limit, spent=spent).check(dollars)
        self.reserved.append(dollars)
        return f"cost_{len(self.reserved)}"

    def settle(
        self,
        reservation: str,
        *,
        dollars: float,
        input_tokens: int,
        output_tokens: int,
        request_id: str | None,
    ) -> None:
        assert reservation == f"cost_{len(self.reserved)}"
        self.settled.append(dollars)
        self.tokens.append((input_tokens, output_tokens))
        self.request_ids.append(request_id)


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def purse() -> MemoryPurse:
    return MemoryPurse()


@pytest.fixture
def make_purse() -> Callable[..., MemoryPurse]:
    return MemoryPurse


@pytest.fixture
def make_request() -> Callable[..., GenerationRequest]:
    """A request for three variations, with whatever a test wants otherwise."""

    def make(level: str = "attributes", **changes: object) -> GenerationRequest:
        fields: dict[str, object] = {
            "seed_item_id": "itm_1",
            "text": SEED_TEXT,
            "label": FINANCIAL,
            "contrast": LEGAL,
            "count": 3,
            "template": builtin_templates()[level],
            "attributes": ("persona: a parent", "persona: a student", "persona: a cook"),
            "examples": ("My card was declined again today",),
            "taboo": ("I am worried",),
            "vector": np.eye(4, dtype=np.float32)[0],
            "seed": 7,
            "guidelines": "Money first.",
        }
        return GenerationRequest(**{**fields, **changes})

    return make
