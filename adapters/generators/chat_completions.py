"""Models behind any server that speaks OpenAI's chat completions: vLLM, Ollama, llama-server.

Spoken by hand over httpx2: of the provider's own library one request would be used, and
its retries, environment variables and default address are all unwanted here.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

import httpx2

from adapters.deadline import Deadline, DeadlineTransport
from adapters.generators.chat_answers import error_kind, read_completion
from adapters.generators.language_model import LanguageModel
from adapters.generators.tally import Reply
from adapters.generators.trouble import (
    RETRYABLE,
    SERVER_ERRORS,
    Trouble,
    retry_after,
    transport_trouble,
)
from core.budget import Price
from core.errors import Conflict
from core.prompting import Prompt
from core.registry import check_option

NAME: Final = "openai_compatible"
MAX_ANSWER_BYTES: Final = 1_000_000
CONNECT_S: Final = 5.0
SPENT_OUT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatService:
    """What the operator set up: no part of it but the model can be chosen by a session.

    ``base_url`` is what comes before ``/chat/completions``, such as
    ``http://127.0.0.1:8000/v1``; ``model`` "" = sessions name theirs; ``price`` None =
    asking costs nothing.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    model: str = ""
    price: Price | None = None


def chat_model(service: ChatService | None, *, model: str | None, **limits: Any) -> LanguageModel:
    """``model`` None = the service's own; ``limits`` are those of ``LanguageModel``.

    Raises InvalidOption, and Conflict ``generator-not-configured`` without a service or
    a model.
    """
    if model is not None:
        check_option("model", model, of=str)
    chosen = model or (service.model if service else "")
    if service is None or not chosen:
        raise Conflict(
            "the openai_compatible generator needs its address in the server's settings, and a"
            " model there or among its options",
            code="generator-not-configured",
            extras={"generator": NAME},
        )
    return LanguageModel(endpoint=ChatEndpoint(service=service, model=chosen), **limits)


@dataclass(kw_only=True)
class ChatEndpoint:
    """One model of a service."""

    service: ChatService
    model: str
    name: str = field(default=NAME, init=False)

    @property
    def price(self) -> Price | None:
        return self.service.price

    def send(
        self,
        prompt: Prompt,
        *,
        schema: dict[str, Any],
        max_tokens: int,
        timeout_s: float,
        deadline: Deadline,
    ) -> Reply | Trouble:
        body = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
            "max_tokens": max_tokens,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            },
        }
        with self._client(deadline, timeout_s=timeout_s) as client:
            try:
                response = client.post("chat/completions", json=body)
            except httpx2.TransportError as error:
                timed_out = isinstance(error, httpx2.TimeoutException)
                return transport_trouble(error, timed_out=timed_out)
        if response.status_code != HTTPStatus.OK:
            return _of_status(response)
        return Reply(
            answer=read_completion(response.content),
            sha256=hashlib.sha256(response.content).hexdigest(),
            request_id=_request_id(response),
        )

    def _client(self, deadline: Deadline, *, timeout_s: float) -> httpx2.Client:
        """A client for one request: nothing is shared, so calls may run in many threads."""
        transport = DeadlineTransport(
            deadline=deadline, max_bytes=MAX_ANSWER_BYTES, ssl_context=self._ssl_context
        )
        headers = {"Accept-Encoding": "identity"}
        if self.service.api_key:
            headers["Authorization"] = f"Bearer {self.service.api_key}"
        return httpx2.Client(
            base_url=self.service.base_url,
            headers=headers,
            timeout=httpx2.Timeout(timeout_s, connect=CONNECT_S),
            transport=transport,
            follow_redirects=False,
            trust_env=False,
        )

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext | None:
        return httpx2.create_ssl_context() if self.service.base_url.startswith("https:") else None


def _of_status(response: httpx2.Response) -> Trouble:
    status, kind = response.status_code, error_kind(response.content)
    return Trouble(
        category=kind if kind and kind != "error" else f"http_{status}",
        retryable=status in RETRYABLE and kind not in SPENT_OUT,
        # A bare 5xx is a gateway's, and does not say whether the model did the work.
        billable=status in SERVER_ERRORS and kind is None,
        retry_after=retry_after(response.headers),
        request_id=_request_id(response),
    )


def _request_id(response: httpx2.Response) -> str | None:
    return (response.headers.get("x-request-id") or "")[:200] or None
