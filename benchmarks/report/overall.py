"""Every arm over all sets: how even, how accurate, and how it would do as the default."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.report.judged import parts_of
from benchmarks.report.stored import Stored
from benchmarks.report.tables import NONE, Table, cell, named, said
from benchmarks.statistics.targets import FLOOR, MARGIN, RATIO, Contenders, accuracy_of, floored

CAPTION = (
    f"Every arm over all sets: the mean ratio of spreads (each floored at {FLOOR:.2f}), the mean "
    f"macro-F1, and whether the arm would be even (a ratio of at most {RATIO}) and accurate (no "
    f"more than {-MARGIN} below the best baseline on any set) as the default."
)


def overall(stored: Stored, *, contenders: Contenders | None) -> Table | None:
    """Means over the sets that have every arm; None for a study of a single set.

    Where a best baseline is known, each arm's lowest interval end against it over the sets, and
    what the arm would reach as the default.
    """
    names = [*stored.candidates(), *stored.references()]
    sets = [name for name in stored.datasets() if set(names) <= set(stored.cells[name])]
    if len(sets) < 2:
        return None
    parts = parts_of(stored, contenders)
    best = parts.best if parts is not None else None
    headings = ["arm", f"mean ratio to {cell(stored.baseline)}", "macro-F1"]
    if best is not None:
        headings += [f"less {cell(best)}, lowest interval end", "even", "accurate"]
    rows = []
    for name in names:
        ratio = _ratio(stored, name, sets=sets)
        row = [named(stored, name), NONE if ratio is None else f"{ratio:.3f}"]
        row.append(f"{_macro_f1(stored, name, sets=sets):.3f}")
        if parts is not None and best is not None:
            row += _as_default(stored, replace(parts, default=name), ratio=ratio)
        rows.append(row)
    return Table(headings=headings, rows=rows)


def _ratio(stored: Stored, arm: str, *, sets: list[str]) -> float | None:
    """The mean of the floored ratios of spreads; None for the whole pool."""
    if stored.is_whole_pool(arm):
        return None
    ratios = stored.data["ratios"]
    if any(arm not in ratios.get(name, {}) for name in sets):
        return 1.0 if arm == stored.baseline else None
    return floored({name: ratios[name][arm]["std_ratio"]["mean"] for name in sets})


def _macro_f1(stored: Stored, arm: str, *, sets: list[str]) -> float:
    return float(np.mean([stored.cells[name][arm]["final"]["macro_f1"] for name in sets]))


def _as_default(stored: Stored, parts: Contenders, *, ratio: float | None) -> list[str]:
    """Lowest interval end against the best baseline, and both targets of the default."""
    even = NONE if ratio is None else said(ratio <= RATIO)
    if parts.default == parts.best or parts.default in stored.references():
        return [NONE, even, NONE]
    figures = accuracy_of(stored.data, arms=parts)
    found = figures.get("to_best", {})
    lows = {name: row["low"] for name, row in found.items() if row["low"] is not None}
    if not lows:
        return [NONE, even, NONE]
    least = min(lows, key=lambda name: lows[name])
    return [cell(f"{lows[least]:+.4f} ({least})"), even, said(lows[least] > MARGIN)]
