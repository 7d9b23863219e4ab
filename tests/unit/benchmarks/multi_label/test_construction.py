"""How multi-label messages are made of single-label texts."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.datasets.rows import Row
from benchmarks.multi_label.construction import combine, combine_reserve, drawn, label_counts
from tests.unit.benchmarks.multi_label.made_rows import SIZES, made_rows

LABELS = ("garden", "kitchen", "harbour")


def parts(message_text: str, rows: list[Row]) -> list[Row]:
    """The rows that a message was made of."""
    return [row for row in rows if row.text in message_text]


def test_every_text_is_in_exactly_one_message() -> None:
    rows = made_rows()
    messages = combine(rows, none="none")
    homes = Counter(row.text for m in messages for row in rows if row.text in m.text)
    assert set(homes.values()) == {1}
    assert len(homes) == len(rows)


def test_a_message_has_the_labels_of_its_texts_and_none_adds_no_label() -> None:
    rows = made_rows()
    for message in combine(rows, none="none"):
        labels = {row.label for row in parts(message.text, rows)} - {"none"}
        assert message.labels == tuple(sorted(labels))


def test_two_texts_of_one_class_are_never_combined() -> None:
    rows = made_rows()
    made_of = [parts(m.text, rows) for m in combine(rows, none="none")]
    assert all(len({row.label for row in of}) == len(of) <= 2 for of in made_of)


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = made_rows()
    assert combine(rows, none="none") == combine(rows[::-1], none="none")


def test_messages_have_no_label_one_or_two_and_long_ones_also_one() -> None:
    rows = made_rows()
    messages = combine(rows, none="none")
    counts = label_counts(messages, LABELS)
    sizes = counts["by_number_of_labels"]
    assert isinstance(sizes, dict)
    assert sizes["2"] > 20
    assert sizes["0"] == SIZES["none"] // 2
    long_with_one = [m for m in messages if len(m.labels) == 1 and len(parts(m.text, rows)) == 2]
    assert len(long_with_one) == SIZES["none"] // 2
    assert counts["by_class"] == {c: SIZES[c] for c in LABELS}


def test_without_a_class_for_none_every_message_has_a_label() -> None:
    assert all(message.labels for message in combine(made_rows(), none=None))


@pytest.mark.parametrize(
    ("first", "joined"),
    [("one", "one. two"), ("one!", "one! two"), ("one. ", "one. two"), ("one…", "one… two")],
)
def test_a_full_stop_parts_two_texts_where_nothing_else_does(first: str, joined: str) -> None:
    rows = [Row(text=first, label="a", split=""), Row(text="two", label="b", split="")]
    texts = {message.text for message in combine_reserve(rows, none=None)}
    assert joined in texts


def test_the_reserve_has_every_label_alone_and_every_two_together() -> None:
    found = {message.labels for message in combine_reserve(made_rows(), none="none")}
    together = {("garden", "harbour"), ("garden", "kitchen"), ("harbour", "kitchen")}
    assert found == {(c,) for c in LABELS} | together


def test_a_seed_draws_its_own_four_fifths_of_the_pool() -> None:
    pool = combine(made_rows(), none="none")
    first, again, other = drawn(pool, seed=0), drawn(pool[::-1], seed=0), drawn(pool, seed=1)
    assert first == again
    assert {m.text for m in first} != {m.text for m in other}
    assert len(first) == len(other) == round(0.8 * len(pool))
    assert len({m.text for m in first}) == len(first)
