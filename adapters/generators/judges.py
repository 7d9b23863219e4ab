"""Judges by name: the language models that can be asked what a text is."""

from __future__ import annotations

from collections.abc import Callable

from adapters.generators.chat_completions import ChatService, chat_model
from adapters.generators.model_judge import ModelJudge
from core.ports import Judge
from core.registry import Registry

__all__ = ["judges"]


def judges(
    *,
    anthropic_key: str | None,
    anthropic_base_url: str | None,
    chat: ChatService | None = None,
) -> Registry[Judge]:
    """``anthropic``, ``openai_compatible`` and plug-ins of ``tailwise.judge``.

    Making one raises Conflict ``generator-not-configured`` where it lacks its key or
    address, and InvalidOption for a model without a price.
    """
    registry: Registry[Judge] = Registry("judge")
    registry.register(
        "anthropic",
        _anthropic(anthropic_key, base_url=anthropic_base_url),
        summary="Claude judges, through the Messages API.",
    )
    registry.register(
        "openai_compatible",
        _openai_compatible(chat),
        summary="A model of your own judges, by chat completions.",
    )
    registry.load_plugins()
    return registry


def _anthropic(key: str | None, *, base_url: str | None) -> Callable[..., Judge]:
    def make(*, model: str = "claude-haiku-5-5", deadline_s: float = 60.0) -> Judge:
        # The SDK takes a second to import, and most commands never need it.
        from adapters.generators.anthropic_messages import anthropic_model  # noqa: PLC0415

        reader = anthropic_model(
            api_key=key, base_url=base_url, model=model, deadline_s=deadline_s, max_tokens=4096
        )
        return ModelJudge(reader=reader)

    return make


def _openai_compatible(service: ChatService | None) -> Callable[..., Judge]:
    def make(
        *, model: str | None = None, deadline_s: float = 120.0, timeout_s: float = 60.0
    ) -> Judge:
        reader = chat_model(
            service, model=model, deadline_s=deadline_s, timeout_s=timeout_s, max_tokens=4096
        )
        return ModelJudge(reader=reader)

    return make
