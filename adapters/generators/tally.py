"""One call's running account: attempts, bills, and what a settled answer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.generators.answers import Answer
from adapters.generators.trouble import Trouble
from core.budget import Price, bill
from core.generation import Outcome
from core.ports import Purse

CUT_OFF = frozenset({"max_tokens", "model_context_window_exceeded"})
FINISHED = frozenset({"end_turn", "stop_sequence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A 200: the raw body's digest, and the message where the body was one."""

    answer: Answer | None
    sha256: str
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended; ``text`` is the model's own where ``outcome`` is ok, not read yet."""

    outcome: Outcome
    category: str | None = None
    text: str = ""


@dataclass(slots=True, kw_only=True)
class Tally:
    """``until`` is the call's deadline on the model's clock, ``seed`` spreads its waits."""

    purse: Purse
    until: float
    model: str
    seed: int = 0
    attempts: int = 0
    dollars: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    request_id: str | None = None
    prompt_sha256: str = ""
    response_sha256: str = ""

    def settle(
        self, reservation: str, *, reply: Reply | Trouble, worst: float, price: Price
    ) -> None:
        """Bill one attempt, as ``count`` does, and tell the purse."""
        dollars, tokens = self.count(reply=reply, worst=worst, price=price)
        self.purse.settle(
            reservation,
            dollars=dollars,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            request_id=reply.request_id,
        )

    def count(
        self, *, reply: Reply | Trouble, worst: float, price: Price
    ) -> tuple[float, tuple[int, int]]:
        """Bill one attempt: by its usage, at 0 where the provider did no work, and at the
        whole reservation where nobody can tell."""
        answer = reply.answer if isinstance(reply, Reply) else None
        dollars, tokens = worst, (0, 0)
        if answer and answer.input_tokens is not None and answer.output_tokens is not None:
            tokens = (answer.input_tokens, answer.output_tokens)
            dollars = bill(input_tokens=tokens[0], output_tokens=tokens[1], price=price)
        elif isinstance(reply, Trouble) and not reply.billable:
            dollars = 0.0
        self.dollars += dollars
        self.input_tokens += tokens[0]
        self.output_tokens += tokens[1]
        self.request_id = reply.request_id
        self.response_sha256 = reply.sha256 if isinstance(reply, Reply) else ""
        return dollars, tokens

    def read(self, answer: Answer | None) -> Ending:
        """Name what a settled answer is."""
        if answer is None:
            return Ending(outcome="invalid", category="malformed_answer")
        self.model = answer.model or self.model
        if answer.stop_reason == "refusal":
            return Ending(outcome="refused", category=answer.category or "unspecified")
        if answer.stop_reason in CUT_OFF:
            return Ending(outcome="truncated", category=answer.stop_reason)
        if answer.stop_reason not in FINISHED:
            return Ending(outcome="invalid", category="unexpected_stop")
        return Ending(outcome="ok", text=answer.text)

    def account(self) -> dict[str, Any]:
        """All attempts, as the fields that results have in common."""
        return {
            "attempts": self.attempts,
            "model": self.model,
            "request_id": self.request_id,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "dollars": self.dollars,
            "prompt_sha256": self.prompt_sha256,
            "response_sha256": self.response_sha256,
        }
