"""Answers: who or what gives a picked text its label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from core.ports import Judge, Oracle
from core.records import Choice, Labels
from core.registry import Registry, check_option
from oracle.gold import GoldOracle
from oracle.human import HumanOracle
from oracle.llm import Bench, LlmOracle
from oracle.panel import PanelOracle
from oracle.seating import seated

__all__ = ["Bench", "GoldOracle", "HumanOracle", "LlmOracle", "PanelOracle", "oracles"]


def oracles(
    *,
    gold: Callable[[Sequence[str]], Mapping[str, Labels]],
    keys: Callable[[Sequence[str]], Mapping[str, str]],
    class_ids: tuple[str, ...],
    judges: Registry[Judge],
    bench: Bench,
) -> Registry[Oracle]:
    """``human``, ``gold``, ``llm``, ``panel`` and what plug-ins declare under
    ``tailwise.oracle``. Making one reads and calls nothing.

    ``gold`` maps item ids to gold labels; only the gold oracle gets to see it. ``keys``
    maps them to names that stay the same from session to session. ``judges`` are the
    models that the llm oracle may ask, and ``bench`` is what it works with.
    """
    registry: Registry[Oracle] = Registry("oracle", pure=True)

    def make_gold(*, noise: float = 0.0, seed: int = 0) -> Oracle:
        return GoldOracle(gold=gold, class_ids=class_ids, noise=noise, seed=seed, keys=keys)

    def make_panel(*, members: object = (), quorum: int | None = None) -> Oracle:
        return seated(members, quorum=quorum, registry=registry)

    registry.register("human", HumanOracle, summary="People answer later; nothing is known now.")
    registry.register(
        "gold", make_gold, summary="Stored gold labels, with settable noise, for simulations."
    )
    registry.register(
        "llm", _llm(judges, bench=bench), summary="A language model where it is sure; never gold."
    )
    registry.register(
        "panel", make_panel, summary="Several oracles; people where they do not agree."
    )
    registry.load_plugins()
    return registry


def _llm(judges: Registry[Judge], *, bench: Bench) -> Callable[..., Oracle]:
    def make(
        *,
        judge: str = "auto",
        model: str | None = None,
        min_confidence: float = 0.7,
        chunk: int = 10,
        max_dollars: float | None = None,
        deadline_s: float = 120.0,
    ) -> Oracle:
        check_option("judge", judge, of=str, among=judges.names())
        if model is not None:
            check_option("model", model, of=str)
        options = {} if model is None else {"model": model}
        return LlmOracle(
            judge=partial(judges.make, Choice(name=judge, options=options)),
            bench=bench,
            min_confidence=min_confidence,
            chunk=chunk,
            max_dollars=max_dollars,
            deadline_s=deadline_s,
        )

    return make
