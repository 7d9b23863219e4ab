from pathlib import Path

import pytest

from benchmarks.evidence.cells import Folders
from benchmarks.evidence.experiment import experiment_of
from benchmarks.evidence.own_files import with_own_files
from core.errors import InvalidInput


@pytest.fixture
def folders(tmp_path):
    return Folders(datasets=None, cache=tmp_path / "cache", encoder=tmp_path / "encoder")


def written(path: Path) -> Path:
    rows = [f"{label} text number {n},{label}" for label in ("a", "b") for n in range(30)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def asking_for(*datasets: str):
    document = {"datasets": list(datasets), "arms": [{"strategy": "random"}]}
    return experiment_of(document, name="x")


def test_a_relative_path_starts_at_the_experiment_file(tmp_path, folders):
    written(tmp_path / "data" / "mine.csv")
    beside = tmp_path / "experiments"
    _, opening = with_own_files(asking_for("../data/mine.csv"), folders, beside=beside)
    assert len(opening.open("mine.csv").texts) == 60


def test_a_file_is_called_by_its_last_name_wherever_it_lies(tmp_path, folders):
    path = written(tmp_path / "mine.csv")
    named, opening = with_own_files(asking_for(str(path)), folders, beside=tmp_path / "elsewhere")
    dataset = opening.open("mine.csv")
    assert named.datasets == ("mine.csv",)
    assert (dataset.name, dataset.source) == ("mine.csv", "mine.csv")


def test_two_files_of_the_same_name_are_refused(tmp_path, folders):
    written(tmp_path / "one" / "mine.csv")
    written(tmp_path / "two" / "mine.csv")
    experiment = asking_for("one/mine.csv", "two/mine.csv")
    with pytest.raises(InvalidInput) as refused:
        with_own_files(experiment, folders, beside=tmp_path)
    assert refused.value.code == "repeated-dataset"


def test_known_names_are_left_as_they_are(tmp_path, folders):
    named, _ = with_own_files(asking_for("edos5", "sms_spam"), folders, beside=tmp_path)
    assert named.datasets == ("edos5", "sms_spam")


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path, folders):
    _, opening = with_own_files(asking_for("gone.csv"), folders, beside=tmp_path)
    with pytest.raises(InvalidInput, match=r"gone\.csv"):
        opening.open("gone.csv")
