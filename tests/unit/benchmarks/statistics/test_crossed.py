"""The bootstrap over seeds and test rows."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from benchmarks.statistics.crossed import _Indicators, crossed
from benchmarks.statistics.intervals import spread


def predictions(
    truth: np.ndarray, *, seeds: int, right: float, rng: np.random.Generator
) -> np.ndarray:
    wrong = rng.integers(0, int(truth.max()) + 1, (seeds, len(truth)))
    return np.where(rng.random(wrong.shape) < right, truth, wrong).astype(np.uint8)


def test_weighted_counts_give_scikit_learns_macro_f1() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 300).astype(np.uint8)
    guesses = predictions(truth, seeds=3, right=0.6, rng=rng)
    weights = rng.integers(0, 4, (2, 300)).astype(np.float64)
    found = _Indicators(truth, guesses, classes=4).macro_f1(weights)
    expected = [
        [f1_score(truth, row, average="macro", sample_weight=w) for row in guesses] for w in weights
    ]
    assert found == pytest.approx(np.asarray(expected))


def test_a_class_that_no_drawn_row_has_is_left_out() -> None:
    truth = np.array([0, 0, 1, 1, 2], dtype=np.uint8)
    weights = np.array([[1.0, 1.0, 1.0, 1.0, 0.0]])
    assert _Indicators(truth, truth[None], classes=3).macro_f1(weights) == pytest.approx(1.0)


def test_a_clearly_better_arm_is_above_zero_and_the_mean_is_the_plain_one() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 5, 900).astype(np.uint8)
    good, poor = (predictions(truth, seeds=12, right=r, rng=rng) for r in (0.8, 0.6))
    found = crossed(truth, good, poor, rng=np.random.default_rng(2), resamples=300)
    plain = [
        f1_score(truth, a, average="macro") - f1_score(truth, b, average="macro")
        for a, b in zip(good, poor, strict=True)
    ]
    assert found.mean == pytest.approx(np.mean(plain))
    assert 0 < found.low < found.mean < found.high


def test_it_is_wider_than_an_interval_over_seeds_on_a_small_test_set() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 60).astype(np.uint8)
    fixed = predictions(truth, seeds=2, right=0.5, rng=rng)
    arm, baseline = (np.repeat(fixed[i : i + 1], 20, axis=0) for i in (0, 1))
    found = crossed(truth, arm, baseline, rng=np.random.default_rng(4), resamples=400)
    over_seeds = spread(np.full(20, found.mean), rng=np.random.default_rng(5))
    assert found.high - found.low > 0.05 > over_seeds.high - over_seeds.low


def test_the_same_arm_twice_differs_by_nothing() -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 3, 50).astype(np.uint8)
    arm = predictions(truth, seeds=4, right=0.5, rng=rng)
    found = crossed(truth, arm, arm, rng=rng, resamples=50)
    assert (found.mean, found.low, found.high) == (0, 0, 0)
