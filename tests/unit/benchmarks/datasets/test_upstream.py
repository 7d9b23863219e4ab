"""Every upstream form becomes the rows that the folder's file holds."""

import json
from pathlib import Path

import pytest

from benchmarks.datasets.catalog import Entry, find_entry, load_catalog
from benchmarks.datasets.cleaning import hash_split, stripped, without_repeats
from benchmarks.datasets.rows import Row
from benchmarks.datasets.upstream import PICKS, upstream_rows
from core.errors import InvalidInput
from tests.unit.benchmarks.datasets.made_sets import replies, sheet


def entry(format: str) -> Entry:
    return Entry(name="made", title="Made", format=format)


def row(text: str, label: str, split: str = "train") -> Row:
    return Row(text=text, label=label, split=split)


def test_banking_has_a_file_per_split() -> None:
    header = ["text", "category"]

    found = upstream_rows(
        entry("banking"),
        [sheet(header, [["my card?", "card"]]), sheet(header, [[" a, b ", "pin"]])],
    )

    assert found == [row("my card?", "card"), row("a, b", "pin", "test")]


def test_davidson_numbers_its_classes() -> None:
    header = ["", "count", "hate_speech", "offensive_language", "neither", "class", "tweet"]

    found = upstream_rows(
        entry("davidson"),
        [sheet(header, [[i, 3, 0, 0, 3, i, f"tweet {i}\nline"] for i in range(3)])],
    )

    assert [r.label for r in found] == ["hate_speech", "offensive_language", "neither"]
    assert found[0].text == "tweet 0\nline"


def test_edos_keeps_its_split_without_the_development_rows() -> None:
    header = ["rewire_id", "text", "label_sexist", "label_category", "label_vector", "split"]
    records = [
        ["1", "one", "not sexist", "none", "none", "train"],
        ["2", "two", "sexist", "4. prejudiced discussions", "4.1 x", "test"],
        ["3", "three", "sexist", "1. threats, plans to harm and incitement", "1.1 x", "train"],
        ["4", "four", "not sexist", "none", "none", "dev"],
    ]

    found = upstream_rows(entry("edos"), [sheet(header, records)])

    assert found == [
        row("one", "not_sexist"),
        row("two", "prejudiced_discussions", "test"),
        row("three", "threats"),
    ]


def test_quotes_and_further_tabs_of_a_message_are_text() -> None:
    found = upstream_rows(entry("sms"), [b'ham\t"well\t\xc2\xa31\nspam\twin\n'])

    assert [(r.text, r.label) for r in found] == [('"well\t£1', "ham"), ("win", "spam")]


def test_diasafety_takes_the_picked_replies_over_all_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "made.toml").write_text("train = [4, 0]\ntest = [3]\n")

    found = upstream_rows(entry("diasafety"), [replies(3), replies(3)], picks=tmp_path)

    assert found == [
        row("question 1 [SEP] answer 1", "risk_ignorance"),
        row("question 0 [SEP] answer 0", "safe"),
        row("question 0 [SEP] answer 0", "safe", "test"),
    ]


def test_every_set_says_how_each_of_its_upstream_files_is_known() -> None:
    known = [e for e in load_catalog().values() if e.format]

    assert len(known) == 7
    assert all(len(e.paths) == len(e.upstream_sha256) for e in known)
    assert {e.name for e in known if e.format == "diasafety"} == {p.stem for p in PICKS.iterdir()}


def test_a_set_that_upstream_does_not_give_must_be_in_the_folder() -> None:
    with pytest.raises(InvalidInput, match="TAILWISE_DATASETS") as refusal:
        upstream_rows(entry(""), [])

    assert refusal.value.code == "not-fetchable"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("banking77", [b"text,category\nx,y\n"]),
        ("davidson3", [b"tweet,class\nx,9\n"]),
        ("davidson3", [b"tweet\nx\n"]),
        ("edos5", [b"text,label_sexist,label_category,split\nx,sexist,none,train\n"]),
        ("sms_spam", [b"no tab here\n"]),
        ("sms_spam", [b"ham\t\xff\n"]),
        ("diasafety6_lt", [json.dumps([{}]).encode()] * 3),
        ("diasafety6_lt", [b"not json"]),
    ],
)
def test_files_of_another_form_are_refused(name: str, files: list[bytes]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        upstream_rows(find_entry(name), files)

    assert refusal.value.code == "unreadable-file"


def test_a_repeated_text_is_kept_once_where_it_first_stood() -> None:
    found = without_repeats([row("One  two", "a"), row("x", "a"), row("one TWO", "a")])

    assert found == [row("One  two", "a"), row("x", "a")]


def test_of_a_repeated_text_the_test_row_is_kept() -> None:
    assert without_repeats([row("x", "a"), row("X", "a", "test")]) == [row("X", "a", "test")]


def test_a_text_with_two_labels_is_left_out() -> None:
    assert without_repeats([row("x", "a"), row("X", "b"), row("y", "a")]) == [row("y", "a")]


def test_white_space_and_nul_around_a_text_go_and_empty_texts_with_them() -> None:
    assert stripped([row(" a\0 ", "a"), row(" \0", "a")]) == [row("a", "a")]


def test_equal_texts_fall_on_the_same_side_of_the_hash_split() -> None:
    found = hash_split([row(f"TEXT {i}", "a") for i in range(2000)])

    assert [r.split for r in found] == [
        r.split for r in hash_split([row(f"text  {i}", "a") for i in range(2000)])
    ]
    assert sum(r.split == "test" for r in found) / 2000 == pytest.approx(0.3, abs=0.04)
