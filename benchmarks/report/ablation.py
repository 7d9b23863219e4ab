"""Bars of paired differences to the baseline with their intervals, one panel a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from adapters.charts.canvas import BLACK, BLUE, GREY, PALE, VERMILLION, name_rows
from benchmarks.report.look import grid, panel_title
from benchmarks.report.stored import Stored

LEVEL = 0.05

NAME_LENGTH = 44
"""Arms of a grid differ in their last words, so names are cut late."""


def differences(stored: Stored) -> Figure:
    """Macro-F1 minus the baseline's: blue is significantly better, red worse, grey neither."""
    return _bars(stored, measure="macro_f1", words=f"macro-F1 minus {stored.baseline}'s", sign=1)


def spread_differences(stored: Stored) -> Figure:
    """Spread of the class counts minus the baseline's: lower is evener, so blue points left."""
    words = f"std of class counts minus {stored.baseline}'s"
    return _bars(stored, measure="std", words=words, sign=-1)


def _bars(stored: Stored, *, measure: str, words: str, sign: int) -> Figure:
    names = [n for n in (*stored.candidates(), *stored.references()) if n != stored.baseline]
    if measure == "std":
        names = [n for n in names if not stored.is_whole_pool(n)]
    datasets = stored.datasets()
    figure, axes = grid(len(datasets), height=0.75 + 0.23 * max(len(names), 4), extra=0.7)
    for axis, dataset in zip(axes, datasets, strict=True):
        panel_title(axis, dataset)
        for row, name in enumerate(names):
            found = stored.compared(dataset, name, measure)
            if found:
                _bar(axis, row, found, sign=sign, reference=name in stored.references())
        axis.axvline(0, color=GREY, linestyle=(0, (5, 2)), linewidth=1.2)
        name_rows(axis, names, length=NAME_LENGTH)
        place = axis.get_subplotspec()
        if place is not None and not place.is_first_col():
            axis.set_yticklabels([])
        _strengthen(axis, names, stored)
        axis.set_xlabel(words, fontsize=8.5)
        axis.grid(axis="x", color="#E5E7EB")
        axis.tick_params(labelsize=8.5)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axis.margins(x=0.08)
    _key(figure, stored)
    return figure


def _bar(axis: Axes, row: int, found: Mapping[str, Any], *, sign: int, reference: bool) -> None:
    better = found["mean"] * sign > 0
    clear = found["p_holm"] < LEVEL
    colour = (BLUE if better else VERMILLION) if clear else PALE
    axis.barh(
        row,
        found["mean"],
        height=0.66,
        color="white" if reference else colour,
        edgecolor=(colour if clear else GREY) if reference else colour,
        linestyle=(0, (3, 2)) if reference else "-",
        linewidth=1.2,
    )
    if found["low"] is not None:
        axis.plot([found["low"], found["high"]], [row, row], color=BLACK, linewidth=1.3, zorder=4)


def _strengthen(axis: Axes, names: list[str], stored: Stored) -> None:
    """The default's name is bold and the references' grey."""
    for name, label in zip(names, axis.get_yticklabels(), strict=True):
        if name == stored.default:
            label.set_fontweight("bold")
        if name in stored.references():
            label.set_color(GREY)


def _key(figure: Figure, stored: Stored) -> None:
    handles = [
        Patch(color=BLUE, label="significantly better (Holm p < .05)"),
        Patch(color=VERMILLION, label="significantly worse"),
        Patch(color=PALE, label="no clear difference"),
        Patch(facecolor="white", edgecolor=GREY, linestyle=(0, (3, 2)), label="reference"),
    ]
    columns = 4 if figure.get_size_inches()[0] > 9 else 2
    if len(stored.references()) < 2:
        handles.pop()
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
