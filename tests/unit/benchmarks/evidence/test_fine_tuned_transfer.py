"""The transfer head that is a fine-tuned transformer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.learners import learners
from benchmarks.evidence import study
from benchmarks.evidence.cells import Folders, check_arms
from benchmarks.evidence.experiment import load_experiment
from benchmarks.evidence.storage import run_key
from benchmarks.evidence.transfer import Aids, check_heads, transfer_scores
from core.errors import NotInstalled
from core.ports import TextLearner
from core.records import Choice
from tests.unit.adapters.learners.tiny_bert import write_tiny_bert
from tests.unit.benchmarks.evidence.made_study import (
    arm,
    dataset,
    experiment,
    loop,
    stage,
    write_csv,
)

pytest.importorskip("torch")
pytest.importorskip("transformers")

ROOT = Path(__file__).parents[4]
TUNING_FILE = ROOT / "benchmarks" / "experiments" / "fine_tuning" / "transfer_transformer.toml"


@pytest.fixture(scope="module")
def tuner(tmp_path_factory: pytest.TempPathFactory) -> TextLearner:
    """One pass over a model of one layer."""
    folder = tmp_path_factory.mktemp("models")
    write_tiny_bert(folder / "tiny")
    options = {"model": "tiny", "epochs": 1, "max_length": 12}
    made = learners(encoder_directory=folder / "minilm").make(
        Choice(name="transformer", options=options)
    )
    assert isinstance(made, TextLearner)
    return made


@pytest.mark.slow
def test_a_transformer_is_tuned_on_labelled_and_written_rows(tuner: TextLearner) -> None:
    made = stage()
    done = loop(arm(generator=Choice(name="simulated")), made).run()
    weights = np.full(len(done.written), 0.5)

    def scores() -> dict[str, float]:
        return transfer_scores(
            done,
            stage=made,
            heads=("svm", "transformer"),
            written_weight=weights,
            aids=Aids(tuner=tuner),
        )

    first = scores()
    assert set(first) == {"svm", "transformer"}
    assert 0 < first["transformer"] <= 1
    assert scores() == first


def test_missing_weights_are_refused_before_any_cell(tmp_path: Path) -> None:
    made = experiment(
        arm(), datasets=(str(write_csv(tmp_path / "topics.csv")),), transfer=("transformer",)
    )
    where = Folders(datasets=None, cache=tmp_path / "cache", encoder=tmp_path / "nothing")
    with pytest.raises(NotInstalled) as caught:
        study.prepare(made, where, progress=lambda *_: None)
    assert caught.value.code == "model-missing"
    assert not (tmp_path / "cache").exists()


def test_a_missing_extra_is_refused_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("adapters.learners.transformer.find_spec", lambda _name: None)
    with pytest.raises(NotInstalled, match=r"tailwise\[transformer\]"):
        check_heads(["svm", "transformer"], encoder=tmp_path)


def test_only_cells_with_the_transformer_depend_on_its_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = experiment(transfer=("svm",))
    tuned = replace(plain, transfer=("transformer",))

    def keys() -> tuple[str, str]:
        return (
            run_key(dataset(), arm(), seed=0, experiment=plain),
            run_key(dataset(), arm(), seed=0, experiment=tuned),
        )

    before = keys()
    monkeypatch.setattr("benchmarks.evidence.storage.TUNING", ("torch",))
    after = keys()
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_the_shipped_file_is_accepted() -> None:
    made = load_experiment(TUNING_FILE)
    check_arms(made)
    assert made.transfer == ("transformer",)
    assert len(made.seeds) == 5
