"""The ONNX graph of a BERT-shaped sentence encoder, written in standard operators (opset 20).

Token ids in, unit sentence vectors out: embeddings, post-norm transformer layers (Devlin
et al. 2019), mean over the tokens that are not padding, L2 norm (Reimers and Gurevych 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
_EPSILON = 1e-12


class _Graph:
    """Nodes and constants in the order they are added; names are ``<hint>_<number>``."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """The name of a stored array; ``value`` is cast to ``dtype``."""
        name = f"constant_{len(self.constants)}"
        array: NDArray[Any] = np.ascontiguousarray(value, dtype=dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name


class _Bert(_Graph):
    """The encoder's parts; every method takes and returns names of tensors."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], *, heads: int) -> None:
        super().__init__()
        self.weights = weights
        self.hidden = weights["embeddings.LayerNorm.weight"].shape[0]
        self.heads = heads

    def dense(self, x: str, name: str, *, scale: float = 1.0) -> str:
        """``x`` (batch, tokens, in) through the linear layer ``name``: (batch, tokens, out).

        ``scale`` multiplies its weights and its bias.
        """
        matrix = self.constant(self.weights[f"{name}.weight"].T * np.float32(scale))
        bias = self.constant(self.weights[f"{name}.bias"] * np.float32(scale))
        return self.add("Add", self.add("MatMul", x, matrix), bias)

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation of ``x`` over its last axis, with the weights of ``name``."""
        scale, bias = (self.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=_EPSILON)

    def embed(self) -> str:
        """Words plus positions; every token is of segment 0, so that row joins the positions."""
        words = self.constant(self.weights["embeddings.word_embeddings.weight"])
        positions = self.constant(
            self.weights["embeddings.position_embeddings.weight"]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        length = self.add("Shape", "input_ids", start=1, end=2)
        zero = self.constant([0], np.int64)
        here = self.add("Slice", positions, zero, length, zero)
        return self.norm(
            self.add("Add", self.add("Gather", words, "input_ids"), here), "embeddings.LayerNorm"
        )

    def split(self, x: str, *, order: tuple[int, ...]) -> str:
        shape = self.constant([0, 0, self.heads, self.hidden // self.heads], np.int64)
        return self.add("Transpose", self.add("Reshape", x, shape), perm=order)

    def layer(self, x: str, number: int, *, bias: str) -> str:
        """Encoder layer ``number`` on ``x`` (batch, tokens, hidden), same shape; ``bias`` is added
        to the attention scores and hides padding.

        Source: Vaswani et al. 2017, section 3.1, with the normalisation after each part as in BERT.
        """
        name = f"encoder.layer.{number}"
        scale = (self.hidden // self.heads) ** -0.5
        query = self.split(
            self.dense(x, f"{name}.attention.self.query", scale=scale), order=(0, 2, 1, 3)
        )
        key = self.split(self.dense(x, f"{name}.attention.self.key"), order=(0, 2, 3, 1))
        value = self.split(self.dense(x, f"{name}.attention.self.value"), order=(0, 2, 1, 3))
        scores = self.add("Add", self.add("MatMul", query, key), bias)
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), value)
        joined = self.add("Transpose", mixed, perm=(0, 2, 1, 3))
        flat = self.add("Reshape", joined, self.constant([0, 0, self.hidden], np.int64))
        attended = self.add("Add", self.dense(flat, f"{name}.attention.output.dense"), x)
        x = self.norm(attended, f"{name}.attention.output.LayerNorm")
        wide = self.add("Gelu", self.dense(x, f"{name}.intermediate.dense"))
        return self.norm(
            self.add("Add", self.dense(wide, f"{name}.output.dense"), x), f"{name}.output.LayerNorm"
        )

    def pool(self, x: str, *, mask: str) -> str:
        column = self.add("Unsqueeze", mask, self.constant([2], np.int64))
        tokens = self.constant([1], np.int64)
        total = self.add("ReduceSum", self.add("Mul", x, column), tokens, keepdims=0)
        count = self.add("ReduceSum", mask, tokens, keepdims=1)
        mean = self.add("Div", total, self.add("Max", count, self.constant(1.0)))
        length = self.add("ReduceL2", mean, tokens, keepdims=1)
        return self.add("Div", mean, self.add("Max", length, self.constant(_EPSILON)))


def build(weights: Mapping[str, NDArray[np.float32]], *, heads: int) -> onnx.ModelProto:
    """The graph for Hugging Face's BERT weight names; the layers are counted in ``weights``.

    Inputs ``input_ids`` and ``attention_mask`` are int64 (batch, tokens); the output
    ``embedding`` is float32 (batch, hidden) with unit rows.
    """
    bert = _Bert(weights, heads=heads)
    mask = bert.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    absent = bert.add("Sub", mask, bert.constant(1.0))
    flat = bert.add("Mul", absent, bert.constant(1e9))
    bias = bert.add("Unsqueeze", flat, bert.constant([1, 2], np.int64))
    x = bert.embed()
    for number in range(sum(name.endswith("attention.self.query.weight") for name in weights)):
        x = bert.layer(x, number, bias=bias)
    bert.nodes.append(helper.make_node("Identity", [bert.pool(x, mask=mask)], ["embedding"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", bert.hidden])
    graph = helper.make_graph(bert.nodes, "encoder", inputs, [output], bert.constants)
    return helper.make_model(
        graph,
        producer_name="tailwise",
        ir_version=10,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
