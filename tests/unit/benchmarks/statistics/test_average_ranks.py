"""Average ranks, Friedman and Nemenyi."""

import numpy as np
import pytest

from benchmarks.statistics.ranking import critical_difference, nemenyi, rank


def test_the_best_arm_everywhere_has_rank_one() -> None:
    scores = np.array([[0.9, 0.5, 0.7], [0.8, 0.6, 0.7], [0.5, 0.1, 0.3], [0.9, 0.2, 0.4]])
    assert rank(scores).average == pytest.approx([1, 3, 2])
    assert rank(scores, lower_is_better=True).average == pytest.approx([3, 1, 2])
    assert rank(scores).friedman_p < 0.05


def test_equal_scores_share_their_rank() -> None:
    found = rank(np.full((3, 3), 0.5))
    assert found.average == pytest.approx([2, 2, 2])
    assert found.friedman_p == 1.0


def test_two_arms_have_ranks_but_no_friedman_test() -> None:
    assert rank(np.array([[0.1, 0.2], [0.3, 0.4]])).friedman_p is None


@pytest.mark.parametrize(("arms", "q"), [(2, 1.960), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_uses_the_published_values(arms: int, q: float) -> None:
    """Demšar (2006), table 5a."""
    expected = q * np.sqrt(arms * (arms + 1) / (6 * 14))
    assert critical_difference(arms=arms, blocks=14) == pytest.approx(expected, abs=2e-3)


def test_ranks_exactly_one_critical_difference_apart_have_p_of_five_percent() -> None:
    gap = critical_difference(arms=4, blocks=10)
    p = nemenyi(np.array([1.0, 1.0 + gap, 2.5, 2.5]), blocks=10)
    assert p[0, 1] == pytest.approx(0.05, abs=1e-6)
    assert p[2, 3] == pytest.approx(1.0)
    assert (np.diag(p) == 1).all()
