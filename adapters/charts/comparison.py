"""Charts of several sessions side by side, for reports of simulated runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adapters.charts.canvas import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    empty,
    legend_below,
    name_rows,
    panels,
    rows_height,
    saved,
    styled,
    whole_numbers,
)
from core.records import Options
from core.reporting import check_plot

ARMS = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"))
"""Colour, line and marker of each arm, so that no arm is told by colour alone."""
NEAR = 0.08
PAPER = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"}
"""White behind a number, where a line may pass."""

Arms = Sequence[tuple[str, Options]]


def evenness(arms: Arms) -> Figure:
    """Class-count spread and normalised entropy of the labels bought, by arm."""
    figure, (left, right) = panels(2, width=9.6, height=3.9)
    left.set_title("Spread of class counts (lower is evener)")
    right.set_title("Normalised entropy (1 is even)")
    _lines(left, _evenness_points(arms, "std"), digits=1)
    _lines(right, _evenness_points(arms, "normalised_entropy"), digits=2)
    left.set_ylabel("standard deviation (texts)")
    left.set_ylim(bottom=0)
    bottom, _ = right.get_ylim()
    right.set_ylim(max(0.0, bottom - NEAR), 1.02)
    return figure


def f1(arms: Arms) -> Figure:
    """Macro-F1 by labels bought, by arm."""
    points = _f1_points(arms)
    if not any(points.values()):
        return empty("Macro-F1 at equal labels", "no model yet")
    figure, (axis,) = panels(1)
    axis.set_title("Macro-F1 at equal labels")
    _lines(axis, points, digits=3)
    axis.set_ylabel("macro-F1")
    return figure


def overview(arms: Arms) -> Figure:
    """The two questions in one picture: how even are the labels, how good is the model."""
    figure, (left, right) = panels(2, width=9.6, height=3.9)
    left.set_title("Are the labels even? (1 is even)")
    right.set_title("Does the detector learn?")
    _lines(left, _evenness_points(arms, "normalised_entropy"), digits=2)
    left.set_ylabel("normalised entropy of class counts")
    left.set_ylim(max(0.0, left.get_ylim()[0]), 1.02)
    _lines(right, _f1_points(arms), digits=2)
    right.set_ylabel("macro-F1 on test rows")
    return figure


def balance(arms: Arms) -> Figure:
    """Labels bought per class, by arm, against the target share."""
    classes = arms[0][1]["balance"]["classes"]
    figure, (axis,) = panels(1, width=7.6, height=rows_height(len(classes)) * 1.15)
    axis.set_title("Labels bought per class")
    depth = 0.8 / len(arms)
    for number, (name, metrics) in enumerate(arms):
        counts = [row["human"] for row in metrics["balance"]["classes"]]
        places = [row - 0.4 + depth * (number + 0.5) for row in range(len(classes))]
        colour, _, _ = ARMS[number % len(ARMS)]
        bars = axis.barh(places, counts, height=depth * 0.92, color=colour, label=name)
        axis.bar_label(bars, padding=4, fontsize=8.5, zorder=5, bbox=PAPER)
    total = sum(row["human"] for row in classes)
    for row, facts in enumerate(classes):
        target = facts["target_share"] * total
        words = "target" if row == 0 else "_"
        axis.plot([target] * 2, [row - 0.44, row + 0.44], color=BLACK, linewidth=1.6, label=words)
    name_rows(axis, [row["name"] for row in classes])
    axis.set_xlabel("texts")
    axis.margins(x=0.08)
    axis.grid(axis="x")
    whole_numbers(axis, along="x")
    legend_below(axis, columns=3)
    return figure


def _evenness_points(arms: Arms, field: str) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [(row["labels"], row[field]) for row in metrics["evenness"]] for name, metrics in arms
    }


def _f1_points(arms: Arms) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [
            (model["labels"], model["macro_f1"])
            for model in metrics["learning_curve"]["models"]
            if model["macro_f1"] is not None
        ]
        for name, metrics in arms
    }


def _lines(axis: Axes, points: Mapping[str, Sequence[tuple[float, float]]], *, digits: int) -> None:
    """One line per arm, its last value written at its end."""
    ends = []
    for number, (name, places) in enumerate(points.items()):
        if not places:
            continue
        colour, line, marker = ARMS[number % len(ARMS)]
        xs, ys = zip(*places, strict=True)
        axis.plot(xs, ys, color=colour, linestyle=line, marker=marker, label=name)
        ends.append((ys[-1], xs[-1], colour))
    axis.set_xlabel("labels bought")
    axis.margins(x=0.1, y=0.15)
    axis.grid(color="#E5E7EB")
    whole_numbers(axis, along="x")
    _write_ends(axis, ends, digits=digits)
    if ends:
        legend_below(axis)


def _write_ends(axis: Axes, ends: Sequence[tuple[float, float, str]], *, digits: int) -> None:
    """The upper value above its point and the lower one below, so that they never meet."""
    for rank, (y, x, _) in enumerate(sorted(ends, reverse=True)):
        axis.annotate(
            f"{y:.{digits}f}",
            (x, y),
            xytext=(0, 8 if rank == 0 else -15),
            textcoords="offset points",
            ha="center",
            weight="bold",
            color=GREY if rank else BLACK,
        )


COMPARISONS: Mapping[str, Callable[[Arms], Figure]] = MappingProxyType(
    {"overview": overview, "evenness": evenness, "f1": f1, "balance": balance}
)


def draw(name: str, arms: Arms, *, format: Literal["svg", "png"]) -> bytes:
    """The named comparison's file."""
    check_plot(name, known=tuple(COMPARISONS))
    with styled():
        return saved(COMPARISONS[name](arms), format=format)
