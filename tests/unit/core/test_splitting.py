from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.records import SPLITS
from core.splitting import assign_splits, hash_number, plan_splits
from core.texts import text_hash

POOL, TEST, RESERVE = range(3)


def hashes(rows, *, seed=0):
    return np.random.default_rng(seed).integers(2**64, size=rows, dtype=np.uint64)


def count(codes, split):
    return sum(int((part == split).sum()) for part in codes.values())


shares = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.25, 0.4])
class_sizes = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 60), min_size=1)


@given(sizes=class_sizes, test=shares, reserve=shares)
def test_shares_are_exact_over_all_and_within_a_row_per_class(sizes, test, reserve):
    by_class = {name: hashes(rows, seed=ord(name)) for name, rows in sizes.items()}
    codes = assign_splits(by_class, test_share=test, reserve_share=reserve)
    total = sum(sizes.values())
    raised = 0
    for name, rows in sizes.items():
        tests = int((codes[name] == TEST).sum())
        raised += tests == 1 and rows >= 5
        assert tests > 0 or rows < 5 or test == 0
        assert abs(tests - test * rows) < 1 + 1e-9
    assert 0 <= count(codes, TEST) - round(test * total) <= raised


@given(rows=st.integers(0, 80), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(rows, seed):
    numbers = hashes(rows)
    order = np.random.default_rng(seed).permutation(rows)
    plain = assign_splits({"a": numbers}, test_share=0.2, reserve_share=0.1)["a"]
    mixed = assign_splits({"a": numbers[order]}, test_share=0.2, reserve_share=0.1)["a"]
    np.testing.assert_array_equal(plain[order], mixed)


def test_a_cut_names_the_same_side_as_the_codes():
    numbers = hashes(200)
    codes = assign_splits({"a": numbers}, test_share=0.2, reserve_share=0.3)["a"]
    cut = plan_splits({"a": numbers}, test_share=0.2, reserve_share=0.3)["a"]
    assert [cut.split(number) for number in numbers.tolist()] == [SPLITS[code] for code in codes]
    assert np.bincount(codes).tolist() == [100, 40, 60]


def test_the_largest_hash_there_is_can_be_taken():
    numbers = np.full(3, 2**64 - 1, dtype=np.uint64)
    codes = assign_splits({"a": numbers}, test_share=0.0, reserve_share=0.5)["a"]
    assert codes.tolist() == [RESERVE] * 3


def test_copies_of_a_text_stay_on_one_side():
    numbers = np.repeat(hashes(30), 3)
    codes = assign_splits({"a": numbers}, test_share=0.33, reserve_share=0.33)["a"]
    assert (codes.reshape(30, 3) == codes[::3, None]).all()


def test_a_small_class_has_a_test_row_however_small_the_share():
    by_class = {"large": hashes(400), "small": hashes(5, seed=1), "tiny": hashes(4, seed=2)}
    codes = assign_splits(by_class, test_share=0.02, reserve_share=0)
    assert (codes["small"] == TEST).sum() == 1
    assert (codes["tiny"] == TEST).sum() == 0


def test_nothing_asked_leaves_everything_in_the_pool():
    codes = assign_splits({"a": hashes(50)}, test_share=0, reserve_share=0)
    assert count(codes, POOL) == 50


@pytest.mark.parametrize(("test", "reserve"), [(-0.1, 0), (1.0, 0), (0.5, 0.5), (float("nan"), 0)])
def test_impossible_shares_are_refused(test, reserve):
    with pytest.raises(InvalidInput) as caught:
        plan_splits({"a": hashes(5)}, test_share=test, reserve_share=reserve)
    assert caught.value.code == "out-of-range"


def test_a_hash_number_is_the_first_64_bits():
    assert hash_number("f" * 16 + "0" * 48) == 2**64 - 1
    assert 0 <= hash_number(text_hash("some text")) < 2**64


def test_planning_costs_a_sorted_copy_and_no_more():
    numbers = hashes(200_000)
    tracemalloc.start()
    plan_splits({"a": numbers}, test_share=0.2, reserve_share=0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.2 * numbers.nbytes
