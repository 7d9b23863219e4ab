"""A labelled file of a few hundred real texts, or of the bundled ones, as a gzip CSV."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "diasafety5_viol_lt.csv.gz"
BUNDLED = ROOT / "benchmarks" / "demo" / "corpus" / "messages.csv"
POOL, SPARE, EVEN = 200, 60, 12
PARTS = {"train": "pool", "spare": "reserve", "dev": "test"}
"""The file's own words for the splits, and what an import is told they mean."""

CANARIES = tuple(f"zq{n}xcanary{n * 7919}: nothing of this belongs in a log" for n in range(3))
BLOCK = 8192


@dataclass(frozen=True, kw_only=True)
class Sample:
    """``rows`` have id, text, label and part (a key of ``PARTS``)."""

    rows: Sequence[Mapping[str, str]]

    @property
    def classes(self) -> list[str]:
        return sorted({row["label"] for row in self.rows})

    def labels(self, part: str) -> Counter[str]:
        return Counter(row["label"] for row in self.rows if row["part"] == part)

    def majority_f1(self) -> float:
        """Macro-F1 on the test part of always answering the pool's largest class."""
        (name, _), *_ = self.labels("train").most_common(1)
        share = self.labels("dev")[name] / self.labels("dev").total()
        return 2 * share / (1 + share) / len(self.classes)

    def gzipped(self) -> Iterator[bytes]:
        """The file in blocks, the same bytes each time."""
        text = io.StringIO()
        writer = csv.DictWriter(text, ["id", "text", "label", "part"])
        writer.writeheader()
        writer.writerows(self.rows)
        data = gzip.compress(text.getvalue().encode(), mtime=0)
        for start in range(0, len(data), BLOCK):
            yield data[start : start + BLOCK]


def sample() -> Sample:
    """Long-tailed pool and reserve, even test part; canaries are in the pool's largest class."""
    rows, taken = [], Counter[str]()
    for row in _source():
        part = _part(row, taken)
        if part is None:
            continue
        taken[part] += 1
        taken[f"{part}/{row['label']}"] += 1
        rows.append({k: row[k] for k in ("id", "text", "label")} | {"part": part})
    largest = Counter(row["label"] for row in rows if row["part"] == "train").most_common(1)[0][0]
    rows += [
        {"id": f"canary-{n}", "text": text, "label": largest, "part": "train"}
        for n, text in enumerate(CANARIES)
    ]
    return Sample(rows=rows)


def _source() -> list[dict[str, str]]:
    if REAL.exists():
        with gzip.open(REAL, "rt", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    with BUNDLED.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _part(row: Mapping[str, str], taken: Counter[str]) -> str | None:
    if row["split"] == "test":
        return "dev" if taken[f"dev/{row['label']}"] < EVEN else None
    if row["split"] != "reserve" and taken["train"] < POOL:
        return "train"
    return "spare" if taken["spare"] < SPARE else None
