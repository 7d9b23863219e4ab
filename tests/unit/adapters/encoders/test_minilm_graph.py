"""The hand-written graph computes what BERT computes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from adapters.encoders.minilm_graph import build


@pytest.fixture(scope="module")
def session(tiny_weights):
    data = build(tiny_weights, heads=2).SerializeToString()
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


def test_the_graph_is_valid_onnx(tiny_weights):
    model = build(tiny_weights, heads=2)
    onnx.checker.check_model(model, full_check=True)
    assert [o.name for o in model.graph.output] == ["embedding"]


@pytest.mark.parametrize("ids", [[2, 3], [2, 5, 9, 3], list(range(12))])
def test_the_graph_agrees_with_the_formulas_in_numpy(session, forward, ids):
    tokens = np.array([ids])
    found = session.run(None, {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})[0]
    assert found[0] == pytest.approx(forward(ids), abs=1e-5)


def test_padding_does_not_reach_the_vector(session, forward):
    tokens = np.array([[2, 5, 3, 0, 0], [2, 5, 6, 7, 3]])
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    found = session.run(None, {"input_ids": tokens, "attention_mask": mask})[0]
    assert found[0] == pytest.approx(forward([2, 5, 3]), abs=1e-5)


def test_the_same_weights_give_the_same_bytes(tiny_weights):
    first, second = (build(tiny_weights, heads=2) for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(
        deterministic=True
    )
