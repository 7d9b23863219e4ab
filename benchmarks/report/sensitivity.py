"""What the number of clusters changes: arms that differ in nothing else, joined by lines."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator

from benchmarks.report.look import COLOURS, MARKERS, Style, grid, panel_title, styles
from benchmarks.report.stored import Stored

MEASURES = (("macro_f1", "macro-F1"), ("std", "std of class counts"))
COLUMNS = 3
Families = dict[str, list[tuple[int, str]]]


def families(stored: Stored) -> Families:
    """Name -> (clusters, arm) by clusters, of arms equal but for their number of clusters."""
    present = stored.arms()
    groups: dict[str, list[tuple[int, str]]] = defaultdict(list)
    names: dict[str, str] = {}
    for arm in stored.data["arms"]:
        count = arm["clusterer"]["options"].get("count")
        if isinstance(count, int) and arm["name"] in present:
            key = _without_count(arm)
            groups[key].append((count, arm["name"]))
            names[key] = f"{arm['strategy']['name']}, {arm['clusterer']['name']}"
            names[key] += ", re-clustered" if arm["recluster"] else ""
    found: Families = {}
    for key, members in groups.items():
        if len({count for count, _ in members}) > 1:
            name = names[key] if names[key] not in found else f"{names[key]} ({len(found) + 1})"
            found[name] = sorted(members)
    return found


def _without_count(arm: Mapping[str, Any]) -> str:
    clusterer = dict(arm["clusterer"]["options"])
    clusterer.pop("count")
    rest = {k: v for k, v in arm.items() if k not in ("name", "clusterer", "reference")}
    return json.dumps([rest, arm["clusterer"]["name"], clusterer], sort_keys=True)


def sensitivity(stored: Stored) -> Figure:
    """Macro-F1 (upper panels) and spread of class counts (lower) by the number of clusters."""
    found, datasets = families(stored), stored.datasets()
    across = min(COLUMNS, len(datasets))
    padding = [""] * (-len(datasets) % across)
    plan = [(m, w, d) for m, w in MEASURES for d in (*datasets, *padding)]
    figure, axes = grid(len(plan), columns=across, height=2.4)
    members = {arm for family in found.values() for _, arm in family}
    references = [n for n in stored.references() if n not in members]
    look = styles(stored)
    for axis, (measure, words, dataset) in zip(axes, plan, strict=True):
        if not dataset:
            axis.set_axis_off()
            continue
        panel_title(axis, dataset)
        for place, family in enumerate(found.values()):
            _line(axis, stored, dataset, family, measure=measure, place=place)
        for name in references:
            _level(axis, stored, dataset, name, measure=measure, style=look[name])
        _scale(axis, [count for family in found.values() for count, _ in family])
        axis.set_xlabel("clusters (log scale)")
        axis.set_ylabel(words)
    _key(figure, list(found), references, look)
    return figure


def _line(
    axis: Axes,
    stored: Stored,
    dataset: str,
    family: list[tuple[int, str]],
    *,
    measure: str,
    place: int,
) -> None:
    points = [(n, s) for n, arm in family if (s := stored.last(dataset, arm, measure))]
    if not points:
        return
    x = [count for count, _ in points]
    colour = COLOURS[place % len(COLOURS)]
    axis.plot(x, [s["mean"] for _, s in points], color=colour, marker=MARKERS[place % len(MARKERS)])
    if all(s["low"] is not None for _, s in points):
        low, high = ([s[end] for _, s in points] for end in ("low", "high"))
        axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)


def _level(
    axis: Axes, stored: Stored, dataset: str, name: str, *, measure: str, style: Style
) -> None:
    """A reference has no number of clusters, so it is a level line."""
    spread = stored.last(dataset, name, measure)
    huge = measure == "std" and stored.is_whole_pool(name)
    if spread and not huge:
        axis.axhline(spread["mean"], color=style.colour, linestyle=style.line, linewidth=1.5)


def _scale(axis: Axes, counts: list[int]) -> None:
    axis.set_xscale("log")
    ticks = sorted(set(counts))
    axis.set_xticks(ticks, labels=[str(count) for count in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(color="#E5E7EB")


def _key(
    figure: Figure, names: list[str], references: list[str], look: Mapping[str, Style]
) -> None:
    handles = [
        Line2D(
            [], [], color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], label=name
        )
        for i, name in enumerate(names)
    ]
    handles += [
        Line2D([], [], color=look[n].colour, linestyle=look[n].line, label=n) for n in references
    ]
    columns = max(1, min(len(handles), int(figure.get_size_inches()[0] // 2.8)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.8)
