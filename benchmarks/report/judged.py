"""The verdicts on the default in words, with the figures they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.report.stored import Stored
from benchmarks.report.tables import NONE, Table, cell
from benchmarks.statistics.targets import Contenders, verdicts

MET = {True: "met", False: "missed", None: "not judged here"}


def judged(stored: Stored, *, contenders: Contenders | None) -> Table | None:
    """Target, verdict and figures; None for a study without a default.

    ``contenders`` names the arms; when None only the default's own parts are known.
    """
    parts = parts_of(stored, contenders)
    if parts is None or parts.default not in stored.arms():
        return None
    found = verdicts(stored.data, arms=parts)
    rows = [[cell(v["target"]), f"**{MET[v['met']]}**", cell(said(v["figures"]))] for v in found]
    return Table(
        headings=["what the default must reach", "verdict", "figures"], rows=rows, words=range(3)
    )


def head_to_head(stored: Stored, *, contenders: Contenders | None) -> Table | None:
    """Set by set, the default's ratio of spreads and its macro-F1 less each rival's, and what
    generation adds; None where nothing is judged."""
    parts = parts_of(stored, contenders)
    if parts is None or parts.best is None:
        return None
    figures: dict[str, Any] = {}
    for verdict in verdicts(stored.data, arms=parts):
        figures |= verdict["figures"]
    columns = {
        f"less {parts.best}": figures.get("to_best", {}),
        f"less {parts.cluster}": figures.get("to_cluster", {}),
        "generation adds": figures.get("to_none", {}),
        "generation less copies": figures.get("to_copies", {}),
    }
    shown = {heading: found for heading, found in columns.items() if found}
    rows = [
        [
            cell(name),
            f"{figures['ratios'][name]:.2f}",
            *(_difference(found.get(name)) for found in shown.values()),
        ]
        for name in stored.datasets()
        if name in figures.get("ratios", {})
    ]
    return Table(headings=["set", "ratio of spreads", *map(cell, shown)], rows=rows)


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None or found["low"] is None:
        return NONE
    return cell(f"{found['mean']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]")


def parts_of(stored: Stored, contenders: Contenders | None = None) -> Contenders | None:
    """Who plays which part: ``contenders``, else what the experiment said; None without a
    default."""
    if contenders is not None:
        return contenders
    if stored.default is None or stored.default not in stored.arms():
        return None
    return Contenders(default=stored.default, **stored.data.get("parts", {}))


def said(figures: Mapping[str, Any]) -> str:
    """The figures of one verdict in one sentence."""
    if "mean_ratio" in figures:
        return _even(figures)
    if "to_best" in figures:
        return _accurate(figures)
    if "to_copies" in figures:
        above, below = (_names(figures[key]) for key in ("above_both", "below_either"))
        return f"above both on {above}; below one of them on {below}"
    if "sets_won" in figures:
        wins = "; ".join(f"{name} {len(heads)}" for name, heads in figures["won"].items())
        return f"heads won by set, of {len(figures['heads'])}: {wins}"
    return "this study lacks an arm that it needs"


def _even(figures: Mapping[str, Any]) -> str:
    attainable = figures["attainable"]
    floor = "" if attainable is None else f"; even-by-oracle selection reaches {attainable:.3f}"
    below = len(figures["below_cluster"])
    return (
        f"mean ratio {figures['mean_ratio']:.3f} (the paper's rule "
        f"{figures['cluster_mean_ratio']:.3f}{floor})"
        f"; below the paper's rule on {below} of {figures['sets']} sets"
    )


def _accurate(figures: Mapping[str, Any]) -> str:
    lows = [row["low"] for row in figures["to_best"].values() if row["low"] is not None]
    least = f"lowest interval end {min(lows):+.3f}" if lows else "no interval"
    best = ", ".join(f"{name} {arm}" for name, arm in figures["best_by_set"].items())
    return (
        f"{least}; too low on {_names(figures['short_of_best'])}; above the paper's rule on "
        f"{_names(figures['above_cluster'])}; best baseline by set: {best}"
    )


def _names(sets: Sequence[str]) -> str:
    return f"{len(sets)} ({', '.join(sets)})" if sets else "none"
