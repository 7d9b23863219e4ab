"""What the default must reach, judged from a summary's stored per-seed values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from benchmarks.evidence.records import Json
from benchmarks.statistics.cells import common
from benchmarks.statistics.comparing import ratios
from benchmarks.statistics.intervals import stream
from benchmarks.statistics.paired import Paired, holm, paired

FLOOR, RATIO = 0.30, 0.65
MARGIN = -0.015
LEVEL = 0.05
EVEN_SHARE, ACCURATE_SHARE, GENERATION_SHARE, TRANSFER_SHARE = 5 / 6, 3 / 6, 4 / 6, 4 / 6
HEADS_SHARE = 3 / 4
TRANSFER = ("transfer_", "transfer.")
"""How the names of the facts begin that hold another head's macro-F1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contenders:
    """Which arm plays which part; a part without an arm leaves its target unjudged.

    ``best`` is the single baseline that was chosen on development data; ``generated`` is the
    default with generation and ``ungenerated`` its twin without (the default when None).
    """

    default: str
    best: str | None = None
    random: str = "random"
    cluster: str = "cluster_entropy"
    baselines: tuple[str, ...] = ("random", "entropy", "margin", "cluster_entropy")
    oracle: str = "even_by_oracle"
    generated: str | None = None
    ungenerated: str | None = None
    copies: str | None = None


def verdicts(summary: Json, *, arms: Contenders, seed: int = 0) -> list[dict[str, Any]]:
    """One mapping per target: ``target`` (words), ``met`` and the ``figures`` it rests on.

    ``met`` is None where an arm that the target needs has no cell on any common set. A count of
    sets is asked as a share of those there are (5 of 6, 3 of 6, 4 of 6), rounded up.
    """
    judge = _Judge(cells=summary["cells"], seed=seed)
    return [
        judge.even(arms),
        judge.accurate(arms),
        judge.generation(arms),
        judge.transfer(arms),
    ]


def accuracy_of(summary: Json, *, arms: Contenders, seed: int = 0) -> dict[str, Any]:
    """The figures of the second target alone: ``to_best`` and ``to_cluster`` by data set, and
    what follows from them; empty where an arm is missing."""
    figures: dict[str, Any] = _Judge(cells=summary["cells"], seed=seed).accurate(arms)["figures"]
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    cells: Mapping[str, Mapping[str, Json]]
    seed: int

    def even(self, arms: Contenders) -> dict[str, Any]:
        """The spread of class counts over random's, floored, and against the paper's rule."""
        words = (
            f"Even: the mean ratio of spreads to random's (each floored at {FLOOR:.2f}) is at most "
            f"{RATIO}, and the spread is below {arms.cluster}'s on five of six sets"
        )
        sets = self.sets(arms.default, arms.random, arms.cluster)
        if not sets:
            return _unjudged(words)
        wanted = (arms.default, arms.random, arms.cluster, arms.oracle)
        cells = {d: {a: c for a, c in self.cells[d].items() if a in wanted} for d in sets}
        found = ratios(cells, baseline=arms.random, seed=self.seed)
        by_arm = {
            arm: {
                name: rows[arm]["std_ratio"]["mean"] for name, rows in found.items() if arm in rows
            }
            for arm in (arms.default, arms.cluster, arms.oracle)
        }
        default, cluster = by_arm[arms.default], by_arm[arms.cluster]
        below = [name for name in default if default[name] < cluster[name]]
        mean = floored(default)
        figures = {
            "mean_ratio": mean,
            "ratios": default,
            "intervals": {
                name: _ends(rows[arms.default]["std_ratio"]) for name, rows in found.items()
            },
            "cluster_mean_ratio": floored(cluster),
            "below_cluster": below,
            "attainable": floored(by_arm[arms.oracle]),
            "attainable_ratios": by_arm[arms.oracle],
            "sets": len(sets),
        }
        met = mean is not None and mean <= RATIO and len(below) >= _needed(EVEN_SHARE, sets)
        return _verdict(words, met=met, figures=figures)

    def accurate(self, arms: Contenders) -> dict[str, Any]:
        """Macro-F1 at the last round against the chosen baseline and the paper's rule."""
        words = (
            "Accurate: the 95 % interval of the macro-F1 difference to the chosen baseline "
            f"({arms.best}) lies above {MARGIN} on every set, and above 0 against {arms.cluster} "
            "on three of six"
        )
        sets = self.sets(arms.default, arms.best, arms.cluster)
        if not sets:
            return _unjudged(words)
        to_best = self.against(arms.default, arms.best, sets=sets)
        to_cluster = self.against(arms.default, arms.cluster, sets=sets)
        above = [name for name, row in to_cluster.items() if row["significant"] > 0]
        short = [name for name, row in to_best.items() if not _above(row["low"], MARGIN)]
        figures = {
            "to_best": to_best,
            "to_cluster": to_cluster,
            "short_of_best": short,
            "above_cluster": above,
            "best_by_set": {name: self.best_baseline(name, arms=arms) for name in sets},
            "sets": len(sets),
        }
        met = not short and len(above) >= _needed(ACCURATE_SHARE, sets)
        return _verdict(words, met=met, figures=figures)

    def generation(self, arms: Contenders) -> dict[str, Any]:
        """Macro-F1 with generation against the twin without and against copies."""
        words = (
            "With generation: macro-F1 is significantly above no generation and above the copy "
            "control on four of six sets, and significantly below on none"
        )
        twin = arms.ungenerated or arms.default
        sets = self.sets(arms.generated, twin, arms.copies)
        if not sets:
            return _unjudged(words)
        to_none = self.against(arms.generated, twin, sets=sets)
        to_copies = self.against(arms.generated, arms.copies, sets=sets)
        signs = {
            name: (to_none[name]["significant"], to_copies[name]["significant"]) for name in sets
        }
        above = [name for name, both in signs.items() if min(both) > 0]
        below = [name for name, both in signs.items() if min(both) < 0]
        figures = {
            "to_none": to_none,
            "to_copies": to_copies,
            "above_both": above,
            "below_either": below,
            "sets": len(sets),
        }
        met = not below and len(above) >= _needed(GENERATION_SHARE, sets)
        return _verdict(words, met=met, figures=figures)

    def transfer(self, arms: Contenders) -> dict[str, Any]:
        """Other heads' macro-F1 on what the generated arm gathered against random's."""
        words = (
            "Transfer: acquired and generated data beats the random arm's for at least three in "
            "four other learners on four of six sets"
        )
        sets = self.sets(arms.generated, arms.random)
        heads = sorted({h for name in sets for h in self.heads(name, arms.generated)})
        if not heads:
            return _unjudged(words)
        table = {
            head: self.against(arms.generated, arms.random, sets=sets, read=_fact(head))
            for head in heads
        }
        won = {
            name: [h for h in heads if name in table[h] and table[h][name]["mean"] > 0]
            for name in sets
        }
        enough = [name for name, list_ in won.items() if len(list_) >= _needed(HEADS_SHARE, heads)]
        figures = {"heads": table, "won": won, "sets_won": enough, "sets": len(sets)}
        return _verdict(words, met=len(enough) >= _needed(TRANSFER_SHARE, sets), figures=figures)

    def sets(self, *names: str | None) -> list[str]:
        """Data sets on which every named arm has a cell; none when a part has no arm."""
        return [d for d, arms in self.cells.items() if all(name in arms for name in names)]

    def heads(self, dataset: str, arm: str | None) -> list[str]:
        """The names of the facts that hold another head's macro-F1 in the cell of an arm."""
        facts = self.cells[dataset][str(arm)]["final"].get("facts", {})
        return [name for name in facts if name.startswith(TRANSFER)]

    def against(
        self,
        arm: str | None,
        baseline: str | None,
        *,
        sets: Sequence[str],
        read: Callable[[Mapping[str, Any]], Any] = itemgetter("macro_f1"),
    ) -> dict[str, dict[str, Any]]:
        """Data set -> the paired difference, its Holm p over the sets and its significant sign."""
        found: dict[str, Paired] = {}
        for name in sets:
            left, right = common(self.cells[name][str(arm)], self.cells[name][str(baseline)], read)
            if len(left):
                rng = stream(self.seed, name, str(arm), str(baseline))
                found[name] = paired(left, right, rng=rng)
        adjusted = holm([row.p for row in found.values()])
        return {
            name: {
                "mean": row.difference.mean,
                "low": row.difference.low,
                "high": row.difference.high,
                "p_holm": p,
                "significant": int(np.sign(row.difference.mean)) if p < LEVEL else 0,
            }
            for (name, row), p in zip(found.items(), adjusted, strict=True)
        }

    def best_baseline(self, dataset: str, *, arms: Contenders) -> str | None:
        """The baseline with the highest mean macro-F1 on this set."""
        means = {
            name: float(np.mean(self.cells[dataset][name]["final"]["macro_f1"]))
            for name in arms.baselines
            if name in self.cells[dataset]
        }
        return max(means, key=lambda name: means[name]) if means else None


def _fact(name: str) -> Callable[[Mapping[str, Any]], Any]:
    def read(final: Mapping[str, Any]) -> list[Any]:
        return list(final.get("facts", {}).get(name, [None] * len(final["seeds"])))

    return read


def floored(by_set: Mapping[str, float]) -> float | None:
    """The mean of the sets' ratios, each at least ``FLOOR``; None without any."""
    return float(np.mean([max(FLOOR, value) for value in by_set.values()])) if by_set else None


def _needed(share: float, things: Sequence[str]) -> int:
    """The count that a share of the things asks for, rounded up."""
    return math.ceil(share * len(things) - 1e-9)


def _above(low: float | None, edge: float) -> bool:
    return low is not None and low > edge


def _ends(found: Mapping[str, Any]) -> list[float | None]:
    return [found["low"], found["high"]]


def _verdict(target: str, *, met: bool, figures: Mapping[str, Any]) -> dict[str, Any]:
    return {"target": target, "met": met, "figures": dict(figures)}


def _unjudged(target: str) -> dict[str, Any]:
    return {"target": target, "met": None, "figures": {}}
