"""The long tail: geometric sizes, chosen by hash."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.datasets.longtail import long_tail
from core.errors import InvalidInput
from core.texts import text_hash


def rows(sizes: Mapping[str, int]) -> tuple[list[str], list[str]]:
    labels = [name for name, size in sizes.items() for _ in range(size)]
    return labels, [text_hash(f"{name} {i}") for i, name in enumerate(labels)]


def kept_sizes(sizes: Mapping[str, int], **options: float) -> dict[str, int]:
    labels, hashes = rows(sizes)
    kept = long_tail(labels, hashes, **options)  # type: ignore[arg-type]
    return dict(Counter(label for label, keep in zip(labels, kept, strict=True) if keep))


def test_sizes_fall_geometrically_from_the_largest_class() -> None:
    assert kept_sizes({"a": 160, "b": 150, "c": 150}, ratio=16) == {"a": 160, "b": 40, "c": 10}


def test_a_class_never_keeps_more_than_it_has() -> None:
    assert kept_sizes({"a": 160, "b": 30, "c": 20}, ratio=16) == {"a": 160, "b": 30, "c": 10}


def test_equally_large_classes_are_ranked_by_name() -> None:
    assert kept_sizes({"z": 40, "y": 40}, ratio=4) == {"y": 40, "z": 10}


def test_only_the_largest_classes_are_kept_where_asked() -> None:
    assert kept_sizes({"a": 40, "b": 30, "c": 20}, classes=2, ratio=4) == {"a": 40, "b": 10}


def test_the_rows_kept_have_the_lowest_hashes_of_their_class() -> None:
    labels, hashes = rows({"a": 40, "b": 30})

    kept = long_tail(labels, hashes, ratio=4)

    of_b = [h for h, keep in zip(hashes[40:], kept[40:], strict=True) if keep]
    assert sorted(of_b) == sorted(hashes[40:])[:10]


@given(
    sizes=st.lists(st.integers(40, 90), min_size=2, max_size=12),
    ratio=st.floats(1, 40, allow_nan=False),
)
def test_the_largest_class_is_at_least_the_ratio_times_the_smallest(
    sizes: list[int], ratio: float
) -> None:
    kept = kept_sizes({f"c{i:02}": size for i, size in enumerate(sizes)}, ratio=ratio)

    assert max(kept.values()) / min(kept.values()) >= ratio * (1 - 1e-9)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"ratio": 0.5}, "out-of-range"),
        ({"ratio": float("nan")}, "out-of-range"),
        ({"ratio": 4, "classes": 3}, "out-of-range"),
        ({"ratio": 4, "classes": 1}, "out-of-range"),
        ({"ratio": 100}, "too-few-rows"),
    ],
)
def test_an_impossible_tail_is_refused(options: dict[str, float], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        kept_sizes({"a": 20, "b": 20}, **options)

    assert refusal.value.code == code
