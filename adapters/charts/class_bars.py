"""Charts with one bar per class: the balance and the generation funnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adapters.charts.canvas import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    VERMILLION,
    empty,
    legend_below,
    name_rows,
    panels,
    rows_height,
    say,
    whole_numbers,
)
from core.records import Options

BAR = 0.62
FATES = (
    ("accepted", "accepted", GREEN),
    ("edited", "edited", SKY),
    ("proposed", "waiting for review", ORANGE),
    ("rejected", "rejected", VERMILLION),
    ("dropped", "dropped by screening", PALE),
)
"""State, its words and its colour, in the order bars are stacked."""


def balance(data: Options) -> Figure:
    """Labels now against the target, and what the model sees in the rest of the pool."""
    rows = data["balance"]["classes"]
    figure, (left, right) = panels(2, width=9.6, height=rows_height(len(rows)))
    left.set_title("Labelled and generated")
    right.set_title("Predicted in the unlabelled pool")
    _labels_now(left, rows)
    _predicted(right, rows)
    return figure


def _labels_now(axis: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    human = [row["human"] for row in rows]
    generated = [row["generated"] for row in rows]
    if not sum(human) + sum(generated):
        say(axis, "no labels yet")
        return
    places = range(len(rows))
    axis.barh(places, human, height=BAR, color=BLUE, label="labelled by people")
    if sum(generated):
        axis.barh(
            places,
            generated,
            left=human,
            height=BAR,
            color=SKY,
            hatch="///",
            edgecolor="white",
            linewidth=0,
            label="generated and kept",
        )
    targets = [row["target_share"] * sum(human) for row in rows]
    _marks(axis, targets, label="target for labels by people")
    name_rows(axis, [row["name"] for row in rows])
    axis.set_xlabel("texts")
    axis.grid(axis="x")
    whole_numbers(axis, along="x")
    legend_below(axis)


def _predicted(axis: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    if any(row["predicted"] is None for row in rows):
        say(axis, "no model yet")
        return
    total = sum(row["predicted"] for row in rows)
    if not total:
        say(axis, "no unlabelled text is left")
        return
    shares = [100 * row["predicted"] / total for row in rows]
    axis.barh(range(len(rows)), shares, height=BAR, color=PURPLE, label="predicted by the model")
    _marks(axis, [100 * row["target_share"] for row in rows], label="target")
    name_rows(axis, [row["name"] for row in rows])
    axis.set_yticklabels([])
    axis.set_xlabel(f"percent of {total:,} texts")
    axis.grid(axis="x")
    legend_below(axis)


def _marks(axis: Axes, places: Sequence[float], *, label: str) -> None:
    """A short upright stroke across each row."""
    for row, place in enumerate(places):
        axis.plot(
            [place, place],
            [row - 0.42, row + 0.42],
            color=BLACK,
            linewidth=2,
            solid_capstyle="butt",
            label=label if row == 0 else "_",
        )


def funnel(data: Options) -> Figure:
    """What became of every written variation, by class and by template."""
    by_class = data["generation"]["by_class"]
    by_template = data["generation"]["by_template"]
    if not sum(row[state] for row in by_class for state, _, _ in FATES):
        return empty("Variations by class", "no variations yet")
    figure, (left, right) = panels(2, width=9.6, height=rows_height(len(by_class)))
    left.set_title("Variations by class")
    right.set_title("Variations by template")
    room = len(by_class)
    _stack(left, by_class, names=[row["name"] for row in by_class], room=room)
    _stack(right, by_template, names=[row["template"] for row in by_template], room=room)
    legend_below(left)
    return figure


def _stack(
    axis: Axes, rows: Sequence[Mapping[str, Any]], *, names: Sequence[str], room: int
) -> None:
    starts = [0] * len(rows)
    for state, words, colour in FATES:
        sizes = [row[state] for row in rows]
        if not sum(sizes):
            continue
        axis.barh(range(len(rows)), sizes, left=starts, height=BAR, color=colour, label=words)
        starts = [start + size for start, size in zip(starts, sizes, strict=True)]
    for place, total in enumerate(starts):
        axis.annotate(f" {total:,}", (total, place), va="center", color=BLACK)
    name_rows(axis, names, room=room)
    axis.margins(x=0.1)
    axis.set_xlabel("variations")
    axis.grid(axis="x")
    whole_numbers(axis, along="x")
