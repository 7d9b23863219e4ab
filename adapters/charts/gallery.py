"""Which function draws which of the session's charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from matplotlib.figure import Figure

from adapters.charts.canvas import saved, styled
from adapters.charts.class_bars import balance, funnel
from adapters.charts.cluster_map import clusters
from adapters.charts.round_lines import cost, curve, entropy, evenness
from core.records import Options

DRAWINGS: Mapping[str, Callable[[Options], Figure]] = MappingProxyType(
    {
        "balance": balance,
        "evenness": evenness,
        "curve": curve,
        "clusters": clusters,
        "entropy": entropy,
        "cost": cost,
        "funnel": funnel,
    }
)


def draw(name: str, data: Options, *, format: Literal["svg", "png"]) -> bytes:
    """The named chart's file."""
    with styled():
        return saved(DRAWINGS[name](data), format=format)
