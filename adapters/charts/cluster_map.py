"""The pool as a map: where its clusters lie, what is labelled, what was picked last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from adapters.charts.canvas import BLACK, CYCLE, GREY, empty, panels
from core.records import Options

SMALLEST, LARGEST = 9.0, 64.0
"""Marker areas in square points, from sure to unsure, in ``STEPS`` steps."""
STEPS = 6

Point = Mapping[str, Any]


def clusters(data: Options) -> Figure:
    """Each dot is a text: colour and number its cluster, size the learner's entropy."""
    points: Sequence[Point] = data["points"]
    if not points:
        return empty("Cluster map", "no text is indexed yet")
    figure, (axis,) = panels(1, width=8.4, height=6.2)
    axis.set_title(f"The pool in {data['cluster_count']} clusters")
    most = data["maximum_entropy"]
    labelled = [p for p in points if p["labelled"]]
    hollow = [p for p in points if not p["labelled"]]
    _dots(axis, hollow, most=most, filled=False)
    _dots(axis, labelled, most=most, filled=True)
    _rings(axis, [p for p in points if p["last_batch"]])
    _numbers(axis, points)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.set_xlabel(_caption(data), color=GREY)
    _legend(axis, entropies=any(p["entropy"] is not None for p in points))
    return figure


def _dots(axis: Axes, points: Sequence[Point], *, most: float, filled: bool) -> None:
    """One collection per size, so that an SVG draws the dot once and repeats it."""
    by_step: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        by_step[_step(point["entropy"], most=most)].append(point)
    for step, dots in sorted(by_step.items()):
        colours = [CYCLE[p["cluster"] % len(CYCLE)] for p in dots]
        axis.scatter(
            [p["x"] for p in dots],
            [p["y"] for p in dots],
            s=SMALLEST + (LARGEST - SMALLEST) * (step / STEPS) ** 2,
            c=colours if filled else "none",
            edgecolors="white" if filled else colours,
            linewidths=0.5 if filled else 0.8,
            alpha=1 if filled else 0.6,
            zorder=3 if filled else 2,
        )


def _step(entropy: float | None, *, most: float) -> int:
    share = 0.5 if entropy is None else min(entropy / most, 1.0)
    return round(STEPS * share)


def _rings(axis: Axes, points: Sequence[Point]) -> None:
    axis.scatter(
        [p["x"] for p in points],
        [p["y"] for p in points],
        s=LARGEST * 1.9,
        c="none",
        edgecolors=BLACK,
        linewidths=1.2,
        zorder=4,
    )


def _numbers(axis: Axes, points: Sequence[Point]) -> None:
    """Cluster ids at their middles, since eight colours cannot name more clusters."""
    members: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        members[point["cluster"]].append(point)
    for cluster, rows in sorted(members.items()):
        axis.annotate(
            str(cluster),
            (sum(p["x"] for p in rows) / len(rows), sum(p["y"] for p in rows) / len(rows)),
            ha="center",
            va="center",
            fontsize=8,
            weight="bold",
            zorder=5,
            bbox={
                "boxstyle": "round,pad=0.25",
                "fc": "white",
                "ec": GREY,
                "lw": 0.6,
                "alpha": 0.85,
            },
        )


def _caption(data: Options) -> str:
    shown, rows = len(data["points"]), data["rows"]
    sampled = "" if shown >= rows else f"; {shown:,} of {rows:,} texts drawn"
    return f"two main directions of the text vectors{sampled}"


def _legend(axis: Axes, *, entropies: bool) -> None:
    def mark(words: str, *, size: float, face: str, edge: str) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=edge,
            label=words,
        )

    marks = [
        mark("labelled", size=6, face=GREY, edge="white"),
        mark("unlabelled", size=6, face="none", edge=GREY),
        mark("last batch", size=10, face="none", edge=BLACK),
    ]
    if entropies:
        marks += [
            mark("sure", size=SMALLEST**0.5, face=GREY, edge=GREY),
            mark("unsure", size=LARGEST**0.5, face=GREY, edge=GREY),
        ]
    axis.legend(
        handles=marks,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.05),
        ncols=len(marks),
        handletextpad=0.3,
    )
