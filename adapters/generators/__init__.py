"""Generators by name: what writes variations of a labelled text."""

from __future__ import annotations

from collections.abc import Callable

from adapters.generators.model_generator import ModelGenerator
from adapters.generators.perturb import PerturbGenerator
from adapters.generators.simulated import SimulatedGenerator
from core.errors import Conflict
from core.ports import Generator, Reserve
from core.registry import Registry

__all__ = ["generators", "resolve"]


def resolve(name: str, *, key_present: bool) -> str:
    """What ``auto`` stands for: ``anthropic`` with a key, else ``perturb``."""
    if name != "auto":
        return name
    return "anthropic" if key_present else "perturb"


def generators(
    *,
    anthropic_key: str | None,
    anthropic_base_url: str | None,
    reserve: Reserve | None,
    class_ids: tuple[str, ...],
) -> Registry[Generator]:
    """``anthropic``, ``simulated``, ``perturb`` and plug-ins of ``tailwise.generator``.

    Making one raises Conflict ``generator-not-configured`` where it lacks its key or its
    reserve texts, and InvalidOption for a bad option.
    """
    registry: Registry[Generator] = Registry("generator")
    registry.register(
        "anthropic",
        _anthropic(anthropic_key, base_url=anthropic_base_url),
        summary="Claude writes, through the Messages API.",
    )
    registry.register(
        "simulated",
        _simulated(reserve, class_ids=class_ids),
        summary="Held-out reserve texts near the seed, with settable noise, for studies.",
    )
    registry.register(
        "perturb", PerturbGenerator, summary="Rule-based edits; needs no model, key or network."
    )
    registry.load_plugins()
    return registry


def _anthropic(key: str | None, *, base_url: str | None) -> Callable[..., Generator]:
    def make(
        *,
        model: str = "claude-haiku-5-5",
        max_attempts: int = 4,
        deadline_s: float = 60.0,
        timeout_s: float = 30.0,
        max_tokens: int = 2048,
    ) -> Generator:
        # The SDK takes a second to import, and most commands never need it.
        from adapters.generators.anthropic_messages import anthropic_model  # noqa: PLC0415

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
