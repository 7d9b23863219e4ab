"""Bootstrap intervals over seeds."""

import numpy as np
import pytest

from benchmarks.statistics.intervals import ratio, spread, spreads, stream


def test_the_interval_holds_the_mean_and_narrows_with_more_seeds() -> None:
    rng = np.random.default_rng(0)
    few = spread(rng.normal(0.5, 0.1, 10), rng=np.random.default_rng(1))
    many = spread(rng.normal(0.5, 0.1, 160), rng=np.random.default_rng(1))
    assert few.low < few.mean < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_ninety_five_percent_intervals_hold_the_truth_about_so_often() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.0, 1.0, (40, 400))
    found = spreads(values, rng=np.random.default_rng(3), resamples=500)
    held = np.mean([s.low <= 0 <= s.high for s in found])
    assert 0.90 <= held <= 0.98


def test_the_same_stream_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=12)
    first = spread(values, rng=stream(0, "set", "arm"))
    assert spread(values, rng=stream(0, "set", "arm")) == first
    assert spread(values, rng=stream(0, "set", "other")) != first


def test_values_that_do_not_vary_have_no_width() -> None:
    found = spread(np.full(8, 0.3), rng=np.random.default_rng(0))
    assert (found.low, found.high, found.sd) == pytest.approx((0.3, 0.3, 0.0))


def test_one_seed_has_no_interval() -> None:
    found = spread(np.array([0.4]), rng=np.random.default_rng(0))
    assert (found.mean, found.low, found.high, found.sd, found.n) == (0.4, None, None, None, 1)


def test_a_ratio_of_means_keeps_pairs_together() -> None:
    below = np.random.default_rng(4).uniform(10, 90, 30)
    found = ratio(below * 0.6, below, rng=np.random.default_rng(5))
    assert (found.mean, found.low, found.high) == pytest.approx((0.6, 0.6, 0.6))


def test_a_ratio_to_nothing_is_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        ratio(np.ones(3), np.zeros(3), rng=np.random.default_rng(0))
