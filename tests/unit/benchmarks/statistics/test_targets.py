"""The verdicts on what the default must reach."""

from typing import Any

import numpy as np
import pytest

from benchmarks.statistics.targets import Contenders, verdicts

SETS = ("davidson3", "edos5", "sms_spam")
HEADS = ("svm", "bayes", "tfidf", "second")
PARTS = Contenders(default="tail", best="margin", generated="tail_generated", copies="copies")
SEEDS = 8


def judged(
    values: dict[str, dict[str, float]], *, parts: Contenders = PARTS
) -> list[dict[str, Any]]:
    """Verdicts on a summary with the given means on every set: arm -> measure -> value."""
    cells = {name: {arm: {"final": final(means)} for arm, means in values.items()} for name in SETS}
    return verdicts({"cells": cells}, arms=parts)


def final(means: dict[str, float]) -> dict[str, Any]:
    """The same luck for every arm of a seed, around the means."""
    luck = np.linspace(-1e-3, 1e-3, SEEDS)
    scores = {name: (means.get(name, 0.5) + luck).tolist() for name in ("std", "macro_f1", "heads")}
    facts = {f"transfer.{head}": scores["heads"] for head in HEADS}
    return {"seeds": list(range(SEEDS)), "facts": facts, **scores}


LEAD = {
    "random": {"std": 50.0, "macro_f1": 0.50, "heads": 0.4},
    "cluster_entropy": {"std": 45.0, "macro_f1": 0.52},
    "margin": {"macro_f1": 0.55},
    "tail": {"std": 30.0, "macro_f1": 0.55},
    "even_by_oracle": {"std": 5.0},
    "tail_generated": {"macro_f1": 0.58, "heads": 0.45},
    "copies": {"macro_f1": 0.54},
}


def test_a_default_that_leads_everywhere_meets_every_target() -> None:
    found = judged(LEAD)
    assert [row["met"] for row in found] == [True, True, True, True]
    assert found[0]["figures"]["mean_ratio"] == pytest.approx(0.6, abs=1e-3)


def test_the_attainable_ratio_is_floored_as_the_default_is() -> None:
    figures = judged(LEAD)[0]["figures"]
    assert figures["attainable"] == pytest.approx(0.30)
    assert figures["attainable_ratios"]["edos5"] == pytest.approx(0.1, abs=1e-3)


def test_a_default_no_evener_than_the_papers_rule_misses() -> None:
    found = judged(LEAD | {"cluster_entropy": {"std": 20.0, "macro_f1": 0.52}})
    assert found[0]["met"] is False
    assert found[0]["figures"]["below_cluster"] == []


def test_a_loss_to_the_chosen_baseline_misses_accuracy_and_names_the_sets() -> None:
    found = judged(LEAD | {"margin": {"macro_f1": 0.57}})[1]
    assert found["met"] is False
    assert set(found["figures"]["short_of_best"]) == set(SETS)
    assert set(found["figures"]["best_by_set"].values()) == {"margin"}


def test_generation_no_better_than_copies_misses() -> None:
    found = judged(LEAD | {"copies": {"macro_f1": 0.60}})[2]
    assert found["met"] is False
    assert set(found["figures"]["below_either"]) == set(SETS)


def test_transfer_needs_most_heads() -> None:
    found = judged(LEAD | {"tail_generated": {"macro_f1": 0.58, "heads": 0.35}})[3]
    assert found["met"] is False
    assert found["figures"]["sets_won"] == []


def test_a_part_without_an_arm_leaves_its_target_unjudged() -> None:
    found = judged(LEAD, parts=Contenders(default="tail"))
    assert [row["met"] for row in found] == [True, None, None, None]
