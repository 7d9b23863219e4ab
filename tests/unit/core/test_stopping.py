"""Stopping criteria over made-up predictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import InvalidOption
from core.records import Choice
from core.stopping import (
    Opinion,
    change,
    kappa,
    mean_uncertainty,
    stop_set,
    stopping_criteria,
)

EVERY = stopping_criteria().names()
COMPARING = ("classification_change", "kappa_average")

predictions = arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 3))


def criterion(name, **options):
    return stopping_criteria().make(Choice(name=name, options=options))


def opinions(*predicted, uncertainty=0.5):
    return [Opinion(predicted=np.array(p), uncertainty=uncertainty) for p in predicted]


@pytest.mark.parametrize("name", EVERY)
def test_without_a_model_there_is_no_value_and_no_stop(name):
    verdict = criterion(name).judge([])
    assert (verdict.stop, verdict.value) == (False, None)


@pytest.mark.parametrize("name", COMPARING)
def test_one_model_alone_cannot_be_compared(name):
    verdict = criterion(name).judge(opinions([0, 1, 2]))
    assert (verdict.stop, verdict.value) == (False, None)


@pytest.mark.parametrize("name", COMPARING)
def test_a_window_that_is_not_full_never_stops(name):
    history = opinions(*[[0, 1, 2, 0]] * 3)
    verdict = criterion(name, window=3).judge(history)
    assert not verdict.stop
    assert "1" in verdict.why


@pytest.mark.parametrize("name", COMPARING)
def test_predictions_that_stay_the_same_stop(name):
    assert criterion(name, window=3).judge(opinions(*[[0, 1, 2, 0]] * 4)).stop


@pytest.mark.parametrize("name", COMPARING)
def test_only_the_window_counts(name):
    history = opinions([2, 2, 2, 2], [0, 1, 2, 0], [0, 1, 2, 0])
    assert criterion(name, window=1).judge(history).stop
    assert not criterion(name, window=2).judge(history).stop


def test_the_change_is_the_mean_share_of_rows_that_differ():
    history = opinions([0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 1, 1])
    verdict = criterion("classification_change", threshold=0.375).judge(history)
    assert verdict.value == pytest.approx((0.25 + 0.5) / 2)
    assert verdict.stop
    assert not criterion("classification_change", threshold=0.37).judge(history).stop


def test_kappa_of_a_known_table():
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: agreed .7, by chance .5, kappa .4."""
    one = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    other = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert kappa(one, other) == pytest.approx(0.4)


def test_kappa_is_one_where_both_say_one_thing_only():
    assert kappa(np.zeros(5, dtype=int), np.zeros(5, dtype=int)) == 1.0


@given(one=predictions, seed=st.integers(0, 2**32))
def test_kappa_is_symmetric_and_at_most_one(one, seed):
    other = np.random.default_rng(seed).permutation(one)
    assert kappa(one, other) == pytest.approx(kappa(other, one))
    assert -1 - 1e-9 <= kappa(one, other) <= 1
    assert kappa(one, one) == 1


@given(one=predictions, seed=st.integers(0, 2**32))
def test_the_change_does_not_depend_on_how_classes_are_numbered(one, seed):
    rng = np.random.default_rng(seed)
    other, names = rng.permutation(one), rng.permutation(4)
    assert change(one, other) == change(names[one], names[other])
    assert kappa(one, other) == pytest.approx(kappa(names[one], names[other]))


def test_a_row_of_several_labels_has_changed_when_one_of_them_has():
    before = np.array([[True, False], [False, False], [True, True]])
    after = np.array([[True, True], [False, False], [False, False]])
    assert change(before, after) == pytest.approx(2 / 3)
    assert kappa(before, after) == pytest.approx(kappa(before.ravel(), after.ravel()))


@pytest.mark.parametrize(("uncertainty", "stop"), [(0.3, False), (0.1, True), (0.05, True)])
def test_a_model_that_is_sure_of_the_pool_stops(uncertainty, stop):
    history = opinions([0], uncertainty=uncertainty)
    assert criterion("overall_uncertainty", threshold=0.1).judge(history).stop is stop


def test_uncertainty_is_a_share_of_the_largest_possible():
    even = np.full((3, 4), 0.25, dtype=np.float32)
    sure = np.eye(4, dtype=np.float32)
    assert mean_uncertainty(even) == pytest.approx(1)
    assert mean_uncertainty(sure) == pytest.approx(0, abs=1e-6)
    assert mean_uncertainty(np.concatenate([even, even, sure[:2]])) == pytest.approx(0.75)
    assert mean_uncertainty(np.full((2, 3), 0.5, np.float32), multi_label=True) == pytest.approx(1)


def test_uncertainty_of_no_rows_or_one_class_is_nothing():
    assert mean_uncertainty(np.empty((0, 3), dtype=np.float32)) == 0
    assert mean_uncertainty(np.ones((3, 1), dtype=np.float32)) == 0


@given(rows=st.integers(0, 300), most=st.integers(1, 100), lost=st.integers(0, 299))
def test_a_stop_set_is_fixed_but_for_rows_that_are_gone(rows, most, lost):
    positions = np.arange(rows, dtype=np.int64)
    chosen = stop_set(positions, most=most)
    assert len(chosen) == min(rows, most)
    assert (np.diff(chosen) > 0).all()
    left = stop_set(positions[positions != lost], most=most)
    assert set(chosen.tolist()) - {lost} <= set(left.tolist())


def test_a_stop_set_is_spread_over_the_pool():
    chosen = stop_set(np.arange(10_000, dtype=np.int64))
    quarters = np.bincount(chosen // 2_500)
    assert len(chosen) == 2_000
    assert quarters.min() > 400


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "options",
    [{"threshold": 1.1}, {"threshold": "low"}, {"window": 0}, {"window": 1.5}, {"patience": 2}],
)
def test_bad_options_are_refused(name, options):
    with pytest.raises(InvalidOption):
        criterion(name, **options)
