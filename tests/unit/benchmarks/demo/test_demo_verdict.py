"""The demo's sentences say who is ahead, whoever it is."""

from __future__ import annotations

from benchmarks.demo.verdict import about_variations, compare, sentences, warnings
from tests.unit.benchmarks.demo.made_files import arm, round_of


def said(ours, other) -> str:
    arms = arm("cluster_need", ours), arm("random", other)
    return " ".join(sentences(*arms, test_rows=180, seed=4))


def test_the_arms_are_compared_at_the_most_labels_both_have():
    ours = arm("cluster_need", round_of(1), round_of(2), round_of(3))
    found = compare(ours, arm("random", round_of(1), round_of(2)))
    assert found is not None
    assert found.labels == 20


def test_arms_without_equal_labels_are_not_compared():
    ours, other = arm("a", round_of(1)), arm("b", round_of(2))
    assert compare(ours, other) is None
    assert "not compared" in sentences(ours, other, test_rows=1, seed=0)[0]


def test_our_strategy_is_named_where_it_is_ahead():
    words = said(round_of(1, std=2.0, macro_f1=0.6), round_of(1, std=9.0, macro_f1=0.5))
    assert "cluster_need bought the evener labels" in words
    assert "On macro-F1 cluster_need is ahead: 0.600 with cluster_need and 0.500" in words


def test_random_is_named_where_it_is_ahead():
    words = said(round_of(1, std=9.0, macro_f1=0.5), round_of(1, std=2.0, macro_f1=0.6))
    assert "random bought the evener labels" in words
    assert "On macro-F1 random is ahead" in words
    assert "(-0.100, on 180 test rows)" in words


def test_a_small_difference_is_a_draw():
    words = said(round_of(1, std=2.0, macro_f1=0.504), round_of(1, std=2.05, macro_f1=0.5))
    assert "about equally even" in words
    assert "the two are level" in words


def test_one_run_is_called_one_run():
    assert "one run with seed 4" in said(round_of(1), round_of(1))


def test_an_arm_without_a_model_is_not_given_a_score():
    assert "one arm has no model" in said(round_of(1, macro_f1=None), round_of(1))


def test_warnings_of_the_service_and_notes_are_told_with_their_arm():
    sign = {"code": "imbalance", "message": "the labels stay uneven", "facts": {}}
    arms = [
        arm("cluster_need", notes=("the pool was used up after 2 rounds",)),
        arm("random", metrics={"warnings": [sign]}),
    ]
    assert warnings(arms) == [
        "random: the labels stay uneven (imbalance).",
        "cluster_need: the pool was used up after 2 rounds.",
    ]


def test_simulated_variations_are_called_a_stand_in():
    assert "stand in for a language model" in about_variations("simulated")
    assert "rule-based" in about_variations("perturb")
    assert "claude" in about_variations("anthropic (claude-haiku-5-5)")
    assert about_variations(None) == "No variations were written."
