"""What a study's summary says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.evidence.records import Arm, Run
from benchmarks.statistics import summarise, to_json
from benchmarks.statistics.cells import area_under_curve
from core.records import Choice
from tests import synthetic_study as synthetic

ARMS = tuple(Arm(name=name, strategy=Choice(name=name)) for name in ("random", "margin", "tail"))
ORACLE = Arm(name="even_by_oracle", reference=True)
ASKED = replace(
    synthetic.experiment(seeds=8, datasets=("davidson3", "sms_spam"), arms=(*ARMS, ORACLE)),
    rounds=2,
    transfer=("svm",),
)
RUNS, TRUTHS, FACTS = synthetic.study(ASKED)
SUMMARY = summarise(ASKED, RUNS, truths=TRUTHS, datasets=FACTS)


def rows(measure: str, **where: str) -> list[dict[str, object]]:
    wanted = {"measure": measure} | where
    return [r for r in SUMMARY["comparisons"] if all(r[k] == v for k, v in wanted.items())]


def test_the_order_of_the_runs_does_not_matter() -> None:
    shuffled = [RUNS[i] for i in np.random.default_rng(0).permutation(len(RUNS))]
    again = summarise(ASKED, shuffled, truths=TRUTHS, datasets=FACTS)
    assert to_json(again) == to_json(SUMMARY)


def test_it_survives_json_with_keys_sorted_and_six_decimals() -> None:
    text = to_json(SUMMARY)
    assert json.loads(text) == SUMMARY
    assert list(SUMMARY) == sorted(SUMMARY)
    mean = SUMMARY["cells"]["davidson3"]["tail"]["rounds"][-1]["macro_f1"]["mean"]
    assert mean == round(mean, 6)


def test_every_scalar_measure_of_a_round_has_a_mean_and_an_interval() -> None:
    last = SUMMARY["cells"]["davidson3"]["margin"]["rounds"][-1]
    mine = [r.rounds[-1]["accuracy"] for r in RUNS if (r.dataset, r.arm) == ("davidson3", "margin")]
    assert last["labels"] == 180
    assert last["accuracy"]["mean"] == pytest.approx(np.mean(mine), abs=1e-6)
    assert last["accuracy"]["low"] < last["accuracy"]["mean"] < last["accuracy"]["high"]
    assert {"clusters_covered", "calibration_error", "std"} <= set(last)


def test_counts_recall_and_facts_are_kept() -> None:
    cell = SUMMARY["cells"]["sms_spam"]["tail"]
    assert sum(cell["counts"][0].values()) == pytest.approx(60)
    assert set(cell["recall"]) == {"kind-01", "kind-02"}
    assert cell["facts"]["transfer.svm"] == pytest.approx(
        np.mean(cell["final"]["facts"]["transfer.svm"]), abs=1e-5
    )
    assert "strategy" not in cell["facts"]


def test_final_values_are_one_a_seed() -> None:
    final = SUMMARY["cells"]["sms_spam"]["random"]["final"]
    assert final["seeds"] == list(range(8))
    assert len(final["macro_f1"]) == len(final["std"]) == len(final["area_under_curve"]) == 8


def test_every_other_arm_is_compared_with_the_baseline() -> None:
    found = rows("macro_f1", dataset="davidson3")
    assert [row["arm"] for row in found] == ["margin", "tail", "even_by_oracle"]
    assert all(row["p"] <= row["p_holm"] <= 1 for row in found)
    assert all(row["wins"] + row["ties"] + row["losses"] == row["n"] == 8 for row in found)


def test_lower_spread_counts_as_a_win() -> None:
    (row,) = rows("std", dataset="davidson3", arm="tail")
    assert row["mean"] < 0
    assert row["wins"] == 8


def test_the_crossed_interval_stands_beside_where_predictions_are_kept() -> None:
    assert {(r["dataset"], r["arm"]) for r in SUMMARY["crossed"]} == {
        (d, a) for d in ASKED.datasets for a in ("margin", "tail", "even_by_oracle")
    }
    assert summarise(ASKED, RUNS, truths={}, datasets=FACTS)["crossed"] == []


def test_the_ratio_of_spread_is_of_means() -> None:
    cells = SUMMARY["cells"]["davidson3"]
    expected = np.mean(cells["tail"]["final"]["std"]) / np.mean(cells["random"]["final"]["std"])
    found = SUMMARY["ratios"]["davidson3"]["tail"]["std_ratio"]
    assert found["mean"] == pytest.approx(expected, abs=1e-5)
    assert found["low"] < found["mean"] < found["high"] < 1


def test_references_have_no_rank() -> None:
    ranks = SUMMARY["ranks"]["std"]
    assert set(ranks["average"]) == {"random", "margin", "tail"}
    assert ranks["average"]["tail"] == 1
    assert ranks["blocks"] == 2


def test_a_study_under_way_compares_the_seeds_that_both_arms_have() -> None:
    part = [r for r in RUNS if not (r.arm == "tail" and r.seed > 4) and r.dataset == "davidson3"]
    found = summarise(ASKED, part, truths=TRUTHS, datasets=FACTS)
    (row,) = (r for r in found["comparisons"] if (r["arm"], r["measure"]) == ("tail", "macro_f1"))
    assert row["n"] == 5
    assert list(found["cells"]) == ["davidson3"]


def test_one_seed_gives_means_without_intervals() -> None:
    found = summarise(ASKED, [r for r in RUNS if r.seed == 0], truths=TRUTHS, datasets=FACTS)
    last = found["cells"]["sms_spam"]["tail"]["rounds"][-1]["macro_f1"]
    assert (last["low"], last["high"], last["n"]) == (None, None, 1)


def test_one_more_arm_moves_no_other_interval() -> None:
    fewer = summarise(ASKED, [r for r in RUNS if r.arm != "margin"], truths=TRUTHS, datasets=FACTS)
    assert fewer["cells"]["sms_spam"]["tail"] == SUMMARY["cells"]["sms_spam"]["tail"]


def test_a_measure_that_a_seed_lacks_is_averaged_over_the_others() -> None:
    def without(run: Run) -> Run:
        last = run.rounds[-1]
        short = {**last, "accuracy": None, "calibration_error": float("nan")}
        return replace(run, rounds=(*run.rounds[:-1], short)) if run.seed == 0 else run

    found = summarise(ASKED, [without(r) for r in RUNS], truths=TRUTHS, datasets=FACTS)
    last = found["cells"]["sms_spam"]["tail"]["rounds"][-1]
    assert (last["accuracy"]["n"], last["calibration_error"]["n"], last["std"]["n"]) == (7, 7, 8)


def test_the_area_under_the_curve_is_normalised_by_the_labels() -> None:
    curve = [{"labels": 60, "macro_f1": 0.4}, {"labels": 120, "macro_f1": 0.6}]
    assert area_under_curve(curve) == pytest.approx(0.5)
    assert area_under_curve(curve[:1]) == pytest.approx(0.4)


def test_what_holds_nothing_of_its_own_stands_on_one_line() -> None:
    summary = {
        "b": {"mean": 0.5, "n": 2},
        "a": [0.25, 0.75],
        "rule": "text with [brackets]\nand {more}",
    }
    text = to_json(summary)
    assert '"a": [ 0.25, 0.75 ]' in text
    assert '"b": { "mean": 0.5, "n": 2 }' in text
    assert json.loads(text) == summary
