"""Statistics of the evidence harness: intervals, paired tests, ranks, power and summaries."""

from __future__ import annotations

from benchmarks.statistics.crossed import crossed
from benchmarks.statistics.intervals import Spread, ratio, spread, spreads
from benchmarks.statistics.paired import Paired, holm, paired, wilcoxon
from benchmarks.statistics.power import SeedCount, power_of, seeds_needed
from benchmarks.statistics.ranking import Ranking, critical_difference, nemenyi, rank
from benchmarks.statistics.summary import FORMAT, summarise, to_json

__all__ = [
    "FORMAT",
    "Paired",
    "Ranking",
    "SeedCount",
    "Spread",
    "critical_difference",
    "crossed",
    "holm",
    "nemenyi",
    "paired",
    "power_of",
    "rank",
    "ratio",
    "seeds_needed",
    "spread",
    "spreads",
    "summarise",
    "to_json",
    "wilcoxon",
]
