"""A demo's file is judged before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.demo.bundled import DEFINITIONS, NAMES
from benchmarks.demo.dataset import load_dataset
from benchmarks.demo.options import DemoOptions, DemoRefused
from tests.unit.benchmarks.demo.made_files import rows, write


def load(path: Path, **options: object):
    return load_dataset(DemoOptions(data=path, **options))  # type: ignore[arg-type]


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(DemoRefused) as refused:
        load(path, **options)
    words = str(refused.value)
    assert "\n" not in words
    return words


def test_the_bundled_corpus_has_the_papers_six_classes_with_definitions():
    data = load_dataset(DemoOptions())
    assert [c["id"] for c in data.classes] == list(NAMES)
    assert [c["definition"] for c in data.classes] == list(DEFINITIONS.values())
    assert (data.count(split="pool"), data.count(split="test")) == (658, 180)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_every_format_is_read_alike(tmp_path, ending):
    data = load(write(tmp_path / f"rows.{ending}", rows()))
    assert (data.rows, data.count(split="pool"), data.count(split="test")) == (68, 44, 12)
    assert data.count(class_id="harbour", split="pool") == 8


def test_classes_are_listed_largest_first_and_named_readably(tmp_path):
    made = [{**row, "label": f"the_{row['label']}"} for row in rows()]
    data = load(write(tmp_path / "rows.csv", made))
    assert [c["id"] for c in data.classes] == ["the_garden", "the_kitchen", "the_harbour"]
    assert data.classes[0]["name"] == "the garden"


def test_a_file_without_splits_is_left_to_the_server_to_split(tmp_path):
    request = load(write(tmp_path / "rows.csv", rows(splits=False))).request
    assert request.split_column is None
    assert (request.test_share, request.reserve_share) == (0.2, 0.1)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("train", "pool"), ("Training", "pool"), ("dev", "reserve"), ("validation", "reserve")],
)
def test_a_files_own_split_names_are_understood(tmp_path, name, meant):
    made = [*rows(), {"id": "extra", "text": "one more", "label": "garden", "split": name}]
    request = load(write(tmp_path / "rows.csv", made)).request
    assert request.split_values[name] == meant


def test_repeated_ids_are_not_used_as_ids(tmp_path):
    made = [{**row, "id": "same"} for row in rows()]
    assert load(write(tmp_path / "rows.csv", made)).request.id_column is None


def test_unique_ids_are_used(tmp_path):
    assert load(write(tmp_path / "rows.csv", rows())).request.id_column == "id"


# --- refusals -------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.csv" in refusal(tmp_path / "nowhere.csv")


def test_an_unknown_ending_lists_the_known_ones(tmp_path):
    path = tmp_path / "rows.xlsx"
    path.write_bytes(b"PK")
    assert ".parquet" in refusal(path)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "parquet"])
def test_an_empty_file_is_called_empty(tmp_path, ending):
    path = tmp_path / f"rows.{ending}"
    path.touch()
    assert "is empty" in refusal(path)


def test_a_header_without_rows_is_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n")
    assert "no rows" in refusal(path)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "csv.gz", "jsonl.gz"])
@pytest.mark.parametrize("option", ["text_column", "label_column", "split_column", "id_column"])
def test_a_missing_column_is_named_with_what_the_file_has(tmp_path, ending, option):
    words = refusal(write(tmp_path / f"rows.{ending}", rows()), **{option: "absent"})
    assert "'absent'" in words
    assert "'text', 'label', 'split'" in words
    assert f"--{option.replace('_', '-')}" in words


def test_a_single_class_is_refused(tmp_path):
    made = [{**row, "label": "garden"} for row in rows()]
    words = refusal(write(tmp_path / "rows.csv", made))
    assert "single class, 'garden'" in words
    assert "'label'" in words


def test_rows_without_a_label_are_counted(tmp_path):
    made = [{**row, "label": "" if n < 3 else row["label"]} for n, row in enumerate(rows())]
    assert "'label' is empty in 3 of 68 rows" in refusal(write(tmp_path / "rows.csv", made))


def test_texts_that_are_all_blank_are_refused(tmp_path):
    made = [{**row, "text": " "} for row in rows()]
    assert "'text' holds no text" in refusal(write(tmp_path / "rows.csv", made))


def test_a_column_of_free_text_is_not_taken_for_labels(tmp_path):
    made = [{**row, "label": row["text"] + " and so on" * 10} for row in rows()]
    assert "is it the right column" in refusal(write(tmp_path / "rows.csv", made))


def test_a_strange_split_name_is_shown(tmp_path):
    made = [{**row, "split": "fold-7"} for row in rows()]
    assert "'fold-7'" in refusal(write(tmp_path / "rows.csv", made))


@pytest.mark.parametrize(("only", "lacking"), [("train", "test"), ("test", "pool")])
def test_a_split_column_needs_pool_and_test(tmp_path, only, lacking):
    made = [{**row, "split": only} for row in rows()]
    assert f"no {lacking} rows" in refusal(write(tmp_path / "rows.csv", made))


def test_a_damaged_archive_is_refused_in_one_line(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(b"\x1f\x8b" + b"\0" * 40)
    assert "rows.csv.gz" in refusal(path)
