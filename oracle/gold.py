"""The gold oracle: answers from stored gold labels, wrong as often as asked, for simulations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from core.records import Labels
from core.registry import check_option


class GoldOracle:
    """Knows the gold label of every item that has one.

    Args:
        gold: item ids to gold labels; items without gold are left out.
        class_ids: every class, among which a wrong answer is drawn evenly.
        noise: share of items answered wrongly, in [0, 1].
        seed: which items those are. An item's answer depends on (seed, key) alone, so
            the order of asking changes nothing and asking twice agrees.
        keys: item ids to names that stay the same from session to session, such as
            external ids.
    """

    name = "gold"

    def __init__(
        self,
        *,
        gold: Callable[[Sequence[str]], Mapping[str, Labels]],
        class_ids: tuple[str, ...],
        noise: float = 0.0,
        seed: int = 0,
        keys: Callable[[Sequence[str]], Mapping[str, str]],
    ) -> None:
        check_option("noise", noise, of=(int, float), least=0.0, most=1.0)
        check_option("seed", seed, of=int, least=0, most=2**31 - 1)
        self._gold = gold
        self._class_ids = class_ids
        self._noise = noise
        self._seed = seed
        self._keys = keys

    def ask(self, item_ids: Sequence[str]) -> Mapping[str, Labels]:
        """The labels of the items that have gold."""
        keys = self._keys(item_ids)
        return {
            item_id: self._answer(keys[item_id], labels)
            for item_id, labels in self._gold(item_ids).items()
        }

    def _answer(self, key: str, labels: Labels) -> Labels:
        others = sorted(set(self._class_ids) - set(labels))
        digest = hashlib.sha256(f"{self._seed}\n{key}".encode()).digest()
        is_right = int.from_bytes(digest[:8]) >= self._noise * 2**64
        if is_right or not others:
            return labels
        return (others[int.from_bytes(digest[8:16]) % len(others)],)
