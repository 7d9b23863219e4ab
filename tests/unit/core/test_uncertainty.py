from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.uncertainty import BLOCK_VALUES, entropy, least_confidence, margin_uncertainty

MEASURES = (entropy, margin_uncertainty, least_confidence)


def probabilities(rows, classes, *, seed, sharpness=0.3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, sharpness), size=rows).astype(np.float32)


@given(rows=st.integers(0, 30), classes=st.integers(1, 9), seed=st.integers(0, 2**32))
def test_entropy_is_the_sum_over_classes_in_nats(rows, classes, seed):
    p = probabilities(rows, classes, seed=seed).astype(np.float64)
    expected = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)
    np.testing.assert_allclose(entropy(p.astype(np.float32)), expected, atol=1e-5)


@given(rows=st.integers(0, 30), classes=st.integers(2, 9), seed=st.integers(0, 2**32))
def test_margin_uncertainty_is_one_minus_the_gap_of_the_two_largest(rows, classes, seed):
    p = probabilities(rows, classes, seed=seed)
    ranked = np.sort(p, axis=1)
    expected = 1 - (ranked[:, -1] - ranked[:, -2])
    np.testing.assert_allclose(margin_uncertainty(p), expected, atol=1e-6)


@given(rows=st.integers(1, 30), classes=st.integers(1, 9), seed=st.integers(0, 2**32))
def test_least_confidence_is_one_minus_the_largest(rows, classes, seed):
    p = probabilities(rows, classes, seed=seed)
    np.testing.assert_allclose(least_confidence(p), 1 - p.max(axis=1), atol=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_certain_rows_have_no_uncertainty_and_no_nan(measure):
    assert measure(np.eye(4, dtype=np.float32)).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("measure", MEASURES)
def test_one_class_is_always_certain(measure):
    assert measure(np.ones((3, 1), dtype=np.float32)).tolist() == [0, 0, 0]


def test_uniform_rows_reach_the_greatest_entropy():
    assert entropy(np.full((1, 6), 1 / 6, dtype=np.float32))[0] == pytest.approx(np.log(6))


def independent(rows, labels, *, seed):
    rng = np.random.default_rng(seed)
    return rng.choice([0.0, 0.5, 1.0, *rng.random(5)], size=(rows, labels)).astype(np.float32)


sized = given(rows=st.integers(0, 30), labels=st.integers(1, 9), seed=st.integers(0, 2**32))


@sized
def test_entropy_of_many_labels_is_the_mean_of_each_ones_own(rows, labels, seed):
    p = independent(rows, labels, seed=seed)
    pairs = np.stack([p, 1 - p], axis=2).reshape(-1, 2)
    expected = entropy(pairs).reshape(rows, labels).mean(axis=1)
    np.testing.assert_allclose(entropy(p, multi_label=True), expected, atol=1e-5)


@sized
def test_margin_of_many_labels_is_that_of_the_most_undecided(rows, labels, seed):
    p = independent(rows, labels, seed=seed)
    expected = 1 - np.abs(2 * p - 1).min(axis=1)
    np.testing.assert_allclose(margin_uncertainty(p, multi_label=True), expected, atol=1e-6)


@sized
def test_confidence_in_many_labels_is_in_the_likeliest_set(rows, labels, seed):
    p = independent(rows, labels, seed=seed)
    expected = 1 - np.maximum(p, 1 - p).prod(axis=1)
    np.testing.assert_allclose(least_confidence(p, multi_label=True), expected, atol=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_certain_labels_have_no_uncertainty(measure):
    assert measure(np.eye(3, dtype=np.float32), multi_label=True).tolist() == [0, 0, 0]


@pytest.mark.parametrize("measure", MEASURES)
def test_blocks_do_not_show_in_the_answer(measure):
    p = probabilities(BLOCK_VALUES // 5 + 7, 5, seed=1)
    whole = measure(p)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[-9:], measure(p[-9:]))


@pytest.mark.parametrize("measure", MEASURES)
def test_extra_memory_is_the_answer_and_a_few_blocks(measure):
    p = probabilities(400_000, 6, seed=2)
    tracemalloc.start()
    measure(p)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000 * 4 + 5 * BLOCK_VALUES * 4
