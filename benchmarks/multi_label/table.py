"""What the study found, as one table on the terminal and, with the same cells, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.multi_label.study import by_arm
from benchmarks.statistics.paired import TIE

HEADINGS = (
    "arm",
    "macro-F1",
    "against random",
    "macro-F1, all rounds",
    "micro-F1",
    "rarest label",
    "std",
    "evenness",
)


def print_table(document: Mapping[str, Any], *, console: Console) -> None:
    """The rows by side, then an arm a line."""
    for side, counts in document["rows"].items():
        sizes = ", ".join(f"{n} with {of}" for of, n in counts["by_number_of_labels"].items())
        console.print(f"{side}: {counts['messages']:,} messages ({sizes} labels)", markup=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "arm" else "right")
    for cells in rows(document):
        table.add_row(*map(escape, cells))
    console.print(table)


def rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """An arm a row, its cells as HEADINGS names them; means and standard deviations over
    seeds, after the last round unless they say otherwise."""
    macro = {arm: np.array(values) for arm, values in by_arm(document, "macro_f1").items()}
    micro, std = by_arm(document, "micro_f1"), by_arm(document, "std")
    evenness = by_arm(document, "normalised_entropy")
    rarest = _rarest(document)
    baseline = next(iter(macro.values()))
    return [
        (
            arm,
            _mean_and_spread(values[:, -1]),
            "" if values is baseline else _against(values[:, -1] - baseline[:, -1]),
            f"{values.mean():.3f}",
            f"{np.mean([row[-1] for row in micro[arm]]):.3f}",
            f"{np.mean(rarest[arm]):.1f}",
            f"{np.mean([row[-1] for row in std[arm]]):.1f}",
            f"{np.mean([row[-1] for row in evenness[arm]]):.3f}",
        )
        for arm, values in macro.items()
    ]


def _rarest(document: Mapping[str, Any]) -> dict[str, list[int]]:
    """How many answers name the label that fewest name, in the end, seed by seed."""
    found: dict[str, list[int]] = {}
    for cell in document["cells"]:
        found.setdefault(cell["arm"], []).append(min(cell["rounds"][-1]["counts"].values()))
    return found


def _mean_and_spread(values: Any) -> str:
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    return f"{values.mean():.3f} ± {spread:.3f}"


def _against(differences: Any) -> str:
    """The mean difference, and on how many seeds it is one for the better."""
    return f"{differences.mean():+.3f} ({int((differences > TIE).sum())} of {len(differences)})"
