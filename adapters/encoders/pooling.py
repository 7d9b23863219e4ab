"""Appends mean pooling and unit length to encoder graphs that lack them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

_SENTENCE_OUTPUTS = ("embedding", "sentence_embedding")
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
_TOKEN_RANK = 3
_AXES_AS_INPUT = 18
"""From this opset on ReduceL2 takes its axes as an input."""


def with_unit_rows(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with one output ``t_embedding``: float32 (batch, D), unit rows.

    The output named ``embedding`` or ``sentence_embedding``, else the first of floating-point
    numbers, is taken; token vectors (rank 3) are averaged over the attention mask. Needs opset 13.
    """
    graph = model.graph
    source = _vectors(graph.output)
    nodes = [_node("Cast", source.name, "t_rows", to=TensorProto.FLOAT)]
    if len(source.type.tensor_type.shape.dim) == _TOKEN_RANK:
        nodes += _mean_over_tokens()
    nodes += _unit_length(nodes[-1].output[0], opset=_opset(model))
    graph.node.extend(nodes)
    graph.initializer.extend(
        [
            helper.make_tensor("t_axis_1", TensorProto.INT64, [1], [1]),
            helper.make_tensor("t_axis_2", TensorProto.INT64, [1], [2]),
            helper.make_tensor("t_least", TensorProto.FLOAT, [], [1e-12]),
        ]
    )
    del graph.output[:]
    graph.output.append(
        helper.make_tensor_value_info("t_embedding", TensorProto.FLOAT, ["batch", None])
    )
    return model


def _vectors(outputs: Sequence[onnx.ValueInfoProto]) -> onnx.ValueInfoProto:
    """Exporters also put out token ids and masks, at times first; those are whole numbers."""
    named = [output for output in outputs if output.name in _SENTENCE_OUTPUTS]
    floats = [output for output in outputs if output.type.tensor_type.elem_type in _FLOATS]
    return [*named, *floats, *outputs][0]


def _mean_over_tokens() -> list[onnx.NodeProto]:
    return [
        _node("Cast", "attention_mask", "t_mask", to=TensorProto.FLOAT),
        _node("Unsqueeze", "t_mask", "t_axis_2", "t_column"),
        _node("Mul", "t_rows", "t_column", "t_kept"),
        _node("ReduceSum", "t_kept", "t_axis_1", "t_total", keepdims=0),
        _node("ReduceSum", "t_mask", "t_axis_1", "t_tokens", keepdims=1),
        _node("Max", "t_tokens", "t_least", "t_count"),
        _node("Div", "t_total", "t_count", "t_mean"),
    ]


def _unit_length(rows: str, *, opset: int) -> list[onnx.NodeProto]:
    norm = (
        _node("ReduceL2", rows, "t_axis_1", "t_norm", keepdims=1)
        if opset >= _AXES_AS_INPUT
        else _node("ReduceL2", rows, "t_norm", axes=[1], keepdims=1)
    )
    return [
        norm,
        _node("Max", "t_norm", "t_least", "t_length"),
        _node("Div", rows, "t_length", "t_embedding"),
    ]


def _node(operator: str, *names: str, **attributes: Any) -> onnx.NodeProto:
    """``names`` are the inputs and, last, the output."""
    return helper.make_node(operator, names[:-1], names[-1:], **attributes)


def _opset(model: onnx.ModelProto) -> int:
    return next((entry.version for entry in model.opset_import if entry.domain == ""), 0)
