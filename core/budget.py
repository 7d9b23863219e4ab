"""Money as arithmetic: prices, worst cases, bills, and what a limit still allows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Final

from core.errors import Conflict

MILLION: Final = 1_000_000
FRAMING_TOKENS: Final = 600
"""Allowance for what a provider adds to a prompt: roles, and the answer's schema."""

_PLAIN_WORDS = re.compile(r"[A-Za-z ]")
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars per million tokens; prompts over ``long_above`` tokens cost the long rates."""

    input: float
    output: float
    long_above: int | None = None
    long_input: float = 0.0
    long_output: float = 0.0

    def times(self, factor: float) -> Price:
        """The same with every rate multiplied."""
        return replace(
            self,
            input=self.input * factor,
            output=self.output * factor,
            long_input=self.long_input * factor,
            long_output=self.long_output * factor,
        )


FREE: Final = Price(input=0.0, output=0.0)
"""What a model of one's own costs, as far as the budget is concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What counts against a limit: bills plus reservations still open. None = no limit."""

    limit: float | None
    spent: float

    @property
    def remaining(self) -> float | None:
        """Dollars left, never below 0; None without a limit."""
        return None if self.limit is None else max(0.0, self.limit - self.spent)

    def allows(self, dollars: float) -> bool:
        """Whether that much more stays within the limit."""
        return self.limit is None or self.spent + dollars <= self.limit + _TOLERANCE

    def check(self, dollars: float) -> None:
        """Raises Conflict ``budget-exceeded`` with limit, spent and required."""
        if not self.allows(dollars):
            raise Conflict(
                "the next call could cost more than the session's budget has left",
                code="budget-exceeded",
                extras={"limit": self.limit, "spent": self.spent, "required": dollars},
            )


def bill(*, input_tokens: int, output_tokens: int, price: Price) -> float:
    """Dollars for one answered call."""
    long = price.long_above is not None and input_tokens > price.long_above
    per_input = price.long_input if long else price.input
    per_output = price.long_output if long else price.output
    return (input_tokens * per_input + output_tokens * per_output) / MILLION


def worst_case(*, prompt_tokens: int, max_tokens: int, price: Price) -> float:
    """Dollars when the answer uses every token it may."""
    return bill(input_tokens=prompt_tokens, output_tokens=max_tokens, price=price)


def token_ceiling(*texts: str) -> int:
    """An upper estimate of a prompt's tokens without a tokenizer.

    Latin letters and spaces count a third each, every other character its UTF-8 bytes
    (a byte-level vocabulary never needs more), and ``FRAMING_TOKENS`` on top.
    """
    tokens = FRAMING_TOKENS
    for text in texts:
        plain = len(_PLAIN_WORDS.findall(text))
        tokens += math.ceil(plain / 3) + len(text.encode("utf-8", "surrogatepass")) - plain
    return tokens


def labels_left(limit: int | None, *, bought: int) -> int | None:
    """Labels a session may still buy; None without a limit."""
    return None if limit is None else max(0, limit - bought)
