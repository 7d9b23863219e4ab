"""One language model behind one service, asked inside a deadline and a budget.

One call may make up to ``max_attempts`` requests. Money for the worst case is set aside
before each and settled from the usage after it, before the answer is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from adapters.deadline import Deadline
from adapters.generators.tally import Ending, Reply, Tally
from adapters.generators.trouble import Trouble, pause_before
from core.budget import FREE, Price, token_ceiling, worst_case
from core.errors import Conflict
from core.generation import Estimate
from core.ports import Purse
from core.prompting import Prompt
from core.registry import check_option


class Endpoint(Protocol):
    """One way to reach a model. ``price`` None = asking costs nothing."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def price(self) -> Price | None: ...
    def send(
        self,
        prompt: Prompt,
        *,
        schema: dict[str, Any],
        max_tokens: int,
        timeout_s: float,
        deadline: Deadline,
    ) -> Reply | Trouble:
        """One request, over by the deadline; what goes wrong is an answer too."""


@dataclass(kw_only=True)
class LanguageModel:
    """An endpoint with its limits; it holds no connection between calls, threads may share it.

    Args:
        endpoint: the service and the model.
        max_attempts: requests per call at most, the retry after a truncation included.
        deadline_s: seconds for a whole call, waiting included.
        timeout_s: seconds for one request, from connecting to the last byte.
        max_tokens: tokens an answer may have, thinking included.
        clock: monotonic seconds.
        sleep: waits that many seconds.

    Raises:
        InvalidOption: an option is out of range.
    """

    endpoint: Endpoint
    max_attempts: int = 4
    deadline_s: float = 60.0
    timeout_s: float = 30.0
    max_tokens: int = 2048
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        check_option("max_attempts", self.max_attempts, of=int, least=1, most=10)
        check_option("deadline_s", self.deadline_s, of=(int, float), least=0.1, most=600)
        check_option("timeout_s", self.timeout_s, of=(int, float), least=0.1, most=600)
        check_option("max_tokens", self.max_tokens, of=int, least=256, most=4096)
        self._price = self.endpoint.price or FREE

    @property
    def name(self) -> str:
        return self.endpoint.name

    @property
    def model(self) -> str:
        return self.endpoint.model

    @property
    def paid(self) -> bool:
        return self.endpoint.price is not None

    def estimate(self, prompt: Prompt) -> Estimate:
        """The worst case of one attempt, from a local count of characters."""
        tokens = token_ceiling(prompt.system, prompt.user)
        return Estimate(
            input_tokens=tokens,
            output_tokens=self.max_tokens,
            dollars=worst_case(prompt_tokens=tokens, max_tokens=self.max_tokens, price=self._price),
        )

    def begin(self, *, purse: Purse, seed: int) -> Tally:
        """The account of one call, whose deadline starts now; ``seed`` spreads the waits."""
        return Tally(purse=purse, seed=seed, until=self.clock() + self.deadline_s, model=self.model)

    def may_go_on(self, tally: Tally) -> bool:
        """Whether the call has an attempt and time left."""
        return tally.attempts < self.max_attempts and self.clock() < tally.until

    def complete(self, prompt: Prompt, *, schema: dict[str, Any], tally: Tally) -> Ending:
        """Ask until there is an answer, or a reason why there is none."""
        tally.prompt_sha256 = prompt.sha256
        while True:
            try:
                outcome = self._attempt(prompt, schema=schema, tally=tally)
            except Conflict as error:
                if error.code != "budget-exceeded":
                    raise
                return Ending(outcome="over_budget")
            if isinstance(outcome, Reply):
                return tally.read(outcome.answer)
            if outcome.unreadable:
                return Ending(outcome="invalid", category=outcome.category)
            if not self._wait(outcome, tally=tally):
                return Ending(outcome="unavailable", category=outcome.category)

    def _attempt(self, prompt: Prompt, *, schema: dict[str, Any], tally: Tally) -> Reply | Trouble:
        """Reserve, send, settle. What never settles keeps its reservation."""
        worst = self.estimate(prompt).dollars
        reservation = tally.purse.reserve(worst)
        tally.attempts += 1
        until = min(tally.until, self.clock() + self.timeout_s)
        reply = self.endpoint.send(
            prompt,
            schema=schema,
            max_tokens=self.max_tokens,
            timeout_s=self.timeout_s,
            deadline=Deadline(clock=self.clock, at=until),
        )
        tally.settle(reservation, reply=reply, worst=worst, price=self._price)
        return reply

    def _wait(self, trouble: Trouble, *, tally: Tally) -> bool:
        """Sleep until the next attempt; False when there is none to make in time."""
        if not trouble.retryable or tally.attempts >= self.max_attempts:
            return False
        rng = np.random.default_rng([abs(tally.seed), tally.attempts])
        pause = pause_before(tally.attempts + 1, trouble=trouble, chance=rng.random())
        if pause is None or self.clock() + pause >= tally.until:
            return False
        self.sleep(pause)
        return self.clock() < tally.until
