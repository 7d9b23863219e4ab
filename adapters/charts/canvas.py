"""The paper every chart is drawn on: size, style, colours, words and how it is saved."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib as mpl
from matplotlib import style as _style  # noqa: F401 -- rcdefaults needs it loaded
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
GREY, PALE = "#6B7280", "#D1D5DB"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, GREY)
"""Okabe and Ito's colours (without the yellow, which white paper swallows): people with any
colour vision can tell them apart."""

NAME_LENGTH = 26
LEGEND_DROP = 0.56
SECOND_DECIMAL = 0.1
_STYLE: Any = {
    "svg.hashsalt": "tailwise",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": "#374151",
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "#374151",
    "ytick.labelcolor": "#374151",
    "grid.color": "#E5E7EB",
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markersize": 5,
}

_DRAWING = threading.Lock()
"""matplotlib's settings are one per process, so one picture is drawn at a time."""


@contextmanager
def styled() -> Iterator[None]:
    """Our settings over matplotlib's defaults, whatever the user's own file says."""
    with _DRAWING, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def saved(figure: Figure, *, format: Literal["svg", "png"]) -> bytes:
    """The figure's bytes, without dates or versions, so that equal data is equal bytes."""
    buffer = io.BytesIO()
    absent = ("Date", "Creator") if format == "svg" else ("Software",)
    figure.savefig(
        buffer,
        format=format,
        dpi=120,
        facecolor="white",
        metadata=dict.fromkeys(absent),
    )
    return buffer.getvalue()


def empty(title: str, text: str) -> Figure:
    """A picture that says in words why there is nothing to draw yet."""
    figure, (axis,) = panels(1)
    axis.set_title(title)
    say(axis, text)
    return figure


def panels(count: int = 1, *, width: float = 7.6, height: float = 4.0) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` axes side by side; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1, wspace=0.06)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(1, count, squeeze=False)[0]
    return figure, list(axes)


def say(axis: Axes, text: str) -> None:
    """Words where there is nothing to draw yet, instead of empty axes."""
    title = axis.get_title(loc="left")
    axis.clear()
    axis.set_title(title)
    axis.set_axis_off()
    axis.text(
        0.5,
        0.5,
        text,
        transform=axis.transAxes,
        ha="center",
        va="center",
        color=GREY,
        fontsize=11,
        wrap=True,
    )


def shorten(name: str, *, length: int = NAME_LENGTH) -> str:
    """A name that fits beside a bar."""
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"


def whole_numbers(axis: Axes, *, along: Literal["x", "y"]) -> None:
    """Ticks at whole numbers only: rounds and counts have no halves."""
    target = axis.xaxis if along == "x" else axis.yaxis
    target.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))


def legend_below(axis: Axes, *, columns: int = 2) -> None:
    """The legend under the axis label, where it can cover no data.

    Its distance is in points, so that it is the same in figures of every height.
    """
    down = ScaledTranslation(0, -LEGEND_DROP, axis.figure.dpi_scale_trans)
    axis.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=axis.transAxes + down,
        ncols=columns,
        borderaxespad=0,
        handlelength=1.4,
        columnspacing=1.4,
    )


def rows_height(rows: int) -> float:
    """Inches for horizontal bars, so that two classes and two hundred stay readable."""
    return min(1.9 + 0.36 * max(rows, 3), 40.0)


def name_rows(
    axis: Axes, names: Sequence[str], *, room: int = 0, length: int = NAME_LENGTH
) -> None:
    """The names of horizontal bars, first one on top, cut to ``length``; ``room`` for so many
    at least."""
    axis.set_yticks(range(len(names)), [shorten(name, length=length) for name in names])
    axis.set_ylim(max(len(names), room) - 0.45, -0.55)
    axis.tick_params(axis="y", length=0)


def dollars(amount: float) -> str:
    """Money in words: small sums keep their cents."""
    return f"${amount:.4f}" if 0 < amount < SECOND_DECIMAL else f"${amount:,.2f}"
