"""A made-up study with plausible figures: runs, truths and set facts for statistics and reports."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.evidence.records import Arm, Experiment, Run
from core.records import Choice

GAINS = {
    "random": (1.0, 0.0),
    "entropy": (0.92, 0.01),
    "margin": (0.95, 0.02),
    "cluster_entropy": (0.9, 0.005),
    "cluster_error": (0.88, 0.01),
    "k_center": (0.97, -0.02),
    "badge": (0.9, 0.015),
    "tail": (0.55, 0.025),
}
"""Arm -> its spread of class counts over random's, and its gain in macro-F1 at the end."""
SETS = {
    "diasafety5_viol_lt": ("violation", 5, 0.70),
    "diasafety6_lt": ("harm", 6, 0.58),
    "edos5": ("sexism", 5, 0.30),
    "davidson3": ("speech", 3, 0.60),
    "sms_spam": ("kind", 2, 0.90),
    "banking77": ("intent", 20, 0.55),
}
TEST_ROWS = 120


def experiment(
    *, seeds: int = 12, datasets: tuple[str, ...] = tuple(SETS), arms: tuple[Arm, ...] | None = None
) -> Experiment:
    """Eight strategies, the even-by-oracle reference and the whole pool."""
    strategies = tuple(Arm(name=name, strategy=Choice(name=name)) for name in GAINS)
    references = tuple(
        Arm(name=name, strategy=Choice(name=name), reference=True)
        for name in ("even_by_oracle", "whole_pool")
    )
    return Experiment(
        name="strategies",
        title="Strategies at equal labels",
        question="Which strategy gives even labels and an accurate detector at once?",
        datasets=datasets,
        arms=arms or strategies + references,
        seeds=tuple(range(seeds)),
        default="tail",
        sha256="0" * 64,
    )


def study(asked: Experiment) -> tuple[list[Run], dict[str, np.ndarray], dict[str, Any]]:
    """Runs of every cell, the truths and the facts about the sets."""
    truths = {name: truth(name) for name in asked.datasets}
    runs = [
        run(dataset, arm, seed, asked=asked, truth=truths[dataset])
        for dataset in asked.datasets
        for arm in asked.arms
        for seed in asked.seeds
    ]
    return runs, truths, {name: facts(name) for name in asked.datasets}


def classes(dataset: str) -> list[str]:
    stem, count, _ = SETS[dataset]
    return [f"{stem}-{i + 1:02}" for i in range(count)]


def truth(dataset: str) -> np.ndarray:
    return np.arange(TEST_ROWS, dtype=np.uint8) % len(classes(dataset))


def facts(dataset: str) -> dict[str, Any]:
    sizes = [int(4000 / (i + 1) ** 1.5) for i in range(len(classes(dataset)))]
    table = {
        name: {"train": n, "reserve": int(n * 0.3), "pool": int(n * 0.5), "test": n // 4}
        for name, n in zip(classes(dataset), sizes, strict=True)
    }
    return {
        "licence": "CC BY 4.0",
        "source": f"https://example.org/{dataset}",
        "rule": "as published" if dataset != "banking77" else "20 largest intents, long-tailed",
        "classes": table,
        "flags": ["banking77: intent-20 has 13 reserve rows"] if dataset == "banking77" else [],
    }


def run(dataset: str, arm: Arm, seed: int, *, asked: Experiment, truth: np.ndarray) -> Run:
    """One cell's run; all arms of a seed share its luck, as paired seeds do."""
    shared = np.random.default_rng([seed, len(dataset)])
    own = np.random.default_rng([seed, len(dataset), *arm.name.encode()])
    luck = shared.normal(0, 0.02)
    rounds = [
        one_round(dataset, arm, number, asked=asked, luck=luck, rng=own)
        for number in range(asked.rounds + 1)
    ]
    wrong = own.integers(0, len(classes(dataset)), len(truth))
    right = own.random(len(truth)) < rounds[-1]["macro_f1"]
    return Run(
        key=f"{dataset}-{arm.name}-{seed}",
        dataset=dataset,
        arm=arm.name,
        seed=seed,
        rounds=tuple(rounds),
        predictions=np.where(right, truth, wrong).astype(np.uint8),
        facts={
            "strategy": arm.strategy.name,
            "seconds": 2.5,
            "transfer": {
                head: float(rounds[-1]["macro_f1"] - 0.05 + own.normal(0, 0.01))
                for head in asked.transfer
            },
        },
    )


def one_round(
    dataset: str, arm: Arm, number: int, *, asked: Experiment, luck: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Counts from a long tail that the arm flattens; scores that grow with the labels."""
    spread, gain = GAINS.get(arm.name, (0.35, 0.0))
    bought = number / asked.rounds
    labels = asked.start + number * asked.batch
    natural = 1 / np.arange(1, len(classes(dataset)) + 1) ** 1.5
    natural /= natural.sum()
    flat = 1 - (1 - spread) * bought
    share = flat * natural + (1 - flat) / len(natural)
    counts = rng.multinomial(labels, share)
    present = counts[counts > 0] / labels
    entropy = -(present * np.log(present)).sum() / np.log(len(counts))
    start = SETS[dataset][2]
    f1 = start + luck + (0.12 + gain) * np.sqrt(bought) + rng.normal(0, 0.008)
    f1 = float(np.clip(f1 if arm.name != "whole_pool" else start + 0.17, 0, 1))
    return {
        "labels": labels,
        "counts": {name: int(n) for name, n in zip(classes(dataset), counts, strict=True)},
        "recall": {
            name: float(np.clip(f1 - 0.03 * i, 0, 1)) for i, name in enumerate(classes(dataset))
        },
        "std": float(counts.std()),
        "normalised_entropy": float(entropy),
        "smallest_class": int(counts.min()),
        "macro_f1": f1,
        "weighted_f1": float(np.clip(f1 + 0.05, 0, 1)),
        "accuracy": float(np.clip(f1 + 0.06, 0, 1)),
        "calibration_error": float(0.12 - 0.05 * bought),
        "clusters_covered": float(0.4 + 0.5 * bought),
    }
