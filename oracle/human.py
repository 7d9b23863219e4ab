"""The human oracle: knows nothing yet, because people answer later through ``POST /label``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.records import Labels


class HumanOracle:
    name = "human"

    def ask(self, item_ids: Sequence[str]) -> Mapping[str, Labels]:  # noqa: ARG002 -- the port
        """Always empty."""
        return {}
