"""A stored summary as the report reads it: its arms, its sets and who is drawn how."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.statistics.summary import FORMAT
from core.errors import InvalidInput

EMPHASISED = 7
"""More lines than this cannot be told apart, so the others are drawn pale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One summary and the name of the file it came from."""

    file: str
    data: Mapping[str, Any]

    @property
    def study(self) -> str:
        """The study's name."""
        return str(self.data["study"])

    @property
    def default(self) -> str | None:
        """The arm that is the product's default; None in a study without one."""
        default = self.data["default"]
        return None if default is None else str(default)

    @property
    def baseline(self) -> str:
        """The arm that the others are compared with."""
        return str(self.data["baseline"])

    @property
    def cells(self) -> Mapping[str, Mapping[str, Any]]:
        """Data set -> arm -> cell."""
        cells: Mapping[str, Mapping[str, Any]] = self.data["cells"]
        return cells

    def datasets(self) -> list[str]:
        """The sets that have any cell, by name."""
        return [name for name, arms in self.data["cells"].items() if arms]

    def arms(self) -> list[str]:
        """Names in the experiment's order, of those with any cell."""
        seen = set().union(*(set(arms) for arms in self.data["cells"].values()))
        return [arm["name"] for arm in self.data["arms"] if arm["name"] in seen]

    def references(self) -> list[str]:
        """The baseline first (unless it is the default), then the arms marked as reference."""
        marked = {arm["name"] for arm in self.data["arms"] if arm["reference"]}
        if self.baseline != self.default:
            marked.add(self.baseline)
        return sorted((n for n in self.arms() if n in marked), key=lambda n: n != self.baseline)

    def is_whole_pool(self, name: str) -> bool:
        """True for an arm with every label at once, whose counts are of another size."""
        return any(
            arm["name"] == name and arm["strategy"]["name"] == "whole_pool"
            for arm in self.data["arms"]
        )

    def candidates(self) -> list[str]:
        """The default first, then the others in the experiment's order."""
        names = [name for name in self.arms() if name not in self.references()]
        return sorted(names, key=lambda name: name != self.default)

    def emphasised(self) -> list[str]:
        """The default and the most accurate candidates, as many as can be told apart."""
        names = self.candidates()
        best = sorted(names, key=lambda n: (n != self.default, -self._accuracy(n)))[:EMPHASISED]
        return [name for name in names if name in best]

    def _accuracy(self, arm: str) -> float:
        """Mean over the sets of the last macro-F1."""
        found = [self.last(dataset, arm, "macro_f1") for dataset in self.datasets()]
        means = [float(spread["mean"]) for spread in found if spread]
        return sum(means) / len(means) if means else 0.0

    def last(self, dataset: str, arm: str, measure: str) -> Mapping[str, Any] | None:
        """The last round's Spread of a measure; None where there is none."""
        cell = self.data["cells"].get(dataset, {}).get(arm)
        return cell["rounds"][-1].get(measure) if cell else None

    def compared(self, dataset: str, arm: str, measure: str) -> Mapping[str, Any] | None:
        """The comparison with the baseline; None where there is none."""
        return self._find("comparisons", dataset, arm, measure)

    def crossed(self, dataset: str, arm: str) -> Mapping[str, Any] | None:
        """The macro-F1 difference with its interval over seeds and test rows."""
        return self._find("crossed", dataset, arm, "macro_f1")

    def _find(self, kind: str, dataset: str, arm: str, measure: str) -> Mapping[str, Any] | None:
        wanted = (dataset, arm, measure)
        rows: Sequence[Mapping[str, Any]] = self.data.get(kind, [])
        return next((r for r in rows if (r["dataset"], r["arm"], r["measure"]) == wanted), None)


def read_summary(path: Path) -> Stored:
    """The summary of a file.

    Raises InvalidInput ``unreadable-summary`` when it is absent or not JSON, and
    ``unknown-format`` when it is of another format or has no cell.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InvalidInput.at(
            "/summaries", f"{path.name} is not a readable JSON file", code="unreadable-summary"
        ) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT or not data.get("cells"):
        raise InvalidInput.at(
            "/summaries",
            f"{path.name} is not a summary of format {FORMAT} with at least one cell",
            code="unknown-format",
            allowed=FORMAT,
        )
    return Stored(file=path.name, data=data)
