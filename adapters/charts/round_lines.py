"""Charts that follow a session through its rounds: evenness, learning, entropy and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adapters.charts.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    dollars,
    empty,
    legend_below,
    panels,
    say,
    whole_numbers,
)
from core.records import Options

HEADROOM = 1.12


def evenness(data: Options) -> Figure:
    """Spread of the class counts and their normalised entropy, round by round."""
    rounds = data["evenness"]
    if not rounds:
        return empty("Evenness of the labels", "no labelled round yet")
    figure, (left, right) = panels(2, width=9.6, height=3.6)
    left.set_title("Spread of class counts")
    right.set_title("Evenness (normalised entropy)")
    numbers = [row["round"] for row in rounds]
    left.plot(numbers, [row["std"] for row in rounds], marker="o", color=BLUE)
    left.set_ylabel("standard deviation (texts)")
    left.set_ylim(bottom=0)
    right.plot(numbers, [row["normalised_entropy"] for row in rounds], marker="o", color=GREEN)
    right.axhline(1, color=GREY, linestyle=(0, (4, 3)), linewidth=1.2)
    right.annotate("perfectly even", (numbers[0], 1), xytext=(0, 4), textcoords="offset points")
    right.set_ylim(0, HEADROOM)
    _by_round(left)
    _by_round(right)
    return figure


def curve(data: Options) -> Figure:
    """Macro-F1 against the labels bought, one point per trained model."""
    scored = [m for m in data["learning_curve"]["models"] if m["macro_f1"] is not None]
    if not scored:
        trained = bool(data["learning_curve"]["models"])
        return empty("Learning curve", "no model with a score yet" if trained else "no model yet")
    figure, (axis,) = panels(1)
    axis.set_title("Learning curve")
    for rows, words, colour in (("test", "on test rows", BLUE), ("holdout", "held out", ORANGE)):
        points = [m for m in scored if m["evaluated_on"] == rows]
        if points:
            axis.plot(
                [m["labels"] for m in points],
                [m["macro_f1"] for m in points],
                marker="o",
                color=colour,
                label=f"macro-F1 {words}",
            )
            _interval(axis, points, colour=colour)
    for model in scored[-1:]:
        _value(axis, model["labels"], model["macro_f1"], f"{model['macro_f1']:.3f}")
    axis.set_ylim(0, 1)
    axis.margins(x=0.08)
    axis.set_xlabel("labels by people (or the oracle)")
    axis.set_ylabel("macro-F1")
    axis.grid()
    whole_numbers(axis, along="x")
    legend_below(axis)
    return figure


def _interval(axis: Axes, points: Sequence[Mapping[str, Any]], *, colour: str) -> None:
    """A pale band behind the scores that have an interval."""
    known = [m for m in points if m.get("interval")]
    if known:
        axis.fill_between(
            [m["labels"] for m in known],
            [m["interval"][0] for m in known],
            [m["interval"][1] for m in known],
            color=colour,
            alpha=0.15,
            linewidth=0,
            label="95 % interval",
        )


def entropy(data: Options) -> Figure:
    """How unsure the learner was of its picks and of the pool, and of the pool now."""
    facts = data["entropy"]
    rounds = [row for row in facts["rounds"] if row["pool_mean"] is not None]
    if not rounds and not facts["histogram"]["counts"]:
        return empty("Entropy", "no model yet")
    figure, (left, right) = panels(2, width=9.6, height=3.8)
    left.set_title("Mean entropy by round")
    right.set_title("Unlabelled pool now")
    _trend(left, rounds, most=facts["maximum"])
    _histogram(right, facts["histogram"], most=facts["maximum"])
    return figure


def _trend(axis: Axes, rounds: Sequence[Mapping[str, Any]], *, most: float) -> None:
    if not rounds:
        say(axis, "no round since the first model")
        return
    numbers = [row["round"] for row in rounds]
    picked = [
        (row["round"], row["picked_mean"]) for row in rounds if row["picked_mean"] is not None
    ]
    axis.plot(*zip(*picked, strict=True), marker="o", color=PURPLE, label="texts picked")
    pool = [row["pool_mean"] for row in rounds]
    axis.plot(numbers, pool, marker="s", color=GREY, label="whole pool")
    axis.set_ylim(0, most * HEADROOM)
    axis.set_ylabel("entropy (nats)")
    _most(axis, most)
    _by_round(axis)
    legend_below(axis)


def _most(axis: Axes, most: float) -> None:
    """The entropy of a guess that gives every class the same probability."""
    axis.axhline(most, color=GREY, linestyle=(0, (4, 3)), linewidth=1.2)
    axis.annotate(
        "pure guess",
        (0.01, most),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
    )


def _histogram(axis: Axes, histogram: Mapping[str, Any], *, most: float) -> None:
    if not sum(histogram["counts"]):
        say(axis, "no unlabelled text is left")
        return
    axis.stairs(histogram["counts"], histogram["edges"], fill=True, color=PALE)
    axis.stairs(histogram["counts"], histogram["edges"], color=GREY)
    axis.set_xlim(0, most)
    axis.set_xlabel("entropy (nats): sure on the left, unsure on the right")
    axis.set_ylabel("texts")
    axis.grid(axis="y")
    whole_numbers(axis, along="y")


def cost(data: Options) -> Figure:
    """What generation cost, by round and in total."""
    facts = data["cost"]
    if not facts["rounds"] or not facts["total_dollars"]:
        return empty("Cost of generation", "nothing spent so far")
    figure, (axis,) = panels(1)
    axis.set_title("Cost of generation")
    numbers = [row["round"] for row in facts["rounds"]]
    axis.bar(
        numbers, [row["dollars"] for row in facts["rounds"]], color=ORANGE, label="in the round"
    )
    total = [row["cumulative_dollars"] for row in facts["rounds"]]
    axis.plot(numbers, total, marker="o", color=BLUE, label="so far")
    _value(axis, numbers[-1], total[-1], dollars(facts["total_dollars"]))
    axis.set_ylabel("US dollars")
    axis.set_ylim(0, max(total) * HEADROOM)
    _by_round(axis)
    legend_below(axis)
    return figure


def _by_round(axis: Axes) -> None:
    axis.set_xlabel("round")
    axis.margins(x=0.08)
    axis.grid(axis="y")
    whole_numbers(axis, along="x")


def _value(axis: Axes, x: float, y: float, words: str) -> None:
    """The figure that matters most, written beside its point."""
    axis.annotate(
        words, (x, y), xytext=(0, 8), textcoords="offset points", ha="center", weight="bold"
    )
