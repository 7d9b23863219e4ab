"""Which charts a summary gets, drawn to bytes in the house's look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from adapters.charts.canvas import saved, styled
from benchmarks.report.ablation import differences, spread_differences
from benchmarks.report.balance import balance
from benchmarks.report.critical import critical_difference
from benchmarks.report.curves import evenness_curves, learning_curves
from benchmarks.report.frontier import frontier
from benchmarks.report.sensitivity import families, sensitivity
from benchmarks.report.stored import Stored

FORMATS: tuple[Literal["svg", "png"], ...] = ("svg", "png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """How one kind of figure is drawn, and what its caption says.

    ``fits`` says whether a summary has what it shows.
    """

    draw: Callable[[Stored], Figure]
    caption: str
    fits: Callable[[Stored], bool] = lambda _: True


REFERENCES = (
    "Grey dashed lines are references, not candidates; of more than seven candidates, the default "
    "and the most accurate are drawn strong."
)
CHARTS: Mapping[str, Chart] = {
    "learning": Chart(
        draw=learning_curves,
        caption="Learning curves: macro-F1 against the labels bought; bands are 95 % intervals "
        f"over seeds. Higher is better. {REFERENCES}",
    ),
    "evenness": Chart(
        draw=evenness_curves,
        caption="Evenness by labels bought: normalised entropy of the class counts, 1 when every "
        f"class has as many labels. {REFERENCES}",
    ),
    "frontier": Chart(
        draw=frontier,
        caption="Evenness against accuracy after the last round: up is more accurate, right is "
        "evener; bars are 95 % intervals. Grey signs are references, and the dashed lines go "
        "through the baseline: above and to the right of both is better on both counts.",
    ),
    "differences": Chart(
        draw=differences,
        caption="Paired difference in macro-F1 to the baseline (the dashed line at 0) after the "
        "last round, with 95 % intervals. Dashed outlines are references.",
        fits=lambda stored: bool(stored.data["comparisons"]),
    ),
    "spread": Chart(
        draw=spread_differences,
        caption="Paired difference in the standard deviation of the class counts to the baseline "
        "(the dashed line at 0): left is evener. Dashed outlines are references; the whole pool "
        "is left out, since its counts are of another size.",
        fits=lambda stored: bool(stored.data["comparisons"]),
    ),
    "balance": Chart(
        draw=balance,
        caption="Class balance by round: each bar is all labels bought so far, a band is one "
        "class, and dotted lines show where the bands would end if all were equal. References "
        "have grey titles.",
    ),
    "clusters": Chart(
        draw=sensitivity,
        caption="Sensitivity to the number of clusters: macro-F1 and the spread of the class "
        "counts of arms that differ in nothing else; bands are 95 % intervals. Grey dashed lines "
        "are references, which have no number of clusters.",
        fits=lambda stored: bool(families(stored)),
    ),
    "critical": Chart(
        draw=critical_difference,
        caption="Critical-difference diagram: average rank over the data sets; arms joined by a "
        "bar cannot be told apart at the 5 % level (Friedman and Nemenyi). References that "
        "nobody could run have no rank; the baseline is grey, the default blue.",
        fits=lambda stored: {"macro_f1", "std"} <= set(stored.data["ranks"]),
    ),
}
"""Kind of figure -> chart, in the order they are shown."""


def drawn(stored: Stored) -> dict[str, dict[str, bytes]]:
    """Kind -> format -> the file's bytes, of every chart that fits; equal data, equal bytes."""
    with styled():
        return {
            kind: {f: saved(figure, format=f) for f in FORMATS}
            for kind, chart in CHARTS.items()
            if chart.fits(stored)
            for figure in [chart.draw(stored)]
        }
