"""Agreement, checked against published examples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agreement import agreement, agreement_by_label
from core.people import Vote

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", part C: four observers,
# twelve units, missing data, nominal: alpha = 0.743.
OBSERVERS = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}


def votes(table: dict[str, list[object]]) -> list[Vote]:
    rows = [
        (who, unit, value)
        for who, values in table.items()
        for unit, value in enumerate(values)
        if value is not None
    ]
    return [
        Vote(
            label_id=f"lab_{seq}",
            item_id=f"itm_{unit}",
            annotator_id=who,
            labels=value if isinstance(value, tuple) else (str(value),),
            seq=seq,
        )
        for seq, (who, unit, value) in enumerate(rows)
    ]


def test_alpha_is_that_of_the_textbook() -> None:
    found = agreement(votes(OBSERVERS))
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    assert (found.items, found.raters) == (11, 4)


def test_kappa_of_two_is_cohens() -> None:
    # 50 grants, yes/yes 20, yes/no 5, no/yes 10, no/no 15: kappa = 0.4.
    one = ["y"] * 25 + ["n"] * 25
    other = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert agreement(votes({"A": one, "B": other})).kappa == pytest.approx(0.4)


def test_agreement_on_one_class_can_be_better_than_on_all() -> None:
    table = {"A": ["a", "b", "c", "a"], "B": ["a", "c", "b", "a"]}
    by_label = agreement_by_label(votes(table), ["a", "b", "c"])
    assert by_label["a"].alpha == 1.0
    assert by_label["b"].alpha is not None
    assert by_label["b"].alpha < 0


def test_sets_that_overlap_agree_in_part() -> None:
    near = {"A": [("x", "y"), ("z",), ()], "B": [("x",), ("z",), ()]}
    far = {"A": [("x", "y"), ("z",), ()], "B": [("z",), ("z",), ()]}
    assert agreement(votes(near)).alpha > agreement(votes(far)).alpha  # type: ignore[operator]


@pytest.mark.parametrize(
    ("table", "why"),
    [({}, "two people"), ({"A": ["x", "y"]}, "two people"), ({"A": ["x"], "B": ["x"]}, "chance")],
)
def test_what_is_undefined_says_why(table: dict[str, list[object]], why: str) -> None:
    found = agreement(votes(table))
    assert found.alpha is None
    assert why in (found.reason or "")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=2, max_size=20))
def test_alpha_is_at_most_one_and_one_only_when_all_agree(rows: list[tuple[str, ...]]) -> None:
    found = agreement(
        votes({str(n): list(column) for n, column in enumerate(zip(*rows, strict=True))})
    )
    if found.alpha is None:
        assert len({value for row in rows for value in row}) == 1
    else:
        assert found.alpha <= 1.0
        assert math.isclose(found.alpha, 1.0) == all(len(set(row)) == 1 for row in rows)
