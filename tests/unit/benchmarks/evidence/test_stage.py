"""What every arm of one data set and seed shares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.evidence.checking import check_pools
from benchmarks.evidence.records import Draw
from benchmarks.evidence.stage import counts_of, set_stage, start_rows
from core.errors import InvalidInput
from core.records import Choice
from tests.unit.benchmarks.evidence.made_study import (
    arm,
    dataset,
    division,
    draw,
    experiment,
    stage,
)

QUARTERS = range(4)


@pytest.mark.parametrize("quarter", [*QUARTERS, None])
def test_reserve_pool_and_test_share_no_row(quarter: int | None) -> None:
    made = division(quarter=quarter)
    parts = [made.reserve, made.pool, made.test]
    assert all(len(rows) > 0 for rows in parts)
    assert len(np.unique(np.concatenate(parts))) == sum(map(len, parts))


def test_the_four_quarters_part_the_rows_the_reserve_leaves() -> None:
    made = [division(quarter=quarter) for quarter in QUARTERS]
    rest = np.setdiff1d(np.flatnonzero(~dataset().is_test), made[0].reserve)
    assert sorted(np.concatenate([part.test for part in made]).tolist()) == rest.tolist()
    assert all(np.array_equal(part.reserve, made[0].reserve) for part in made)


def test_no_test_row_of_the_set_is_used_in_development() -> None:
    made = division(quarter=1)
    used = np.concatenate([made.reserve, made.pool, made.test])
    assert not dataset().is_test[used].any()


def test_the_final_test_is_the_sets_own() -> None:
    made = division(quarter=None)
    assert made.test.tolist() == np.flatnonzero(dataset().is_test).tolist()


def test_a_long_tail_is_cut_into_the_pool_only() -> None:
    plain, cut = division(), division(replace(dataset(), longtail_ratio=20.0))
    assert set(cut.pool.tolist()) < set(plain.pool.tolist())
    assert np.array_equal(cut.reserve, plain.reserve)
    assert np.array_equal(cut.test, plain.test)


def test_the_counts_add_up_to_the_train_rows() -> None:
    counts = counts_of(division())
    for parts in counts.values():
        assert parts["reserve"] + parts["pool"] + parts["test"] == parts["train"]


def test_one_seed_draws_the_same_for_everybody() -> None:
    one, other = stage(seed=7), stage(seed=7)
    for name in ("start", "sample"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    for name in ("pool", "reserve", "test"):
        assert np.array_equal(getattr(one, name).numbers, getattr(other, name).numbers)


def test_development_scores_classes_equally_where_the_test_part_does() -> None:
    even = set_stage(
        division(replace(dataset(), balanced_test=True), quarter=1), draw=draw(quarter=1), seed=1
    )
    counts = np.bincount(even.test.targets[even.sample], minlength=3)
    assert len(set(counts.tolist())) == 1
    skewed = set_stage(division(quarter=1), draw=draw(quarter=1), seed=1)
    counts = np.bincount(skewed.test.targets[skewed.sample], minlength=3)
    assert counts[0] > counts[2]


def test_another_seed_draws_another_pool_start_and_test_sample() -> None:
    one, other = stage(seed=0), stage(seed=4)
    assert not np.array_equal(one.pool.numbers, other.pool.numbers)
    assert not np.array_equal(one.start, other.start)
    assert not np.array_equal(one.sample, other.sample)
    assert np.array_equal(one.reserve.numbers, other.reserve.numbers)


def test_a_seed_draws_its_share_of_every_class() -> None:
    made = division()
    found = np.bincount(set_stage(made, draw=draw(), seed=0).pool.targets)
    whole = np.bincount(made.targets[made.pool])
    assert found.tolist() == [round(0.8 * count) for count in whole.tolist()]


def test_a_random_start_is_distinct_places_of_two_classes() -> None:
    for seed in range(5):
        made = stage(seed=seed, start=2)
        assert len(set(made.start.tolist())) == 2
        assert len(np.unique(made.pool.targets[made.start])) == 2


def test_every_arm_with_a_random_start_gets_the_stages() -> None:
    made = stage()
    starts = [
        start_rows(made, asked, count=12)
        for asked in (arm("random"), arm("margin", clusterer=Choice(name="bisecting_kmeans")))
    ]
    assert all(np.array_equal(start, made.start) for start in starts)


def test_a_typical_start_is_distinct_and_the_same_whatever_clusterer_an_arm_names() -> None:
    """Also where another arm started first: no arm's result may depend on its neighbours."""
    plain = arm(start="typical")
    other = arm("margin", start="typical", clusterer=Choice(name="bisecting_kmeans"))
    together, alone = stage(), stage()
    first = start_rows(together, plain, count=12)
    assert np.array_equal(first, start_rows(together, other, count=12))
    assert np.array_equal(first, start_rows(alone, other, count=12))
    assert len(set(first.tolist())) == 12
    assert not np.array_equal(np.sort(first), np.sort(together.start))


def test_a_typical_start_has_two_classes_too() -> None:
    for seed in range(8):
        made = stage(seed=seed, start=2)
        found = start_rows(made, arm(start="typical"), count=2)
        assert len(np.unique(made.pool.targets[found])) == 2


def test_a_pool_that_cannot_feed_the_budget_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot give 500 labels") as caught:
        stage(labels=500)
    assert caught.value.code == "pool-too-small"


def test_a_pool_of_one_class_is_refused() -> None:
    made = dataset()
    alone = replace(made, is_test=made.is_test | (np.array(made.labels) != "garden"))
    with pytest.raises(InvalidInput, match="of 1 classes"):
        stage(made=alone, quarter=None)


def test_every_seeds_pool_is_checked_before_anything_runs() -> None:
    asked = experiment(seeds=(0, 1, 2, 3), rounds=40)
    with pytest.raises(InvalidInput, match=r"topics: .* pool rows"):
        check_pools(asked, {"topics": dataset()})


def test_a_pool_that_just_suffices_is_not_refused() -> None:
    made = stage()
    rows = len(made.pool.targets)
    assert len(stage(labels=rows).pool.targets) == rows


def test_more_classes_than_a_byte_counts_are_refused() -> None:
    made = replace(dataset(), classes=tuple(map(str, range(257))))
    with pytest.raises(InvalidInput, match="257 classes"):
        check_pools(experiment(), {"topics": made})


def test_chance_differs_by_use() -> None:
    made = stage()
    assert made.rng(1).random() != made.rng(2).random()
    assert made.rng(1, 5).random() == stage().rng(1, 5).random()


def test_what_decides_a_division_can_be_a_key() -> None:
    assert {Draw(quarter=0, reserve_share=0.3, pool_share=0.8, start=12, labels=28)} == {draw()}
