from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metrics import (
    class_counts,
    cluster_coverage,
    evaluate,
    imbalance,
    lost_labels,
    normalised_entropy,
    smallest_class,
    std,
    stuck_clusters,
)

some_counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 500), min_size=1)


def test_counts_hold_every_class_and_each_id_of_an_answer():
    counts = class_counts([("a",), ("b", "a")], classes=("a", "b", "c"))
    assert counts == {"a": 2, "b": 1, "c": 0}


def test_std_is_that_of_the_population():
    assert std({"a": 2, "b": 4}) == 1.0
    assert std({}) == 0.0


@given(counts=some_counts)
def test_normalised_entropy_stays_between_nothing_and_even(counts):
    assert 0 <= normalised_entropy(counts) <= 1 + 1e-12


def test_even_counts_have_entropy_one_and_a_single_filled_class_zero():
    assert normalised_entropy({"a": 7, "b": 7, "c": 7}) == pytest.approx(1)
    assert normalised_entropy({"a": 7, "b": 0}) == 0
    assert normalised_entropy({"a": 0, "b": 0}) == 0
    assert normalised_entropy({"a": 3}) == 1


def test_a_class_without_labels_lowers_the_evenness():
    assert normalised_entropy({"a": 5, "b": 5, "c": 0}) == pytest.approx(np.log(2) / np.log(3))


def test_counts_at_their_target_shares_count_as_even():
    shares = {"a": 0.6, "b": 0.3, "c": 0.1}
    assert normalised_entropy({"a": 60, "b": 30, "c": 10}, shares=shares) == pytest.approx(1)
    assert normalised_entropy({"a": 30, "b": 30, "c": 30}, shares=shares) < 0.95


def test_the_smallest_class_is_the_first_of_equals():
    assert smallest_class({"a": 3, "b": 1, "c": 1}) == ("b", 1)


def test_coverage_counts_clusters_with_pool_rows_only():
    coverage = cluster_coverage(
        np.array([0, 0, 1, 2, 3], dtype=np.int32),
        labelled_positions=np.array([1, 4]),
        pool=np.array([True, True, True, True, False]),
        cluster_count=5,
    )
    assert coverage == {"clusters": 3, "with_labels": 1, "share": pytest.approx(1 / 3)}


PROBABILITIES = np.array([[0.8, 0.2, 0], [0.6, 0.4, 0], [0.3, 0.7, 0]], dtype=np.float32)


def test_evaluation_by_hand():
    result = evaluate(PROBABILITIES, np.array([0, 1, 1]), classes=("a", "b", "c"))
    assert result["accuracy"] == pytest.approx(2 / 3)
    assert result["per_class"]["a"] == pytest.approx(
        {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 1}
    )
    assert result["macro_f1"] == pytest.approx(2 / 3)
    assert result["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert result["log_loss"] == pytest.approx(-np.log([0.8, 0.4, 0.7]).mean(), abs=1e-6)


def test_a_class_without_test_rows_does_not_lower_the_macro_f1():
    perfect = np.eye(3, dtype=np.float32)[[0, 1]]
    assert evaluate(perfect, np.array([0, 1]), classes=("a", "b", "c"))["macro_f1"] == 1


def test_evaluation_is_json_and_survives_certain_mistakes():
    wrong = np.eye(2, dtype=np.float32)
    result = evaluate(wrong, np.array([1, 0]), classes=("a", "b"))
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["calibration_error"] == 1


def test_no_rows_evaluate_to_nothing():
    assert evaluate(PROBABILITIES[:0], np.array([], dtype=int), classes=("a", "b", "c")) == {}


def test_calibration_error_compares_confidence_with_accuracy_by_bin():
    rows = np.array([[0.75, 0.25]] * 4, dtype=np.float32)
    assert evaluate(rows, np.array([0, 0, 0, 1]), classes=("a", "b"))[
        "calibration_error"
    ] == pytest.approx(0)
    assert evaluate(rows, np.array([0, 0, 1, 1]), classes=("a", "b"))[
        "calibration_error"
    ] == pytest.approx(0.25)


def test_picks_from_one_corner_are_stuck():
    found = stuck_clusters([[1] * 10, [1] * 9 + [2], [1] * 10], cluster_count=20)
    assert found is not None
    assert found.code == "stuck-clusters"
    assert found.facts["clusters_effective"] < 2


def test_spread_picks_are_not_stuck():
    assert stuck_clusters([list(range(10))] * 3, cluster_count=20) is None


def test_only_the_last_three_rounds_count():
    stuck, spread = [0] * 10, list(range(10))
    assert stuck_clusters([stuck, spread, spread, spread], cluster_count=20) is None
    assert stuck_clusters([spread, stuck, stuck, stuck], cluster_count=20) is not None


@pytest.mark.parametrize("rounds", [[[0] * 30] * 2, [[0] * 5] * 3, []])
def test_too_few_picks_say_nothing_about_being_stuck(rounds):
    assert stuck_clusters(rounds, cluster_count=20) is None


def test_one_cluster_cannot_be_stuck():
    assert stuck_clusters([[0] * 10] * 3, cluster_count=1) is None


@given(seed=st.integers(0, 10_000))
def test_random_picks_over_even_clusters_are_never_called_stuck(seed):
    rng = np.random.default_rng(seed)
    rounds = [rng.integers(20, size=10).tolist() for _ in range(3)]
    assert stuck_clusters(rounds, cluster_count=20) is None


@pytest.mark.parametrize(
    ("checked", "lost", "warned"), [(19, 19, False), (20, 4, False), (20, 5, True), (0, 0, False)]
)
def test_lost_labels_speak_above_a_fifth_of_enough_rows(checked, lost, warned):
    assert (lost_labels(checked=checked, lost=lost) is not None) == warned


def test_uneven_labels_are_named_with_their_smallest_class():
    found = imbalance({"a": 90, "b": 8, "c": 2})
    assert found is not None
    assert found.facts["smallest_class"] == "c"


def test_a_class_without_labels_is_an_imbalance():
    found = imbalance({"a": 20, "b": 20, "c": 20, "d": 20, "e": 0})
    assert found is not None
    assert found.facts["classes_without_labels"] == ["e"]


def test_even_or_few_labels_are_no_imbalance():
    assert imbalance({"a": 20, "b": 20, "c": 15}) is None
    assert imbalance({"a": 19, "b": 0}) is None
    assert imbalance({"a": 50}) is None


def test_labels_at_their_target_are_no_imbalance():
    shares = {"a": 0.9, "b": 0.1, "c": 0.0}
    assert imbalance({"a": 90, "b": 10, "c": 0}, shares=shares) is None
