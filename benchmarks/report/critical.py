"""The critical-difference diagram: average ranks, joined where they cannot be told apart."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adapters.charts.canvas import BLACK, BLUE, GREY
from benchmarks.report.stored import Stored
from benchmarks.statistics.ranking import nemenyi

PANELS = (
    ("macro_f1", "Accuracy: average rank of macro-F1 (1 is best)"),
    ("std", "Evenness: average rank of the spread of class counts (1 is evenest)"),
)


def critical_difference(stored: Stored) -> Figure:
    """One diagram for accuracy and one for evenness, over the data sets (Demšar, 2006)."""
    panels = [(words, stored.data["ranks"][m]) for m, words in PANELS if m in stored.data["ranks"]]
    arms = len(panels[0][1]["average"])
    figure = Figure(figsize=(9.0, (1.65 + 0.17 * arms) * len(panels) + 0.2), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axis, (words, ranks) in zip(axes, panels, strict=True):
        gap = ranks["critical_difference"]
        axis.set_title(f"{words}\ncritical difference {gap:.1f}", pad=14, fontsize=10)
        _diagram(axis, ranks, stored=stored)
    return figure


def _diagram(axis: Axes, ranks: Mapping[str, Any], *, stored: Stored) -> None:
    """The kept library draws it; its p values are Nemenyi's."""
    import pandas as pd  # noqa: PLC0415 -- slow, and part of the extra
    from scikit_posthocs import critical_difference_diagram  # noqa: PLC0415

    names = list(ranks["average"])
    average = np.asarray([ranks["average"][name] for name in names])
    table = pd.DataFrame(nemenyi(average, blocks=ranks["blocks"]), index=names, columns=names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # pandas' own, inside the library
        critical_difference_diagram(
            ranks["average"],
            table,
            ax=axis,
            label_fmt_left="{label} ({rank:.1f})",
            label_fmt_right="({rank:.1f}) {label}",
            label_props={"size": 9},
            elbow_props={"linewidth": 1.4},
            text_h_margin=0.06,
            crossbar_props={"color": BLACK, "linewidth": 3},
            color_palette={name: _colour(name, stored) for name in names},
        )


def _colour(name: str, stored: Stored) -> str:
    if name == stored.default:
        return BLUE
    return GREY if name in stored.references() else BLACK
