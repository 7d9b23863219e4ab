"""Variations from the Anthropic Messages API, inside a deadline and a budget.

One call may make up to ``max_attempts`` requests. Money for the worst case is set aside
before each and settled from the usage after it, before the answer is judged.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import anthropic
import httpx2
import numpy as np

from adapters.deadline import Deadline, DeadlineTransport
from adapters.generators.answers import read_answer
from adapters.generators.prices import load_prices
from adapters.generators.prompts import answer_schema, build_prompt
from adapters.generators.tally import Reply, Tally
from adapters.generators.trouble import Trouble, pause_before, trouble_of
from core.budget import token_ceiling, worst_case
from core.errors import Conflict
from core.generation import Estimate, GenerationRequest, GenerationResult
from core.ports import Purse
from core.prompting import Prompt
from core.registry import check_option

PUBLIC_URL: Final = "https://api.anthropic.com"
MAX_ANSWER_BYTES: Final = 1_000_000
CONNECT_S: Final = 5.0

# Set before the first client exists: at DEBUG the SDK logs whole prompts.
logging.getLogger("anthropic").setLevel(logging.WARNING)


@dataclass(kw_only=True)
class AnthropicGenerator:
    """A generator that holds no connection between calls; threads may share it.

    Args:
        api_key: sent as a bearer token; without one nothing is made.
        base_url: another server that speaks the Messages API.
        model: one that has a price in ``prices.toml``.
        max_attempts: requests per call at most, the retry after a truncation included.
        deadline_s: seconds for a whole call, waiting included.
        timeout_s: seconds for one request, from connecting to the last byte.
        max_tokens: tokens an answer may have, thinking included.
        clock: monotonic seconds.
        sleep: waits that many seconds.

    Raises:
        Conflict: ``generator-not-configured``.
        InvalidOption: an option is out of range.
    """

    api_key: str | None = field(repr=False)
    base_url: str | None = None
    model: str = "claude-haiku-5-5"
    max_attempts: int = 4
    deadline_s: float = 60.0
    timeout_s: float = 30.0
    max_tokens: int = 2048
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    name: str = field(default="anthropic", init=False)
    paid: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        prices = load_prices()
        check_option("model", self.model, of=str, among=tuple(prices))
        check_option("max_attempts", self.max_attempts, of=int, least=1, most=10)
        check_option("deadline_s", self.deadline_s, of=(int, float), least=0.1, most=600)
        check_option("timeout_s", self.timeout_s, of=(int, float), least=0.1, most=600)
        check_option("max_tokens", self.max_tokens, of=int, least=256, most=4096)
        if not self.api_key:
            raise Conflict(
                "the anthropic generator needs an API key in the server's settings",
                code="generator-not-configured",
                extras={"generator": self.name},
            )
        self._price = prices[self.model]

    def estimate(self, request: GenerationRequest) -> Estimate:
        """The worst case of one attempt, from a local count of characters."""
        return self._estimate(build_prompt(request, count=request.count))

    def generate(self, request: GenerationRequest, *, purse: Purse) -> GenerationResult:
        """One call; an answer cut off by ``max_tokens`` is asked for once more, by half."""
        tally = Tally(
            request=request, purse=purse, until=self.clock() + self.deadline_s, model=self.model
        )
        result = self._ask(tally, count=request.count)
        can_halve = request.count > 1 and tally.attempts < self.max_attempts
        if result.outcome == "truncated" and can_halve and self.clock() < tally.until:
            result = self._ask(tally, count=request.count // 2)
        return result

    def _ask(self, tally: Tally, *, count: int) -> GenerationResult:
        prompt = build_prompt(tally.request, count=count)
        tally.prompt_sha256 = prompt.sha256
        while True:
            try:
                outcome = self._attempt(prompt, tally=tally)
            except Conflict as error:
                if error.code != "budget-exceeded":
                    raise
                return tally.end("over_budget")
            if isinstance(outcome, Reply):
                return tally.judge(outcome.answer)
            if outcome.unreadable:
                return tally.end("invalid", category=outcome.category)
            if not self._wait(outcome, tally=tally):
                return tally.end("unavailable", category=outcome.category)

    def _attempt(self, prompt: Prompt, *, tally: Tally) -> Reply | Trouble:
        """Reserve, send, settle. What never settles keeps its reservation."""
        worst = self._estimate(prompt).dollars
        reservation = tally.purse.reserve(worst)
        tally.attempts += 1
        reply = self._send(prompt, tally=tally)
        tally.settle(reservation, reply=reply, worst=worst, price=self._price)
        return reply

    def _send(self, prompt: Prompt, *, tally: Tally) -> Reply | Trouble:
        until = min(tally.until, self.clock() + self.timeout_s)
        deadline = Deadline(clock=self.clock, at=until)
        schema = answer_schema(tally.request.template.level)
        with self._client(deadline) as client:
            try:
                raw = client.messages.with_raw_response.create(
                    model=self.model,
                    max_tokens=self.max_tokens,
                    system=prompt.system,
                    messages=[{"role": "user", "content": prompt.user}],
                    output_config={
                        "effort": "low",
                        "format": {"type": "json_schema", "schema": schema},
                    },
                )
            except anthropic.APIError as error:
                return trouble_of(error)
        body = raw.http_response.content
        return Reply(
            answer=read_answer(body),
            sha256=hashlib.sha256(body).hexdigest(),
            request_id=(raw.headers.get("request-id") or "")[:200] or None,
        )

    def _client(self, deadline: Deadline) -> anthropic.Anthropic:
        """A client for one request: nothing is shared, so calls may run in many threads."""
        transport = DeadlineTransport(
            deadline=deadline, max_bytes=MAX_ANSWER_BYTES, ssl_context=self._ssl_context
        )
        timeout = httpx2.Timeout(self.timeout_s, connect=CONNECT_S)
        return anthropic.Anthropic(
            api_key=self.api_key,
            base_url=self.base_url or PUBLIC_URL,
            max_retries=0,
            timeout=timeout,
            default_headers={"Accept-Encoding": "identity"},
            open_telemetry=False,
            http_client=httpx2.Client(transport=transport, timeout=timeout, trust_env=False),
        )

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()

    def _wait(self, trouble: Trouble, *, tally: Tally) -> bool:
        """Sleep until the next attempt; False when there is none to make in time."""
        if not trouble.retryable or tally.attempts >= self.max_attempts:
            return False
        rng = np.random.default_rng([abs(tally.request.seed), tally.attempts])
        pause = pause_before(tally.attempts + 1, trouble=trouble, chance=rng.random())
        if pause is None or self.clock() + pause >= tally.until:
            return False
        self.sleep(pause)
        return self.clock() < tally.until

    def _estimate(self, prompt: Prompt) -> Estimate:
        tokens = token_ceiling(prompt.system, prompt.user)
        return Estimate(
            input_tokens=tokens,
            output_tokens=self.max_tokens,
            dollars=worst_case(prompt_tokens=tokens, max_tokens=self.max_tokens, price=self._price),
        )
