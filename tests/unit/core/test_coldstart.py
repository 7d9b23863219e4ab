from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.coldstart import representativeness


def unit(rows):
    vectors = np.array(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def cloud(seed, *, centre, rows, noise=0.2):
    rng = np.random.default_rng(seed)
    return np.array(centre, dtype=np.float32) + noise * rng.normal(size=(rows, len(centre)))


def test_the_middle_of_a_cloud_comes_first():
    vectors = unit([[1, 0.3], [1, 0], [1, -0.3]])
    assert np.argmax(representativeness(vectors, picks=3)) == 1


def test_the_second_pick_stands_for_the_other_group():
    groups = [cloud(1, centre=[1, 0, 0], rows=30), cloud(2, centre=[0, 1, 0], rows=10)]
    scores = representativeness(unit(np.concatenate(groups)), picks=5)
    first, second = np.argsort(-scores)[:2]
    assert first < 30 <= second


def test_an_outlier_comes_late():
    vectors = unit(np.concatenate([cloud(1, centre=[1, 0, 0], rows=30), [[0, 0, -1]]]))
    assert np.argmax(representativeness(vectors, picks=5)) != 30


@given(rows=st.integers(1, 40), picks=st.integers(0, 50), seed=st.integers(0, 2**32))
def test_scores_are_finite_non_negative_and_one_per_row(rows, picks, seed):
    vectors = unit(np.random.default_rng(seed).normal(size=(rows, 5)))
    scores = representativeness(vectors, picks=picks)
    assert scores.shape == (rows,)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1 + 1e-6)).all()


@given(rows=st.integers(2, 30), seed=st.integers(0, 2**32))
def test_greedy_picks_outrank_the_rows_not_picked(rows, seed):
    vectors = unit(np.random.default_rng(seed).normal(size=(rows, 5)))
    few, many = (representativeness(vectors, picks=n) for n in (1, rows))
    assert np.argmax(few) == np.argmax(many)
