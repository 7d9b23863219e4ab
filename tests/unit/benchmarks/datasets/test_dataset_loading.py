"""Data sets from a folder: checked, or refused with what to do about it."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.datasets.catalog import find_entry, load_catalog
from benchmarks.datasets.loading import load_dataset
from benchmarks.datasets.longtail import long_tail
from benchmarks.datasets.rows import Row, content_hash
from benchmarks.datasets.setting_aside import reserve_mask
from benchmarks.evidence.records import Dataset
from core.errors import InvalidInput
from core.texts import text_hash
from tests.unit.benchmarks.datasets.made_sets import SHARED, in_folder, rows

needs_files = pytest.mark.skipif(not SHARED.is_dir(), reason="the data sets are not here")
SIZES = {
    "diasafety5_viol_lt": (2015, 750, 5),
    "diasafety6_lt": (5400, 900, 6),
    "edos5": (14000, 4000, 5),
    "davidson3": (17429, 7341, 3),
    "sms_spam": (3656, 1503, 2),
    "banking77": (9992, 3079, 77),
    "banking20_lt": (3403, 800, 20),
}


@cache
def real(name: str) -> Dataset:
    return load_dataset(name, folder=SHARED)


def code_of(name: str, folder: Path, **options: object) -> str:
    with pytest.raises(InvalidInput) as refusal:
        load_dataset(name, folder=folder, **options)  # type: ignore[arg-type]
    return refusal.value.code


@needs_files
@pytest.mark.parametrize("name", load_catalog())
def test_a_known_set_has_its_rows_and_classes(name: str) -> None:
    dataset = real(name)

    test = int(dataset.is_test.sum())
    assert (len(dataset.texts) - test, test, len(dataset.classes)) == SIZES[name]
    assert set(dataset.labels) == set(dataset.classes)


@needs_files
@pytest.mark.parametrize("name", [n for n, e in load_catalog().items() if not e.derived_from])
def test_the_rows_of_a_file_have_the_content_hash_of_the_catalogue(name: str) -> None:
    dataset = real(name)

    columns = zip(dataset.texts, dataset.labels, dataset.is_test, strict=True)
    made = [Row(text=t, label=c, split="test" if held else "train") for t, c, held in columns]
    assert content_hash(made) == find_entry(name).content


@needs_files
@pytest.mark.parametrize("name", load_catalog())
def test_a_test_part_called_balanced_is(name: str) -> None:
    dataset = real(name)

    _, counts = np.unique(np.array(dataset.labels)[dataset.is_test], return_counts=True)
    assert (counts.min() >= counts.max() - 1) == find_entry(name).balanced_test


@needs_files
def test_the_long_tail_of_banking_holds_after_the_reserve() -> None:
    dataset = real("banking20_lt")
    train = np.flatnonzero(~dataset.is_test)
    labels = np.array(dataset.labels)[train]
    hashes = np.array([text_hash(dataset.texts[row]) for row in train])
    rest = ~reserve_mask(labels.tolist(), hashes.tolist())

    assert dataset.longtail_ratio == 20
    kept = long_tail(labels[rest].tolist(), hashes[rest].tolist(), ratio=dataset.longtail_ratio)

    _, counts = np.unique(labels[rest][kept], return_counts=True)
    assert counts.size == 20
    assert counts.max() / counts.min() >= 20


def test_rows_of_an_unused_split_are_left_out(tmp_path: Path) -> None:
    dev = [Row(text="dev text", label="a", split="dev")]
    catalog = in_folder(tmp_path, [*rows(), *dev], unused_splits=("dev",))

    dataset = load_dataset("made", folder=tmp_path, catalog=catalog)

    assert "dev text" not in dataset.texts
    assert len(dataset.texts) == 80


def test_the_classes_of_a_set_without_an_order_stand_largest_first(tmp_path: Path) -> None:
    more = [Row(text=f"more {i}", label="b", split="train") for i in range(5)]
    catalog = in_folder(tmp_path, [*rows(labels="abc"), *more])

    dataset = load_dataset("made", folder=tmp_path, catalog=catalog)

    assert dataset.classes == ("b", "a", "c")


def test_a_derived_set_keeps_its_largest_classes_and_says_so(tmp_path: Path) -> None:
    more = [Row(text=f"more {i}", label="c", split="train") for i in range(5)]
    catalog = in_folder(tmp_path, [*rows(labels="abc"), *more], keep_classes=2, longtail_ratio=20.0)

    dataset = load_dataset("made", folder=tmp_path, catalog=catalog)

    assert set(dataset.labels) == {"a", "c"}
    assert "2 classes with most train rows" in dataset.rule
    assert "20^(-r/(k-1))" in dataset.rule


def test_a_changed_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    catalog = in_folder(tmp_path, rows())
    (tmp_path / "made.csv").write_bytes(b"text,label,split\n")

    with pytest.raises(InvalidInput) as refusal:
        load_dataset("made", folder=tmp_path, catalog=catalog)

    assert refusal.value.code == "hash-mismatch"
    assert refusal.value.extras["expected"] == catalog["made"].sha256
    assert refusal.value.extras["found"] == hashlib.sha256(b"text,label,split\n").hexdigest()
    assert "made.csv" in refusal.value.detail


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"did you mean edos5\?.*banking20_lt") as refusal:
        load_dataset("edos", folder=tmp_path)

    assert refusal.value.code == "unknown-dataset"


def test_a_missing_folder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="TAILWISE_DATASETS") as refusal:
        load_dataset("edos5", folder=tmp_path / "none")

    assert refusal.value.code == "missing-folder"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no edos5\.csv\.gz") as refusal:
        load_dataset("edos5", folder=tmp_path)

    assert refusal.value.code == "missing-file"


def test_a_class_with_too_few_rows_is_named_with_its_number(tmp_path: Path) -> None:
    few = [Row(text=f"few {i}", label="rare", split="train") for i in range(3)]
    catalog = in_folder(tmp_path, [*rows(), *few])

    with pytest.raises(InvalidInput, match=r"fewer than 10 train rows in 'rare' \(3\)") as refusal:
        load_dataset("made", folder=tmp_path, catalog=catalog)

    assert refusal.value.code == "too-few-rows"


def test_a_class_without_test_rows_is_refused(tmp_path: Path) -> None:
    made = [row for row in rows() if (row.label, row.split) != ("b", "test")]
    catalog = in_folder(tmp_path, made)

    assert code_of("made", tmp_path, catalog=catalog) == "too-few-rows"


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    catalog = in_folder(tmp_path, [*rows(), Row(text="x", label="a", split="extra")])

    assert code_of("made", tmp_path, catalog=catalog) == "unknown-split"


def test_an_unknown_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    catalog = in_folder(tmp_path, rows(), label_column="intent")

    with pytest.raises(InvalidInput, match="no column 'intent'; the file has: 'text', 'label'"):
        load_dataset("made", folder=tmp_path, catalog=catalog)


def test_a_row_without_a_label_is_refused_by_its_number(tmp_path: Path) -> None:
    catalog = in_folder(tmp_path, [Row(text="x", label="", split="train"), *rows()])

    with pytest.raises(InvalidInput, match="row 1: the label is empty"):
        load_dataset("made", folder=tmp_path, catalog=catalog)
