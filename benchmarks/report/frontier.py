"""Evenness against accuracy: one point an arm, one panel a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adapters.charts.canvas import BLACK
from benchmarks.report.look import Style, grid, legend, panel_title, styles
from benchmarks.report.stored import Stored


def frontier(stored: Stored) -> Figure:
    """Normalised entropy (right is evener) against macro-F1 (up is better) at the last round."""
    found = styles(stored)
    names = [*stored.candidates(), *stored.references()]
    datasets = stored.datasets()
    figure, axes = grid(len(datasets), height=2.9)
    for axis, dataset in zip(axes, datasets, strict=True):
        panel_title(axis, dataset)
        for name in names:
            _point(axis, stored, dataset, name, style=found[name])
        if stored.default:
            _say(axis, stored, dataset, stored.default)
        _levels(axis, stored, dataset, found)
        axis.grid(color="#E5E7EB")
        axis.margins(0.14)
        axis.set_xlabel("normalised entropy (1 is even)")
        axis.set_ylabel("macro-F1")
    legend(figure, found, names=names, points=True)
    return figure


def _point(axis: Axes, stored: Stored, dataset: str, name: str, *, style: Style) -> None:
    """A mean with its two intervals as thin bars."""
    x, y = (stored.last(dataset, name, m) for m in ("normalised_entropy", "macro_f1"))
    if x is None or y is None:
        return
    axis.errorbar(
        x["mean"],
        y["mean"],
        xerr=_arms(x) if style.front > 1 else None,
        yerr=_arms(y) if style.front > 1 else None,
        fmt=style.marker or "o",
        color=style.colour,
        markersize=9 if style.width > 2 else 7 if style.reference else 6,
        markeredgewidth=1.8 if style.reference else 0.6,
        elinewidth=0.9,
        zorder=style.front,
    )


def _arms(spread: Mapping[str, Any]) -> list[list[float]] | None:
    """How far the interval reaches down and up from the mean."""
    if spread["low"] is None:
        return None
    down, up = spread["mean"] - spread["low"], spread["high"] - spread["mean"]
    return [[max(0.0, down)], [max(0.0, up)]]


def _levels(axis: Axes, stored: Stored, dataset: str, found: dict[str, Style]) -> None:
    """Dashed lines through the baseline: up and to the right of both is better on both."""
    x, y = (stored.last(dataset, stored.baseline, m) for m in ("normalised_entropy", "macro_f1"))
    if x is None or y is None or not found[stored.baseline].reference:
        return
    for draw, value in ((axis.axvline, x["mean"]), (axis.axhline, y["mean"])):
        draw(value, color="#9CA3AF", linestyle=(0, (4, 3)), linewidth=0.9, zorder=1)


def _say(axis: Axes, stored: Stored, dataset: str, name: str) -> None:
    x, y = (stored.last(dataset, name, m) for m in ("normalised_entropy", "macro_f1"))
    if x is not None and y is not None:
        axis.annotate(
            name,
            (x["mean"], y["mean"]),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
            weight="bold",
            color=BLACK,
            zorder=6,
        )
