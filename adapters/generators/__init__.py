"""Generators by name: what writes variations of a labelled text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from adapters.generators.chat_completions import ChatService, chat_model
from adapters.generators.language_model import LanguageModel
from adapters.generators.llama_server import LlamaEndpoint, LlamaServer
from adapters.generators.model_generator import ModelGenerator
from adapters.generators.perturb import PerturbGenerator
from adapters.generators.simulated import SimulatedGenerator
from core.errors import Conflict, InvalidOption
from core.generation import Abilities
from core.ports import BatchCounter, Generator, Reserve
from core.provider_batches import Patience
from core.registry import Registry, check_option

__all__ = ["ChatService", "LlamaServer", "batch_counter", "generators", "resolve"]


MODES = ("direct", "batch")
WRITES = Abilities(structured=True, prompted=True)


def resolve(name: str, *, key_present: bool, chat_present: bool = False) -> str:
    """What ``auto`` stands for: ``anthropic`` with a key, else ``openai_compatible`` where a
    server with a model is set up, else ``perturb``."""
    if name != "auto":
        return name
    if key_present:
        return "anthropic"
    return "openai_compatible" if chat_present else "perturb"


def generators(
    *,
    anthropic_key: str | None,
    anthropic_base_url: str | None,
    reserve: Reserve | None,
    class_ids: tuple[str, ...],
    chat: ChatService | None = None,
    llama: LlamaServer | None = None,
) -> Registry[Generator]:
    """``anthropic``, ``openai_compatible``, ``local``, ``simulated``, ``perturb`` and plug-ins
    of ``tailwise.generator``; a component's facts are its ``Abilities``.

    Making one raises Conflict ``generator-not-configured`` where it lacks its key, its
    address or its reserve texts, and InvalidOption for a bad option.
    """
    registry: Registry[Generator] = Registry("generator")
    registry.register(
        "anthropic",
        _anthropic(anthropic_key, base_url=anthropic_base_url),
        summary="Claude writes, through the Messages API.",
        facts=asdict(replace(WRITES, paid=True, batch=True)),
    )
    registry.register(
        "openai_compatible",
        _openai_compatible(chat),
        summary="A model of your own (vLLM, Ollama, llama-server), by chat completions.",
        facts=asdict(replace(WRITES, paid=bool(chat and chat.price))),
    )
    registry.register(
        "local",
        _local(llama),
        summary="A GGUF model in this process, through llama.cpp.",
        facts=asdict(WRITES),
    )
    registry.register(
        "simulated",
        _simulated(reserve, class_ids=class_ids),
        summary="Held-out reserve texts near the seed, with settable noise, for studies.",
        facts=asdict(Abilities(repeatable=True)),
    )
    registry.register(
        "perturb",
        PerturbGenerator,
        summary="Rule-based edits; needs no model, key or network.",
        facts=asdict(Abilities(repeatable=True)),
    )
    registry.load_plugins()
    return registry


def batch_counter(
    name: str, *, anthropic_key: str | None, anthropic_base_url: str | None
) -> BatchCounter | None:
    """Where the generator of that name hands batches in; None without a key for it."""
    if name != "anthropic" or not anthropic_key:
        return None
    from adapters.generators.anthropic_batches import AnthropicBatches  # noqa: PLC0415

    return AnthropicBatches(api_key=anthropic_key, base_url=anthropic_base_url)


def _require_direct(name: str, mode: object) -> None:
    if mode != "direct":
        raise InvalidOption.at(
            "/options/mode",
            f"{name} cannot hand calls in as a batch: mode must be direct (anthropic can)",
            code="invalid-option",
            allowed="direct",
        )


def _openai_compatible(service: ChatService | None) -> Callable[..., Generator]:
    def make(
        *,
        model: str | None = None,
        max_attempts: int = 4,
        deadline_s: float = 120.0,
        timeout_s: float = 60.0,
        max_tokens: int = 2048,
        mode: str = "direct",
    ) -> Generator:
        _require_direct("openai_compatible", mode)
        writer = chat_model(
            service,
            model=model,
            max_attempts=max_attempts,
            deadline_s=deadline_s,
            timeout_s=timeout_s,
            max_tokens=max_tokens,
        )
        return ModelGenerator(writer=writer)

    return make


def _local(server: LlamaServer | None) -> Callable[..., Generator]:
    def make(
        *,
        deadline_s: float = 300.0,
        timeout_s: float = 300.0,
        max_tokens: int = 1024,
        mode: str = "direct",
    ) -> Generator:
        _require_direct("local", mode)
        if server is None:
            raise Conflict(
                "the local generator needs a model file in the server's settings",
                code="generator-not-configured",
                extras={"generator": "local"},
            )
        writer = LanguageModel(
            endpoint=LlamaEndpoint(server),
            max_attempts=2,
            deadline_s=deadline_s,
            timeout_s=timeout_s,
            max_tokens=max_tokens,
        )
        return ModelGenerator(writer=writer)

    return make


def _anthropic(key: str | None, *, base_url: str | None) -> Callable[..., Generator]:
    def make(
        *,
        model: str = "claude-haiku-5-5",
        max_attempts: int = 4,
        deadline_s: float = 60.0,
        timeout_s: float = 30.0,
        max_tokens: int = 2048,
        mode: str = "direct",
        poll_s: float = 10.0,
        poll_most_s: float = 300.0,
        settle_s: float = 120.0,
    ) -> Generator:
        # The SDK takes a second to import, and most commands never need it.
        from adapters.generators.anthropic_messages import anthropic_model  # noqa: PLC0415
        from adapters.generators.batch_generator import anthropic_batches  # noqa: PLC0415

        check_option("mode", mode, of=str, among=MODES)
        if mode == "batch":
            return anthropic_batches(
                api_key=key,
                base_url=base_url,
                model=model,
                timeout_s=timeout_s,
                max_tokens=max_tokens,
                patience=Patience(poll_s=poll_s, poll_most_s=poll_most_s, settle_s=settle_s),
            )
        writer = anthropic_model(
            api_key=key,
            base_url=base_url,
            model=model,
            max_attempts=max_attempts,
            deadline_s=deadline_s,
            timeout_s=timeout_s,
            max_tokens=max_tokens,
        )
        return ModelGenerator(writer=writer)

    return make


def _simulated(reserve: Reserve | None, *, class_ids: tuple[str, ...]) -> Callable[..., Generator]:
    def make(
        *, noise: float = 0.0, confusion: str = "uniform", spread: int | None = None
    ) -> Generator:
        if reserve is None:
            raise Conflict(
                "the simulated generator draws from reserve texts, and there are none",
                code="generator-not-configured",
                extras={"generator": "simulated"},
            )
        return SimulatedGenerator(
            reserve=reserve, class_ids=class_ids, noise=noise, confusion=confusion, spread=spread
        )

    return make
