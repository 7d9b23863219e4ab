"""Learning curves: macro-F1 and evenness by labels, one panel a data set."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report.look import Style, grid, legend, panel_title, styles
from benchmarks.report.stored import Stored


def learning_curves(stored: Stored) -> Figure:
    """Macro-F1 by labels bought, with 95 % bands for the emphasised arms."""
    return _curves(stored, measure="macro_f1", words="macro-F1")


def evenness_curves(stored: Stored) -> Figure:
    """Normalised entropy of the class counts by labels bought."""
    return _curves(stored, measure="normalised_entropy", words="normalised entropy")


def _curves(stored: Stored, *, measure: str, words: str) -> Figure:
    found = styles(stored)
    names = [*stored.candidates(), *stored.references()]
    datasets = stored.datasets()
    figure, axes = grid(len(datasets))
    for axis, dataset in zip(axes, datasets, strict=True):
        panel_title(axis, dataset)
        for name in names:
            cell = stored.cells[dataset].get(name)
            if cell:
                _line(axis, cell["rounds"], measure=measure, style=found[name])
        axis.grid(color="#E5E7EB")
        axis.margins(x=0.04, y=0.08)
        _ticks(axis, stored.cells[dataset][next(n for n in names if n in stored.cells[dataset])])
    _outer_labels(axes, x="labels bought", y=words)
    legend(figure, found, names=names)
    return figure


def _line(axis: Axes, rounds: list[Any], *, measure: str, style: Style) -> None:
    """A mean line, and its interval as a band unless the arm is drawn pale or grey."""
    rows = [(row["labels"], row[measure]) for row in rounds if measure in row]
    if not rows:
        return
    x = [labels for labels, _ in rows]
    axis.plot(
        x,
        [spread["mean"] for _, spread in rows],
        color=style.colour,
        linestyle=style.line,
        linewidth=style.width,
        marker="" if style.reference else style.marker,
        markersize=4,
        zorder=style.front,
    )
    if style.front > 2 and all(spread["low"] is not None for _, spread in rows):
        low, high = ([spread[end] for _, spread in rows] for end in ("low", "high"))
        axis.fill_between(x, low, high, color=style.colour, alpha=0.13, linewidth=0)


def _ticks(axis: Axes, cell: Any) -> None:
    """A tick at every round's number of labels, eight at most."""
    labels = [row["labels"] for row in cell["rounds"]]
    axis.set_xticks(labels[:: math.ceil(len(labels) / 8)])


def _outer_labels(axes: list[Axes], *, x: str, y: str) -> None:
    """Words at the left and the bottom edge only."""
    for axis in axes:
        place = axis.get_subplotspec()
        if place is not None and place.is_first_col():
            axis.set_ylabel(y)
        if place is not None and place.rowspan.stop == place.get_gridspec().nrows:
            axis.set_xlabel(x)
