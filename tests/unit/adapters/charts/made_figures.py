"""Figures of a session as ``core.rounds.metrics`` gives them, made up for pictures."""

from __future__ import annotations

from math import log
from typing import Any

NAMES = ("Self-harm", "Medical", "No harm")
FATES = ("proposed", "accepted", "edited", "rejected", "dropped")


def metrics(
    *, names: tuple[str, ...] = NAMES, rounds: int = 4, models: bool = True
) -> dict[str, Any]:
    """``rounds`` 0 = a session in which nothing has happened yet."""
    bought = range(1, rounds + 1)
    histogram = {"edges": [0.0, 0.5, 1.0], "counts": [7, 3]} if models and rounds else None
    return {
        "balance": {"classes": [_class(n, place, rounds, models) for place, n in enumerate(names)]},
        "evenness": [
            {"round": n, "labels": 10 * n, "std": 1.5 * n, "normalised_entropy": 0.9 - n / 50}
            for n in bought
        ],
        "learning_curve": {
            "models": [
                {"labels": 10 * n, "macro_f1": 0.4 + n / 20, "evaluated_on": "test"}
                for n in bought
                if models
            ]
        },
        "entropy": {
            "maximum": log(len(names)),
            "rounds": [
                {
                    "round": n,
                    "picked_mean": 1.0 if models and n > 1 else None,
                    "pool_mean": 0.8 if models and n > 1 else None,
                }
                for n in bought
            ],
            "histogram": histogram or {"edges": [], "counts": []},
        },
        "cost": {
            "total_dollars": 0.01 * rounds,
            "rounds": [
                {"round": n, "dollars": 0.01, "cumulative_dollars": 0.01 * n} for n in bought
            ],
        },
        "generation": {
            "by_class": [{"name": n, **dict.fromkeys(FATES, rounds)} for n in names],
            "by_template": [{"template": "attributes", **dict.fromkeys(FATES, rounds)}],
        },
    }


def _class(name: str, place: int, rounds: int, models: bool) -> dict[str, Any]:
    return {
        "name": name,
        "human": rounds * (place + 1),
        "generated": rounds,
        "predicted": 10 if models and rounds else None,
        "target_share": 1 / 3,
    }


def clusters(*, rows: int = 30, count: int = 4, entropies: bool = True) -> dict[str, Any]:
    """A spiral of dots."""
    points = [
        {
            "id": f"itm_{n}",
            "x": n * (-1) ** n / 10,
            "y": (n % 7) / 7,
            "cluster": n % count,
            "entropy": (n % 10) / 10 if entropies else None,
            "labelled": n % 3 == 0,
            "last_batch": n % 9 == 0,
        }
        for n in range(rows)
    ]
    return {
        "cluster_count": count,
        "points": points,
        "maximum_entropy": log(3),
        "rows": rows * 2,
    }


def data_for(name: str, **options: Any) -> dict[str, Any]:
    """What the chart ``name`` is drawn from."""
    return clusters() if name == "clusters" else metrics(**options)
