"""Fine-tuning: it learns, stops, says how it goes, can be cancelled, and leaves as ONNX."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import pytest

from adapters.learners import learners
from adapters.learners.transformer_balance import loss_weights
from adapters.learners.transformer_onnx import OnnxTextClassifier
from core.errors import Cancelled, InvalidOption, JobFailed, NotInstalled, Unavailable
from core.records import Choice
from tests.unit.adapters.learners.tiny_bert import QuietJob, write_tiny_bert

pytest.importorskip("torch")
pytest.importorskip("transformers")

BOATS = ["the river", "a boat", "my boat the river", "a river boat", "the boat", "my river"]
BREADS = ["the bread", "a oven", "my oven the bread", "a bread oven", "the oven", "my bread"]
TEXTS = BOATS + BREADS
TARGETS = np.repeat(np.arange(2, dtype=np.int32), 6)
NONE = np.zeros(12, dtype=bool)
SOME = np.arange(12) % 3 == 0
QUICK = {"model": "tiny", "max_length": 12, "batch_size": 4, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_tiny_bert(folder / "tiny")
    return folder / "minilm"


@pytest.fixture
def learner(home):
    def make(**options):
        known = learners(encoder_directory=home)
        return known.make(Choice(name="transformer", options={**QUICK, **options}))

    return make


def fit(learner, *, targets=TARGETS, watched=NONE, seed=1, job=None, weights=None, classes=2):
    return learner.fit_texts(
        TEXTS,
        targets,
        classes=classes,
        weights=np.ones(len(TEXTS), dtype=np.float32) if weights is None else weights,
        watched=watched,
        seed=seed,
        job=job or QuietJob(),
    )


def test_it_learns_what_the_texts_are_about(learner):
    fitted = fit(learner(epochs=12))
    probabilities = OnnxTextClassifier(fitted.onnx, sha256=None).predict_texts(TEXTS)
    assert np.array_equal(probabilities.argmax(axis=1), TARGETS)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_the_file_says_what_the_trained_model_said(learner):
    assert fit(learner(epochs=2)).parity < 1e-5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(learner):
    first, again, other = (fit(learner(epochs=2), seed=seed).onnx for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_chance_of_the_process_is_left_as_it_was(learner):
    import torch

    before = torch.get_rng_state()
    fit(learner(epochs=1))
    assert torch.equal(before, torch.get_rng_state())


def test_training_stops_when_the_watched_rows_gain_nothing(learner):
    parameters = fit(learner(epochs=60, patience=1, learning_rate=0.05), watched=SOME).parameters
    losses = parameters["watched_loss"]
    assert parameters["epochs_run"] == len(losses) < 60
    assert parameters["best_epoch"] == int(np.argmin(losses)) + 1
    assert parameters["watched_rows"] == 4


def test_without_watched_rows_every_epoch_is_run(learner):
    parameters = fit(learner(epochs=3)).parameters
    assert parameters["epochs_run"] == 3
    assert parameters["watched_loss"] == []


def test_watched_rows_are_not_trained_on(learner):
    turned = np.where(SOME, 1 - TARGETS, TARGETS).astype(np.int32)
    first = fit(learner(epochs=1), watched=SOME)
    second = fit(learner(epochs=1), watched=SOME, targets=turned)
    assert first.onnx == second.onnx


def test_progress_counts_steps_to_the_end(learner):
    job = QuietJob()
    fit(learner(epochs=2), job=job)
    assert [done for _, done, _ in job.seen] == list(range(7))
    assert {(phase, total) for phase, _, total in job.seen} == {("train", 6)}


def test_a_cancelled_job_stops_between_steps(learner):
    job = QuietJob(checks=2)
    with pytest.raises(Cancelled):
        fit(learner(epochs=50), job=job)
    assert len(job.seen) == 2


def test_several_labels_get_independent_probabilities(learner):
    members = np.stack([TARGETS == 0, TARGETS == 1, np.arange(12) % 2 == 0], axis=1)
    fitted = fit(learner(epochs=12), targets=members, classes=3)
    probabilities = OnnxTextClassifier(fitted.onnx, sha256=None).predict_texts(TEXTS)
    assert np.array_equal(probabilities[:, :2] >= 0.5, members[:, :2])
    assert not np.allclose(probabilities.sum(axis=1), 1, atol=0.01)


def test_eight_bits_are_smaller_and_their_cost_is_told(learner):
    cost = fit(learner(epochs=4, int8=True), watched=SOME).parameters["int8_cost"]
    assert cost["on"] == "held out"
    assert cost["rows"] == 4
    assert cost["change"] == cost["macro_f1_int8"] - cost["macro_f1"]
    assert 0 <= cost["same_answers"] <= 1


def test_a_class_left_without_rows_is_refused(learner):
    with pytest.raises(JobFailed) as refusal:
        fit(learner(), watched=TARGETS == 1)
    assert refusal.value.code == "class-without-labels"


def test_a_rare_class_weighs_as_much_as_a_common_one():
    targets = np.array([0, 0, 0, 1], dtype=np.int32)
    own = np.array([1, 1, 0.5, 1], dtype=np.float32)
    none = np.zeros(4, dtype=bool)
    found = loss_weights(targets, own, watched=none, balanced=True)
    assert found[:3].sum() == pytest.approx(found[3])
    assert found[2] == pytest.approx(found[0] / 2)
    assert found.mean() == pytest.approx(1)


def test_a_text_reads_the_same_alone_and_among_others(learner):
    classifier = OnnxTextClassifier(fit(learner(epochs=2)).onnx, sha256=None)
    together = classifier.predict_texts(["my boat the river", "a", "", "the bread"])
    alone = np.concatenate([classifier.predict_texts([t]) for t in ["my boat the river", "a"]])
    assert np.allclose(together[:2], alone, atol=1e-6)
    assert classifier.predict_texts([]).shape == (0, 2)


def test_texts_past_max_length_are_told(learner):
    classifier = OnnxTextClassifier(fit(learner(epochs=1)).onnx, sha256=None)
    assert classifier.truncated(["the boat", "the " * 30]) == [False, True]


def test_other_bytes_than_the_pinned_ones_are_not_loaded(learner):
    data = fit(learner(epochs=1)).onnx
    OnnxTextClassifier(data, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(Unavailable, match="not those that were stored"):
        OnnxTextClassifier(data, sha256="0" * 64)


def test_a_file_without_its_tokenizer_is_not_loaded(learner):
    graph = onnx.load_model_from_string(fit(learner(epochs=1)).onnx)
    del graph.metadata_props[:]
    with pytest.raises(Unavailable, match="no tokenizer"):
        OnnxTextClassifier(graph.SerializeToString(), sha256=None)


@pytest.mark.parametrize("name", ["", "..", "../tiny", "/etc", "tiny/../.."])
def test_a_model_outside_the_servers_directory_is_refused(learner, name):
    with pytest.raises(InvalidOption, match="model directory"):
        learner(model=name)


def test_a_model_that_is_not_there_names_the_command(learner):
    with pytest.raises(NotInstalled, match="hf download bert-base-cased") as refusal:
        learner(model="bert-base-cased")
    assert refusal.value.code == "model-missing"


def test_weights_that_are_not_safetensors_do_not_count(home, learner):
    write_tiny_bert(home.parent / "old")
    (home.parent / "old" / "model.safetensors").rename(home.parent / "old" / "pytorch_model.bin")
    with pytest.raises(NotInstalled):
        learner(model="old")


def test_code_in_a_models_folder_is_never_run(home, learner):
    folder = write_tiny_bert(home.parent / "sly")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "sly", "auto_map": {"AutoConfig": "sly.Sly"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "sly.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()\n")
    with pytest.raises(Unavailable) as refusal:
        fit(learner(model="sly"))
    assert refusal.value.code == "model-corrupt"
    assert not (folder / "ran").exists()


def test_more_tokens_than_the_model_has_positions_are_refused(learner):
    with pytest.raises(InvalidOption, match="at most 24 tokens"):
        fit(learner(max_length=100))


@pytest.mark.parametrize(
    "options",
    [{"epochs": 0}, {"learning_rate": 1}, {"patience": True}, {"int8": 1}, {"model": 3}],
)
def test_bad_options_are_refused(learner, options):
    with pytest.raises(InvalidOption):
        learner(**options)


def test_without_the_extra_the_command_is_named(learner, monkeypatch):
    monkeypatch.setattr("adapters.learners.transformer.find_spec", lambda _name: None)
    with pytest.raises(NotInstalled, match=r"pip install 'tailwise\[transformer\]'"):
        learner()
