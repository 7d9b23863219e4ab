"""How far a study that was run again is from its stored summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmarks.report.stored import Stored, read_summary
from benchmarks.statistics.cells import FINAL
from core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A measure of the last round over all runs (a data set, an arm and a seed) of two summaries:
    how many there are, how many differ, and the greatest difference; None where every run that
    differs has a value on one side only."""

    measure: str
    runs: int
    differing: int
    most: float | None

    def __str__(self) -> str:
        if not self.differing:
            return f"{self.measure}: all {self.runs:,} runs alike"
        how = "on one side only" if self.most is None else f"by at most {self.most:.6f}"
        return f"{self.measure}: {self.differing:,} of {self.runs:,} runs differ, {how}"


def compare(paths: Sequence[Path]) -> list[str]:
    """What to print of two summaries of one experiment.

    Raises InvalidInput ``unreadable-summary``, ``unknown-format``, or ``other-experiment`` where
    the two are not of the same experiment file, data sets, arms and seeds.
    """
    left, right = (read_summary(path) for path in paths)
    for key in ("study", "experiment_sha256", "seeds"):
        if left.data[key] != right.data[key]:
            raise _other(f"the {key} of one is {left.data[key]}, of the other {right.data[key]}")
    if paths[0].read_bytes() == paths[1].read_bytes():
        return [f"{left.study}: the same bytes"]
    return [f"{left.study}: other bytes", *(str(gap) for gap in gaps(left, right))]


def gaps(left: Stored, right: Stored) -> list[Gap]:
    """One per measure that is kept seed by seed, and one per fact that differs; raises
    InvalidInput ``other-experiment``."""
    pairs = [pair for name in _same(left.cells, right.cells) for pair in _finals(name, left, right)]
    facts = [(mine["facts"], theirs["facts"]) for mine, theirs in pairs]
    names = sorted({name for both in facts for side in both for name in side})
    found = [_gap(name, [both for both in facts if name in both[0] | both[1]]) for name in names]
    return [_gap(name, pairs) for name in FINAL] + [gap for gap in found if gap.differing]


def _finals(dataset: str, left: Stored, right: Stored) -> list[tuple[Any, Any]]:
    """Both sides' per-seed values, arm by arm."""
    mine, theirs = left.cells[dataset], right.cells[dataset]
    return [(mine[arm]["final"], theirs[arm]["final"]) for arm in _same(mine, theirs)]


def _same(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    if left.keys() != right.keys():
        raise _other(f"only one of them has {', '.join(sorted(left.keys() ^ right.keys()))}")
    return list(left)


def _gap(measure: str, pairs: Sequence[tuple[Any, Any]]) -> Gap:
    """``pairs`` hold the per-seed values by measure; a side may lack the measure."""
    values = [
        both
        for mine, theirs in pairs
        for both in zip_longest(mine.get(measure, ()), theirs.get(measure, ()))
    ]
    differing = [both for both in values if both[0] != both[1]]
    known = [abs(mine - theirs) for mine, theirs in differing if None not in (mine, theirs)]
    return Gap(
        measure=measure,
        runs=len(values),
        differing=len(differing),
        most=max(known, default=None),
    )


def _other(detail: str) -> InvalidInput:
    return InvalidInput.at(
        "/summaries", f"the summaries are not of one experiment: {detail}", code="other-experiment"
    )
