"""The ONNX head: only checked bytes load, and shards are scored as single vectors are."""

from __future__ import annotations

import hashlib
import tracemalloc
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from adapters.learners.onnx_head import OnnxClassifier, linear_head, parity, score_shard
from core.errors import JobFailed, Unavailable

RNG = np.random.default_rng
MATRIX = RNG(0).normal(size=(8, 3)).astype(np.float32)
BIAS = np.array([0.1, 0.0, -0.1], np.float32)
HEAD = linear_head(MATRIX, BIAS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A head whose training library disagrees by ``off``."""

    off: float
    onnx: bytes = HEAD

    @property
    def parameters(self):
        return {}

    def predict(self, vectors):
        return expected(vectors) + np.float32(self.off)


def expected(vectors):
    logits = np.asarray(vectors, np.float64) @ MATRIX + BIAS
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def edited(change):
    model = onnx.load_model_from_string(HEAD)
    change(model)
    return model.SerializeToString()


def test_the_head_is_softmax_of_a_product():
    vectors = RNG(1).normal(size=(5, 8)).astype(np.float32)
    found = OnnxClassifier(HEAD, sha256=None).predict(vectors)
    assert found == pytest.approx(expected(vectors), abs=1e-6)


@pytest.mark.parametrize("rows", [0, 1, 2047, 2048, 2049, 5000])
def test_blocks_join_without_a_seam(rows):
    vectors = RNG(2).normal(size=(rows, 8)).astype(np.float32)
    found = OnnxClassifier(HEAD, sha256=None).predict(vectors)
    assert found.shape == (rows, 3)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected(vectors), abs=1e-6)


def test_a_memory_mapped_shard_scores_as_its_vectors_do(tmp_path):
    np.save(tmp_path / "shard.npy", RNG(3).normal(size=(5000, 8)).astype(np.float16))
    shard = np.load(tmp_path / "shard.npy", mmap_mode="r")
    classifier = OnnxClassifier(HEAD, sha256=None)
    found = score_shard(classifier, shard)
    assert found == pytest.approx(classifier.predict(shard.astype(np.float32)), abs=1e-6)


def test_scoring_takes_no_more_memory_than_its_answer():
    shard = np.zeros((50_000, 8), np.float16)
    classifier = OnnxClassifier(HEAD, sha256=None)
    tracemalloc.start()
    answer = score_shard(classifier, shard)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < answer.nbytes + 500_000


def test_strided_vectors_are_read_right():
    vectors = RNG(4).normal(size=(8, 6)).astype(np.float32).T
    found = OnnxClassifier(HEAD, sha256=None).predict(vectors)
    assert found == pytest.approx(expected(vectors), abs=1e-6)


def test_pinned_bytes_load():
    classifier = OnnxClassifier(HEAD, sha256=hashlib.sha256(HEAD).hexdigest())
    assert classifier.predict(np.zeros((1, 8), np.float32)).shape == (1, 3)


def test_other_bytes_than_the_pinned_are_refused():
    with pytest.raises(Unavailable, match="not those that were stored") as caught:
        OnnxClassifier(HEAD, sha256="0" * 64)
    assert caught.value.code == "model-unavailable"


@pytest.mark.parametrize("data", [b"", b"\xff\xff not a model"])
def test_bytes_that_are_no_model_are_refused(data):
    with pytest.raises(Unavailable):
        OnnxClassifier(data, sha256=None)


def test_an_operator_off_the_list_is_refused():
    def change(model):
        model.graph.node.append(helper.make_node("Exp", ["logits"], ["powers"]))

    with pytest.raises(Unavailable, match="operators"):
        OnnxClassifier(edited(change), sha256=None)


def test_a_known_name_in_a_foreign_domain_is_refused():
    def change(model):
        model.graph.node[0].domain = "com.example"

    with pytest.raises(Unavailable, match="operators"):
        OnnxClassifier(edited(change), sha256=None)


def test_a_model_with_functions_is_refused():
    def change(model):
        model.functions.add(name="Add", domain="com.example")

    with pytest.raises(Unavailable, match="operators"):
        OnnxClassifier(edited(change), sha256=None)


def test_weights_in_other_files_are_refused():
    def change(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="secrets")

    with pytest.raises(Unavailable, match="other files"):
        OnnxClassifier(edited(change), sha256=None)


def test_other_inputs_than_vectors_are_refused():
    def change(model):
        model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))

    with pytest.raises(Unavailable, match="vectors"):
        OnnxClassifier(edited(change), sha256=None)


def test_a_graph_that_does_not_fit_together_is_refused():
    def change(model):
        model.graph.initializer[0].CopyFrom(
            numpy_helper.from_array(np.zeros((2, 2, 2), np.float32), "matrix")
        )

    with pytest.raises(Unavailable, match="cannot be loaded"):
        OnnxClassifier(edited(change), sha256=None)


def test_parity_is_the_largest_difference():
    vectors = RNG(5).normal(size=(50, 8)).astype(np.float32)
    found = parity(Fitted(off=5e-6), OnnxClassifier(HEAD, sha256=None), vectors)
    assert found == pytest.approx(5e-6, rel=0.2)


@pytest.mark.parametrize("off", [1e-4, float("nan")])
def test_a_head_that_differs_from_what_was_trained_fails_the_job(off):
    vectors = RNG(6).normal(size=(50, 8)).astype(np.float32)
    with pytest.raises(JobFailed) as caught:
        parity(Fitted(off=off), OnnxClassifier(HEAD, sha256=None), vectors)
    assert caught.value.code == "onnx-parity"
