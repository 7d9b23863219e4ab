"""Class balance by round: shares of the labels as stacked bars, rarest class on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from adapters.charts.canvas import GREY, shorten
from benchmarks.report.stored import Stored

MOST_COLUMNS = 6
PAPER = "cluster_entropy"
"""The paper's rule, shown beside the default wherever it takes part."""


def balance(stored: Stored) -> Figure:
    """One row a data set, one column an arm."""
    names = shown(stored)
    datasets = stored.datasets()
    figure = Figure(
        figsize=(1.95 * len(names) + 1.4, 1.55 * len(datasets) + 0.9), layout="constrained"
    )
    axes = figure.subplots(len(datasets), len(names), squeeze=False, sharey=True)
    for line, dataset in zip(axes, datasets, strict=True):
        order = _by_size(stored, dataset)
        for axis, name in zip(line, names, strict=True):
            _stack(axis, stored.cells[dataset].get(name), order=order)
        line[0].set_ylabel(shorten(dataset, length=18), fontsize=9)
    for axis, name in zip(axes[0], names, strict=True):
        reference = name in stored.references()
        axis.set_title(shorten(name, length=20), fontsize=10, color=GREY if reference else "black")
    for axis in axes[-1]:
        axis.set_xlabel("round")
    colours = ScalarMappable(norm=Normalize(0, 1), cmap=mpl.colormaps["cividis"].reversed())
    bar = figure.colorbar(colours, ax=list(axes.flat), fraction=0.02, pad=0.015, shrink=0.5)
    bar.set_ticks([0, 1], labels=["commonest", "rarest"])
    bar.set_label("class, by its size in the pool", fontsize=9)
    bar.outline.set_visible(False)
    return figure


def shown(stored: Stored) -> list[str]:
    """The default, the paper's rule and other candidates, then the references: six at most."""
    references = stored.references()[: MOST_COLUMNS - 2]
    candidates = sorted(stored.emphasised(), key=lambda n: (n != stored.default, n != PAPER))
    return [*candidates[: MOST_COLUMNS - len(references)], *references]


def _by_size(stored: Stored, dataset: str) -> list[str]:
    """Classes from the commonest to the rarest in the pool (or as labelled, if unknown)."""
    known: Mapping[str, Any] = stored.data["datasets"].get(dataset, {}).get("classes", {})
    sizes = {name: facts["pool"] for name, facts in known.items()}
    for cell in stored.cells[dataset].values():
        for name, count in cell["counts"][0].items():
            sizes.setdefault(name, count)
    return sorted(sizes, key=lambda name: (-sizes[name], name))


def _stack(axis: Axes, cell: Mapping[str, Any] | None, *, order: list[str]) -> None:
    """Shares of every round's labels; even classes give bands of one height."""
    colours = mpl.colormaps["cividis"].reversed()
    axis.set_ylim(0, 1)
    axis.set_yticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
    axis.tick_params(labelsize=8, length=0)
    axis.spines[["left", "bottom"]].set_visible(False)
    rounds = cell["counts"] if cell else []
    bottom = np.zeros(len(rounds))
    for place, name in enumerate(order if rounds else []):
        shares = [counts.get(name, 0.0) / (sum(counts.values()) or 1.0) for counts in rounds]
        colour = colours(place / max(len(order) - 1, 1))
        axis.bar(
            range(len(rounds)),
            shares,
            bottom=bottom,
            width=0.86,
            color=colour,
            edgecolor="white",
            linewidth=0.4 if len(order) <= 8 else 0.1,
        )
        bottom += shares
    for step in range(1, len(order)):
        if len(order) <= 8:
            axis.axhline(step / len(order), color=GREY, linestyle=(0, (3, 3)), linewidth=0.7)
    axis.set_xticks(range(len(rounds)))
