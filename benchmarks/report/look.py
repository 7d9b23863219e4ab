"""How the report's charts look: one style per arm in every plot, and grids of panels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from adapters.charts.canvas import BLACK, BLUE, GREEN, GREY, ORANGE, PALE, PURPLE, SKY, VERMILLION
from benchmarks.report.stored import Stored

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: Sequence[Any] = ((0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)), (0, (2, 2)))
REFERENCE_MARKERS = ("x", "+", "*", "1")
WIDE, TALL = 3.75, 2.75
"""Inches of one panel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One arm's colour, line and marker; ``reference`` arms are grey and dashed."""

    colour: str
    line: Any
    marker: str
    width: float
    reference: bool = False
    front: int = 3


def styles(stored: Stored) -> dict[str, Style]:
    """Arm -> style: the default first and thickest, references grey, those past seven pale."""
    found: dict[str, Style] = {}
    emphasised = stored.emphasised()
    for name in stored.candidates():
        shown = name in emphasised
        found[name] = Style(
            colour=COLOURS[emphasised.index(name)] if shown else PALE,
            line="-",
            marker=MARKERS[emphasised.index(name)] if shown else "",
            width=2.8 if name == stored.default else 1.6,
            front=(5 if name == stored.default else 3) if shown else 1,
        )
    for number, name in enumerate(stored.references()):
        found[name] = Style(
            colour=GREY,
            line=DASHES[number % len(DASHES)],
            marker=REFERENCE_MARKERS[number % len(REFERENCE_MARKERS)],
            width=1.7,
            reference=True,
            front=2,
        )
    return found


def grid(
    count: int, *, columns: int = 3, height: float = TALL, extra: float = 0.8
) -> tuple[Figure, list[Axes]]:
    """(figure, axes) of ``count`` small panels; ``extra`` inches are left for the legend."""
    across = min(columns, count)
    down = math.ceil(count / across)
    size = (max(WIDE * across, 6.0), height * down + extra)
    figure = Figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, wspace=0.04, hspace=0.05)  # type: ignore[union-attr, call-arg]
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


def legend(
    figure: Figure, found: dict[str, Style], *, names: Sequence[str], points: bool = False
) -> None:
    """One legend for all panels, below them; pale arms share one entry."""
    shown = [n for n in names if found[n].colour != PALE]
    handles = [handle(found[n], label=n, points=points) for n in shown]
    if len(shown) < len(names):
        pale = Style(colour=PALE, line="-", marker="o" if points else "", width=1.6)
        handles.append(handle(pale, label="other candidates", points=points))
    columns = max(1, min(len(handles), int(figure.get_size_inches()[0] // 2.2)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.6)


def handle(style: Style, *, label: str, points: bool) -> Line2D:
    """The arm's sign in a legend."""
    return Line2D(
        [],
        [],
        color=style.colour,
        linestyle="none" if points else style.line,
        marker=style.marker if points or not style.reference else "",
        linewidth=style.width,
        label=label,
    )


def panel_title(axis: Axes, text: str) -> None:
    """The data set's name above its panel, smaller than a figure's title."""
    axis.set_title(text, fontsize=10, pad=6)
