"""What the study found: one table on the terminal and, with the same cells, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.multi_label.study import by_arm
from benchmarks.statistics.intervals import Array
from benchmarks.statistics.paired import TIE

MEASURES = ("macro_f1", "micro_f1", "counts", "std", "normalised_entropy")

HEADINGS = (
    "arm",
    "macro",
    "±",
    "gain",
    "wins",
    "area",
    "micro",
    "named",
    "least",
    "std",
    "even",
)


def print_table(document: Mapping[str, Any], *, console: Console) -> None:
    """The rows by side, then an arm a line."""
    for side, counts in document["rows"].items():
        sizes = ", ".join(f"{n} with {of}" for of, n in counts["by_number_of_labels"].items())
        console.print(f"{side}: {counts['messages']:,} messages ({sizes} labels)", markup=False)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "arm" else "right")
    for cells in rows(document):
        table.add_row(*map(escape, cells))
    console.print(table)


def markdown(document: Mapping[str, Any]) -> str:
    """The same table for a page."""
    lines = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *rows(document)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """An arm a row, its cells as HEADINGS names them: means over seeds, after the last round.

    ± is the standard deviation of macro-F1, ``gain`` its mean difference to the first arm,
    ``wins`` the seeds on which that is one for the better, ``area`` its mean over all rounds;
    ``named`` counts labels in all answers, ``least`` those of the label named least.
    """
    values = {name: by_arm(document, name) for name in MEASURES}
    baseline = next(iter(values["macro_f1"].values()))
    return [
        (
            arm,
            *_scores(np.array(macro), np.array(baseline)),
            f"{_last(values['micro_f1'][arm]):.3f}",
            f"{np.mean([sum(row[-1].values()) for row in values['counts'][arm]]):.0f}",
            f"{np.mean([min(row[-1].values()) for row in values['counts'][arm]]):.1f}",
            f"{_last(values['std'][arm]):.1f}",
            f"{_last(values['normalised_entropy'][arm]):.3f}",
        )
        for arm, macro in values["macro_f1"].items()
    ]


def _scores(macro: Array, baseline: Array) -> tuple[str, ...]:
    """From (S, R) macro-F1: its mean, spread, gain, wins and area."""
    last, differences = macro[:, -1], macro[:, -1] - baseline[:, -1]
    spread = last.std(ddof=1) if len(last) > 1 else 0.0
    wins = int((differences > TIE).sum())
    compared = (f"{differences.mean():+.3f}", f"{wins}/{len(last)}")
    return (
        f"{last.mean():.3f}",
        f"{spread:.3f}",
        *(compared if np.any(macro != baseline) else ("", "")),
        f"{macro.mean():.3f}",
    )


def _last(values: Sequence[Sequence[float]]) -> float:
    return float(np.mean([row[-1] for row in values]))
