"""Answers: who or what gives a picked text its label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.ports import Oracle
from core.records import Labels
from core.registry import Registry
from oracle.gold import GoldOracle
from oracle.human import HumanOracle

__all__ = ["GoldOracle", "HumanOracle", "oracles"]


def oracles(
    *,
    gold: Callable[[Sequence[str]], Mapping[str, Labels]],
    keys: Callable[[Sequence[str]], Mapping[str, str]],
    class_ids: tuple[str, ...],
) -> Registry[Oracle]:
    """``human``, ``gold`` and what plug-ins declare under ``tailwise.oracle``.

    ``gold`` maps item ids to gold labels; only the gold oracle gets to see it. ``keys``
    maps them to names that stay the same from session to session.
    """

    def make_gold(*, noise: float = 0.0, seed: int = 0) -> Oracle:
        return GoldOracle(gold=gold, class_ids=class_ids, noise=noise, seed=seed, keys=keys)

    registry: Registry[Oracle] = Registry("oracle")
    registry.register("human", HumanOracle, summary="People answer later; nothing is known now.")
    registry.register(
        "gold", make_gold, summary="Stored gold labels, with settable noise, for simulations."
    )
    registry.load_plugins()
    return registry
