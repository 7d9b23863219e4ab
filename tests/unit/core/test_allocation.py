from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.allocation import allocate, allocate_by_weight, least_labelled_first


def ints(values):
    return np.array(values, dtype=np.int64)


def quotas(count, capacity, *, filled=None, priority=None):
    order = ints(range(len(capacity)) if priority is None else priority)
    floor = None if filled is None else ints(filled)
    return allocate(count, capacity=ints(capacity), priority=order, filled=floor).tolist()


clusters = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12)


@given(count=st.integers(0, 300), clusters=clusters, seed=st.integers(0, 99))
def test_quotas_level_the_clusters_as_far_as_they_can(count, clusters, seed):
    capacity, filled = map(ints, zip(*clusters, strict=True))
    priority = np.random.default_rng(seed).permutation(len(clusters))
    given_rows = allocate(count, capacity=capacity, priority=priority, filled=filled)
    assert given_rows.sum() == min(count, capacity.sum())
    assert (given_rows >= 0).all()
    assert (given_rows <= capacity).all()
    level = filled + given_rows
    spare, served = level[given_rows < capacity], level[given_rows > 0]
    assert not spare.size or not served.size or served.max() <= spare.min() + 1


def test_an_even_share_for_equal_clusters():
    assert quotas(9, [10, 10, 10]) == [3, 3, 3]


def test_what_a_dry_cluster_cannot_give_goes_to_the_others():
    assert quotas(10, [1, 20, 20]) == [1, 5, 4]


def test_an_empty_cluster_is_skipped():
    assert quotas(4, [0, 9, 9]) == [0, 2, 2]


def test_more_than_there_is_takes_all():
    assert quotas(100, [3, 0, 4]) == [3, 0, 4]


def test_remainders_follow_the_priority():
    assert quotas(2, [5, 5, 5, 5], priority=[3, 1, 0, 2]) == [0, 1, 0, 1]


def test_clusters_that_start_higher_wait_for_the_others():
    assert quotas(4, [9, 9, 9], filled=[5, 0, 1]) == [0, 3, 1]


def weighted(count, weights, capacity, *, priority=None):
    order = ints(range(len(capacity)) if priority is None else priority)
    values = np.array(weights, dtype=np.float64)
    return allocate_by_weight(
        count, weights=values, capacity=ints(capacity), priority=order
    ).tolist()


weights = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from([0.0, 1e-9, 0.3, 1.0, 7.5, 1e6])),
    min_size=1,
    max_size=12,
)


@given(count=st.integers(0, 300), clusters=weights, seed=st.integers(0, 99))
def test_weighted_quotas_use_the_batch_up_within_capacity(count, clusters, seed):
    capacity, values = zip(*clusters, strict=True)
    priority = np.random.default_rng(seed).permutation(len(clusters))
    given_rows = weighted(count, values, capacity, priority=priority)
    assert sum(given_rows) == min(count, sum(capacity))
    assert all(0 <= got <= most for got, most in zip(given_rows, capacity, strict=True))


def test_quotas_are_in_proportion_to_the_weights():
    assert weighted(10, [6.0, 3.0, 1.0], [99, 99, 99]) == [6, 3, 1]


def test_fractions_go_by_largest_remainder():
    assert weighted(10, [5.5, 3.1, 1.4], [99, 99, 99]) == [6, 3, 1]


def test_equal_remainders_follow_the_priority():
    assert weighted(1, [1.0, 1.0, 1.0], [9, 9, 9], priority=[2, 0, 1]) == [0, 0, 1]


def test_what_a_weighted_cluster_cannot_give_goes_to_the_others_by_weight():
    assert weighted(10, [6.0, 2.0, 2.0], [2, 99, 99]) == [2, 4, 4]


def test_a_cluster_without_weight_gives_only_when_the_others_are_dry():
    assert weighted(3, [1.0, 0.0], [9, 9]) == [3, 0]
    assert weighted(6, [1.0, 0.0, 0.0], [2, 9, 9]) == [2, 2, 2]


def test_the_least_labelled_come_first_and_ties_are_shuffled():
    labelled = ints([4, 0, 2, 0, 0])
    orders = {
        tuple(least_labelled_first(labelled, rng=np.random.default_rng(seed)).tolist())
        for seed in range(60)
    }
    assert all(set(order[:3]) == {1, 3, 4} and order[3:] == (2, 0) for order in orders)
    assert len(orders) == 6


def test_small_batches_reach_every_cluster_in_turn():
    labelled, rng = ints([0] * 7), np.random.default_rng(0)
    for _ in range(7):
        order = least_labelled_first(labelled, rng=rng)
        labelled += allocate(2, capacity=ints([9] * 7), priority=order)
    assert labelled.tolist() == [2] * 7
