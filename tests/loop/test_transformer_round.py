"""A round whose detector is a fine-tuned MiniLM: trained, scored, asked, downloaded, undone."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from adapters.encoders.install import default_directory
from core.arrays import PoolArrays
from core.records import Choice, Page
from core.requests import RetrainRequest, SelectRequest
from tests.corpus import items, new_session

pytest.importorskip("torch")
pytest.importorskip("transformers")
if not (default_directory() / "model.safetensors").is_file():
    pytest.skip("the encoder's weights are not installed", allow_module_level=True)

MINILM = {"model": "minilm", "epochs": 1, "learning_rate": 3e-4, "batch_size": 8, "max_length": 16}


def trained(tailwise, session):
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    started = tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    ended = tailwise.wait("ten_a", started.id, seconds=0)
    assert ended.state == "succeeded", ended.error
    return ended.result


def test_a_fine_tuned_detector_goes_through_the_whole_loop(tailwise):
    learner = Choice(name="transformer", options=MINILM)
    session = tailwise.create_session("ten_a", new_session(batch_size=12, learner=learner))
    tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    session = tailwise.session("ten_a", session.id)
    result = trained(tailwise, session)
    assert result["activated"]
    assert result["evaluated_on"] == "test"
    assert 0 <= result["parity"] < 1e-4
    with tailwise.store.read() as tx:
        version = tx.indexes.latest(session.id)
        model = tx.models.active(session.id)
        texts = {row.position: row.text for row in tx.items.list(session.id, Page(limit=500))}
    assert model.learner == "transformer"
    stored = PoolArrays(version, blobs=tailwise.blobs).probabilities()
    asked = tailwise.predict(session, [texts[0], texts[50]], model_id=None).results
    said = np.array([[row.scores[c] for c in model.classes] for row in asked])
    assert np.allclose(stored[[0, 50]], said, atol=1e-5)

    with zipfile.ZipFile(io.BytesIO(tailwise.model_bundle(session, model.id))) as archive:
        assert set(archive.namelist()) == {
            "model.onnx",
            "tokenizer.json",
            "labels.json",
            "README.md",
        }

    second = trained(tailwise, session)
    with tailwise.store.read() as tx:
        first = tx.models.get(session.id, model.id)
    undone = tailwise.start_activate(
        session, first.id, expected_revision=first.revision, request_key=None
    )
    assert tailwise.wait("ten_a", undone.id, seconds=0).state == "succeeded"
    assert tailwise.overview(session).active_model_id == first.id != second["model_id"]
    with tailwise.store.read() as tx:
        again = PoolArrays(tx.indexes.latest(session.id), blobs=tailwise.blobs).probabilities()
    assert np.array_equal(stored, again)


def test_a_missing_model_fails_the_training_with_the_command_to_run(tailwise):
    learner = Choice(name="transformer", options={"model": "not-there"})
    session = tailwise.create_session("ten_a", new_session(learner=learner))
    tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    session = tailwise.session("ten_a", session.id)
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    started = tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    ended = tailwise.wait("ten_a", started.id, seconds=0)
    assert ended.state == "failed"
    assert ended.error["code"] == "model-missing"
    assert "hf download not-there" in ended.error["detail"]
