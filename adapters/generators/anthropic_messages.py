"""Models behind the Anthropic Messages API."""

from __future__ import annotations

import hashlib
import logging
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import anthropic
import httpx2

from adapters.deadline import Deadline, DeadlineTransport
from adapters.generators.answers import read_answer
from adapters.generators.anthropic_trouble import trouble_of
from adapters.generators.language_model import LanguageModel
from adapters.generators.prices import load_prices
from adapters.generators.tally import Reply
from adapters.generators.trouble import Trouble
from core.budget import Price
from core.errors import Conflict
from core.prompting import Prompt
from core.registry import check_option

if TYPE_CHECKING:
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

PUBLIC_URL: Final = "https://api.anthropic.com"
MAX_ANSWER_BYTES: Final = 1_000_000
CONNECT_S: Final = 5.0
DEFAULT_MODEL: Final = "claude-haiku-5-5"

# Set before the first client exists: at DEBUG the SDK logs whole prompts.
logging.getLogger("anthropic").setLevel(logging.WARNING)


def anthropic_model(
    *,
    api_key: str | None,
    base_url: str | None = None,
    model: str = DEFAULT_MODEL,
    **limits: Any,
) -> LanguageModel:
    """A model with a price in ``prices.toml``; ``limits`` are those of ``LanguageModel``.

    Raises InvalidOption, and Conflict ``generator-not-configured`` without a key.
    """
    endpoint = AnthropicEndpoint(api_key=api_key, base_url=base_url, model=model)
    return LanguageModel(endpoint=endpoint, **limits)


@dataclass(kw_only=True)
class AnthropicEndpoint:
    """``api_key`` is sent as a bearer token; ``base_url`` is another server that speaks the
    Messages API; ``price_factor`` times the list price is what a call costs."""

    api_key: str | None = field(repr=False)
    base_url: str | None = None
    model: str = DEFAULT_MODEL
    price_factor: float = 1.0
    name: str = field(default="anthropic", init=False)

    def __post_init__(self) -> None:
        prices = load_prices()
        check_option("model", self.model, of=str, among=tuple(prices))
        if not self.api_key:
            raise Conflict(
                "the anthropic generator needs an API key in the server's settings",
                code="generator-not-configured",
                extras={"generator": self.name},
            )
        self.price: Price | None = prices[self.model].times(self.price_factor)

    def body(
        self, prompt: Prompt, *, schema: dict[str, Any], max_tokens: int
    ) -> MessageCreateParamsNonStreaming:
        """What the service is asked, alone or in a batch."""
        return {
            "model": self.model,
            "max_tokens": max_tokens,
            "system": prompt.system,
            "messages": [{"role": "user", "content": prompt.user}],
            "output_config": {
                "effort": "low",
                "format": {"type": "json_schema", "schema": schema},
            },
        }

    def send(
        self,
        prompt: Prompt,
        *,
        schema: dict[str, Any],
        max_tokens: int,
        timeout_s: float,
        deadline: Deadline,
    ) -> Reply | Trouble:
        with self._client(deadline, timeout_s=timeout_s) as client:
            try:
                raw = client.messages.with_raw_response.create(
                    **self.body(prompt, schema=schema, max_tokens=max_tokens)
                )
            except anthropic.APIError as error:
                return trouble_of(error)
        body = raw.http_response.content
        return Reply(
            answer=read_answer(body),
            sha256=hashlib.sha256(body).hexdigest(),
            request_id=(raw.headers.get("request-id") or "")[:200] or None,
        )

    def _client(self, deadline: Deadline, *, timeout_s: float) -> anthropic.Anthropic:
        return client_of(
            api_key=self.api_key,
            base_url=self.base_url,
            deadline=deadline,
            timeout_s=timeout_s,
            max_bytes=MAX_ANSWER_BYTES,
            ssl_context=self._ssl_context,
        )

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()


def client_of(
    *,
    api_key: str | None,
    base_url: str | None,
    deadline: Deadline,
    timeout_s: float,
    max_bytes: int,
    ssl_context: ssl.SSLContext,
) -> anthropic.Anthropic:
    """A client for one task: nothing is shared, so calls may run in many threads."""
    transport = DeadlineTransport(deadline=deadline, max_bytes=max_bytes, ssl_context=ssl_context)
    timeout = httpx2.Timeout(timeout_s, connect=CONNECT_S)
    return anthropic.Anthropic(
        api_key=api_key,
        base_url=base_url or PUBLIC_URL,
        max_retries=0,
        timeout=timeout,
        default_headers={"Accept-Encoding": "identity"},
        open_telemetry=False,
        http_client=httpx2.Client(transport=transport, timeout=timeout, trust_env=False),
    )
