"""Paired tests over seeds."""

import numpy as np
import pytest

from benchmarks.statistics.paired import holm, paired, wilcoxon


def test_wins_follow_the_direction_of_the_measure_and_the_difference_does_not() -> None:
    arm, baseline = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 2.0, 6.0])
    higher = paired(arm, baseline, rng=np.random.default_rng(0))
    lower = paired(arm, baseline, rng=np.random.default_rng(0), lower_is_better=True)
    assert (higher.wins, higher.ties, higher.losses) == (1, 1, 2)
    assert (lower.wins, lower.ties, lower.losses) == (2, 1, 1)
    assert higher.difference == lower.difference
    assert higher.difference.mean == pytest.approx(-0.5)


def test_rounding_error_is_a_tie() -> None:
    found = paired(np.full(5, 0.3), np.full(5, 0.1 + 0.2), rng=np.random.default_rng(0))
    assert (found.wins, found.ties, found.losses, found.p) == (0, 5, 0, 1.0)


def test_a_steady_gain_is_significant_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    assert wilcoxon(rng.normal(0.05, 0.01, 20)) < 0.001
    assert wilcoxon(np.tile([0.01, -0.01, 0.02, -0.02], 5)) > 0.5


def test_few_seeds_without_equal_differences_have_the_exact_p() -> None:
    assert wilcoxon(np.array([0.1, 0.2, 0.3, 0.4, 0.5])) == pytest.approx(2 / 2**5)


def test_holm_steps_down_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_agrees_with_statsmodels() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(2).uniform(0, 0.2, 15)
    assert holm(list(p)) == pytest.approx(multitest.multipletests(p, method="holm")[1])
