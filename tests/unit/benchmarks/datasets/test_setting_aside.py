"""The reserve and the development test: exact, repeatable and independent."""

import numpy as np
import pytest

from benchmarks.datasets.setting_aside import development_quarter, reserve_mask, thin_reserve
from core.errors import InvalidInput
from core.texts import text_hash

LABELS = ["a"] * 100 + ["b"] * 50 + ["c"] * 10
HASHES = [text_hash(f"text {i}") for i in range(len(LABELS))]


def test_every_class_gives_its_exact_share() -> None:
    mask = reserve_mask(LABELS, HASHES)

    given = {c: sum(m for m, label in zip(mask, LABELS, strict=True) if label == c) for c in "abc"}
    assert given == {"a": 30, "b": 15, "c": 3}


def test_the_side_of_a_text_does_not_depend_on_the_order_of_the_rows() -> None:
    order = np.random.default_rng(0).permutation(len(LABELS))

    shuffled = reserve_mask([LABELS[i] for i in order], [HASHES[i] for i in order])

    assert (shuffled == reserve_mask(LABELS, HASHES)[order]).all()


def test_copies_of_a_text_fall_on_the_same_side() -> None:
    hashes = [text_hash(f"text {i // 4}") for i in range(200)]

    mask = reserve_mask(["a"] * 200, hashes)

    assert all(len(set(mask[i : i + 4])) == 1 for i in range(0, 200, 4))


def test_the_development_test_is_independent_of_the_reserve() -> None:
    labels, hashes = ["a"] * 4000, [text_hash(f"text {i}") for i in range(4000)]

    both = reserve_mask(labels, hashes) & development_quarter(labels, hashes)

    assert both.mean() == pytest.approx(0.3 * 0.25, abs=0.02)


def test_the_four_quarters_part_the_rows() -> None:
    labels = [*LABELS, "d", "e", "e", "f", "f", "f"]
    hashes = [*HASHES, *(text_hash(f"more {i}") for i in range(6))]

    quarters = [development_quarter(labels, hashes, quarter=number) for number in range(4)]

    assert (np.sum(quarters, axis=0) == 1).all()
    assert [sum(q[:100]) for q in quarters] == [25, 25, 25, 25]


def test_a_fifth_quarter_is_refused() -> None:
    with pytest.raises(InvalidInput, match="quarter"):
        development_quarter(LABELS, HASHES, quarter=4)


def test_a_thin_reserve_is_flagged_with_its_size() -> None:
    assert thin_reserve(LABELS, reserve_mask(LABELS, HASHES)) == {"b": 15, "c": 3}


def test_a_share_of_one_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reserve_share"):
        reserve_mask(LABELS, HASHES, share=1.0)
