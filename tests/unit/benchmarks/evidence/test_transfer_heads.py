"""Other learners trained on what an arm acquired."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.encoders.hashing import HashingEncoder
from adapters.encoders.install import default_directory
from benchmarks.evidence import study
from benchmarks.evidence.cells import Cells, Folders, run_cells
from benchmarks.evidence.encoding import KnownVectors
from benchmarks.evidence.transfer import HEADS, Aids, transfer_scores
from core.errors import InvalidInput, NotInstalled
from core.records import Choice
from tests.unit.benchmarks.evidence.made_study import arm, experiment, loop, stage, write_csv

AIDS = Aids(encode=HashingEncoder(dimension=96).encode)


def scores(heads: tuple[str, ...], *, written: str | None = None, weight: float = 1.0) -> dict:
    made = stage()
    generator = None if written is None else Choice(name=written)
    done = loop(arm(generator=generator), made).run()
    weights = np.full(len(done.written), weight)
    return transfer_scores(done, stage=made, heads=heads, written_weight=weights, aids=AIDS)


@pytest.mark.parametrize("head", HEADS)
def test_every_head_learns_the_topics(head: str) -> None:
    assert scores((head,))[head] > 0.6


def test_the_second_encoder_is_asked_for_and_not_guessed() -> None:
    made = stage()
    done = loop(arm(), made).run()
    with pytest.raises(InvalidInput, match="needs an encoder"):
        transfer_scores(done, stage=made, heads=("paraphrase",), written_weight=np.empty(0))


def test_a_missing_second_encoder_is_refused_with_its_command(tmp_path: Path) -> None:
    where = Folders(datasets=None, cache=tmp_path / "cache", encoder=tmp_path / "minilm")
    made = experiment(datasets=(str(write_csv(tmp_path / "topics.csv")),), transfer=("paraphrase",))
    with pytest.raises(NotInstalled, match="run: tailwise encoder install paraphrase"):
        study.prepare(made, where, progress=lambda *_: None)
    assert not where.cache.exists()


def test_a_cell_learns_the_topics_by_the_real_second_encoder(tmp_path: Path) -> None:
    where = Folders(datasets=None, cache=tmp_path / "cache", encoder=default_directory())
    name = str(write_csv(tmp_path / "topics.csv"))
    made = experiment(datasets=(name,), transfer=("paraphrase", "svm"), seeds=(0,))
    ready = study.prepare(made, where, progress=lambda *_: None)
    assert len(list(where.vectors.iterdir())) == 2
    (key,) = run_cells(Cells(dataset=name, seed=0, arms=made.arms), made, where)
    facts = where.runs.load(key).facts
    assert ready.keys() == [key]
    assert facts["transfer_paraphrase"] > 0.6


def test_known_texts_are_looked_up_and_new_ones_encoded_in_their_places() -> None:
    asked: list[list[str]] = []

    class Listening(HashingEncoder):
        def encode(self, texts):  # type: ignore[no-untyped-def]
            asked.append(list(texts))
            return super().encode(texts)

    texts = ["a boat in the harbour", "a pan in the kitchen"]
    vectors = HashingEncoder(dimension=64).encode(texts)
    known = KnownVectors(texts, vectors, encoder=Listening())  # type: ignore[arg-type]
    found = known.encode([texts[1], "a rose in the garden", texts[0]])
    assert found[[2, 0]] == pytest.approx(vectors)
    assert found[1] == pytest.approx(HashingEncoder().encode(["a rose in the garden"])[0])
    assert asked == [["a rose in the garden"]]


def test_no_heads_are_no_scores() -> None:
    assert scores(()) == {}


def test_a_head_scores_the_same_beside_others() -> None:
    assert scores(("svm",))["svm"] == scores(HEADS)["svm"]


def test_written_rows_without_weight_change_no_head() -> None:
    plain = scores(("tfidf",))
    assert scores(("tfidf",), written="simulated", weight=0.0)["tfidf"] == pytest.approx(
        plain["tfidf"]
    )
