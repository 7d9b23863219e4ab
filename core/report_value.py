"""What a point of macro-F1 cost: in labels, in minutes of people and in dollars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from core.records import Options

POINTS = 100
"""One point is a hundredth of macro-F1."""
PRICES = ("labels", "minutes", "dollars")


def value(
    curve: Sequence[Options],
    *,
    dollars: Sequence[Mapping[str, Any]],
    minutes: Mapping[int, float],
) -> Options:
    """Per scored model what it gained since the one before, and what that cost.

    ``curve`` are rows of the learning curve by version, ``dollars`` rows of the cost by
    round, ``minutes`` people's time by round. Only models scored on the same kind of rows
    as the newest are compared. A ``per_point`` is None where nothing was gained; ``so_far``
    is the same since the first of them. ``total`` goes from the first to the best; None
    with fewer than two.
    """
    steps = list(_steps(curve, dollars=dollars, minutes=minutes))
    rows = [
        {**_between(a, b), "so_far": _between(steps[0], b)["per_point"]} for a, b in pairwise(steps)
    ]
    best = max(steps, key=lambda step: step["macro_f1"], default=None)
    total = _between(steps[0], best) if best is not None and best is not steps[0] else None
    return {"rows": rows, "total": total}


def _steps(
    curve: Sequence[Options], *, dollars: Sequence[Mapping[str, Any]], minutes: Mapping[int, float]
) -> Iterator[dict[str, Any]]:
    """Each comparable model with everything spent up to its round."""
    scored = [row for row in curve if row["macro_f1"] is not None]
    for row in scored:
        if row["evaluated_on"] == scored[-1]["evaluated_on"]:
            yield {
                "model_id": row["model_id"],
                "version": row["version"],
                "round": row["round"],
                "macro_f1": row["macro_f1"],
                "labels": row["labels"],
                "minutes": sum(spent for n, spent in minutes.items() if n <= row["round"]),
                "dollars": sum(s["dollars"] for s in dollars if s["round"] <= row["round"]),
            }


def _between(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
    points = POINTS * (last["macro_f1"] - first["macro_f1"])
    spent = {name: last[name] - first[name] for name in PRICES}
    return {
        "version": last["version"],
        "since_version": first["version"],
        "round": last["round"],
        "macro_f1": last["macro_f1"],
        "points": points,
        **spent,
        "per_point": {
            name: spent[name] / points if points > 0 and spent[name] > 0 else None
            for name in PRICES
        },
    }
