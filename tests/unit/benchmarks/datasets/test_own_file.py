"""Any labelled file as a data set."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from benchmarks.datasets.opening import open_dataset
from benchmarks.datasets.own_file import Columns, load_own_file
from benchmarks.datasets.rows import Row
from core.errors import InvalidInput
from tests.unit.benchmarks.datasets.made_sets import rows, sheet, table


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def unsplit(*, each: int = 50, labels: str = "ab") -> bytes:
    return sheet(["text", "label"], [[f"{c} text {i}", c] for c in labels for i in range(each)])


def lines(made: list[Row]) -> bytes:
    records = ({"text": r.text, "label": r.label, "split": r.split} for r in made)
    return "\n".join(json.dumps(record) for record in records).encode()


def test_a_file_with_a_split_column_keeps_its_split(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", table(rows(train=30, test=10)))

    dataset = load_own_file(path)

    assert (len(dataset.texts), int(dataset.is_test.sum())) == (80, 20)
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz", "mine.csv.gz"])
def test_every_form_of_a_file_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    plain = load_own_file(write(tmp_path / "mine.csv", table(rows())))

    data = lines(rows()) if "jsonl" in name else table(rows())
    found = load_own_file(write(tmp_path / name, data))

    assert (found.texts, found.labels) == (plain.texts, plain.labels)
    assert (found.is_test == plain.is_test).all()


def test_a_fifth_of_each_class_is_the_test_where_there_is_no_split(tmp_path: Path) -> None:
    dataset = load_own_file(write(tmp_path / "mine.csv", unsplit(each=50)))

    held = [c for c, test in zip(dataset.labels, dataset.is_test, strict=True) if test]
    assert (held.count("a"), held.count("b")) == (10, 10)
    assert "by text hash" in dataset.rule


def test_development_rows_are_not_used(tmp_path: Path) -> None:
    dev = [Row(text="dev text", label="a", split="dev")]

    dataset = load_own_file(write(tmp_path / "mine.csv", table([*rows(), *dev])))

    assert "dev text" not in dataset.texts


def test_repeated_texts_are_left_out_and_counted(tmp_path: Path) -> None:
    again = [Row(text=" TRAIN text 0 of a", label="a", split="train")]

    dataset = load_own_file(write(tmp_path / "mine.csv", table([*rows(), *again])))

    assert len(dataset.texts) == 80
    assert dataset.rule.endswith("1 repeated, contradictory or empty rows left out")


def test_other_columns_can_be_named(tmp_path: Path) -> None:
    made = [[r.text, r.label, r.split] for r in rows()]
    path = write(tmp_path / "mine.csv", sheet(["message", "intent", "part"], made))

    dataset = load_own_file(path, columns=Columns(text="message", label="intent", split="part"))

    assert dataset.classes == ("a", "b")


def test_an_unknown_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", table(rows()))

    with pytest.raises(InvalidInput, match=r"no column 'intent'.*'text', 'label', 'split'"):
        load_own_file(path, columns=Columns(label="intent"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (unsplit(labels="a"), "a single class"),
        (table([*rows(), Row(text="x", label="a", split="elsewhere")]), "'elsewhere'"),
        (unsplit(each=10), "fewer than 10 train rows"),
        (sheet(["text", "label"], [["x", "a"], [" ", "b"]]), "row 2: the text is empty"),
    ],
)
def test_an_unfit_file_is_refused_in_words(tmp_path: Path, data: bytes, message: str) -> None:
    path = write(tmp_path / "mine.csv", data)

    with pytest.raises(InvalidInput, match=message):
        load_own_file(path)


def test_a_path_is_opened_by_the_name_of_a_set(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", table(rows()))

    assert open_dataset(str(path)).name == "mine.csv"


def test_a_file_that_is_not_there_is_called_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no file .*none\.csv"):
        open_dataset(str(tmp_path / "none.csv"))
