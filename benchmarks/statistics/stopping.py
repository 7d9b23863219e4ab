"""When a stopping criterion would have ended a run, and what was still to come."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.evidence.records import Json

SHORT = 6
"""Rounds of the standard budget: too few for windows of three models to mean anything."""


def stopping_facts(rounds: Sequence[Json]) -> dict[str, float]:
    """For each criterion of ``stops_<name>`` in the rounds ``stop_<name>_stopped`` (1 or 0)
    and, where it did stop, ``stop_<name>_labels`` at that point and ``stop_<name>_f1_to_come``
    until the last round; {} for a run so short that none could be judged."""
    if len(rounds) <= SHORT:
        return {}
    facts: dict[str, float] = {}
    for key in (key for key in rounds[0] if key.startswith("stops_")):
        name = f"stop_{key.removeprefix('stops_')}"
        at = next((row for row in rounds if row[key]), None)
        facts[f"{name}_stopped"] = float(at is not None)
        if at is not None:
            facts[f"{name}_labels"] = float(at["labels"])
            facts[f"{name}_f1_to_come"] = rounds[-1]["macro_f1"] - at["macro_f1"]
    return facts
