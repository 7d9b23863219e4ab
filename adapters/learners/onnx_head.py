"""A classification head as ONNX: written, loaded from checked bytes, compared, run over shards.

A head maps ``vectors`` float32 (n, D) to ``probabilities`` float32 (n, C).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import uses_external_data

from core.errors import JobFailed, Unavailable
from core.ports import Classifier, FittedHead, Floats, Halves

VECTORS, PROBABILITIES = "vectors", "probabilities"
TOLERANCE = 1e-5
OPERATORS = frozenset(
    {"Add", "Cast", "Concat", "Div", "Gemm", "Identity", "MatMul", "Mul", "Relu", "Sigmoid"}
    | {"Softmax", "Sub", "Tanh"}
)
_BLOCK = 2048
"""Rows per run: their float32 copy (3 MB at 384 dimensions) stays in the cache."""


def linear_head(matrix: Floats, bias: Floats, *, multi_label: bool = False) -> bytes:
    """softmax(vectors @ matrix + bias) for a (D, C) matrix and (C,) bias; with
    ``multi_label`` a sigmoid, so that the probabilities are independent."""
    size, classes = matrix.shape
    squash = (
        helper.make_node("Sigmoid", ["logits"], [PROBABILITIES])
        if multi_label
        else helper.make_node("Softmax", ["logits"], [PROBABILITIES], axis=1)
    )
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", [VECTORS, "matrix", "bias"], ["logits"]),
            squash,
        ],
        "head",
        [helper.make_tensor_value_info(VECTORS, TensorProto.FLOAT, ["batch", size])],
        [helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["batch", classes])],
        [
            numpy_helper.from_array(np.ascontiguousarray(matrix), "matrix"),
            numpy_helper.from_array(np.ascontiguousarray(bias), "bias"),
        ],
    )
    model = helper.make_model(
        graph,
        producer_name="tailwise",
        ir_version=10,
        opset_imports=[helper.make_opsetid("", 20)],
    )
    return bytes(model.SerializeToString(deterministic=True))


class OnnxClassifier:
    """A head in onnxruntime. Safe to call from several threads."""

    def __init__(self, data: bytes, *, sha256: str | None, threads: int = 1) -> None:
        """Load the head; ``sha256`` None skips the pin, for bytes just written.

        Raises Unavailable ``model-unavailable`` when the bytes are not the pinned ones, use
        other operators than OPERATORS or other files, or do not load.
        """
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise _unavailable("the model's bytes are not those that were stored")
        model = _checked(data)
        self._single = _open(data, threads=threads)
        self._half = _open(_from_halves(model), threads=threads)

    def predict(self, vectors: Floats | Halves) -> Floats:
        """(n, C) float32 probabilities; (n, D) vectors may be float16 and memory-mapped.

        Works in blocks, so that memory grows by the answer alone.
        """
        halves = vectors.dtype == np.float16
        session = self._half if halves else self._single
        dtype = np.float16 if halves else np.float32
        first = self._run(session, vectors[:_BLOCK], dtype)
        answer = np.empty((len(vectors), first.shape[1]), dtype=np.float32)
        answer[:_BLOCK] = first
        for start in range(_BLOCK, len(vectors), _BLOCK):
            block = vectors[start : start + _BLOCK]
            answer[start : start + _BLOCK] = self._run(session, block, dtype)
        return answer

    @staticmethod
    def _run(session: Any, block: Floats | Halves, dtype: Any) -> Floats:
        feed = {VECTORS: np.ascontiguousarray(block).astype(dtype, copy=False)}
        answer: Floats = session.run([PROBABILITIES], feed)[0]
        return answer


def score_shard(classifier: OnnxClassifier, shard: Halves) -> Floats:
    """(n, C) float32 probabilities of a shard's float16 (n, D) vectors, in their order."""
    return classifier.predict(shard)


def parity(fitted: FittedHead, classifier: Classifier, vectors: Floats) -> float:
    """The largest difference between the training library's probabilities and the file's.

    Raises JobFailed ``onnx-parity`` past 1e-5, or where one of them is not a number.
    """
    difference = np.abs(fitted.predict(vectors) - classifier.predict(vectors))
    largest = float(difference.max(initial=0.0))
    if not largest <= TOLERANCE:
        raise JobFailed(
            f"the exported model differs from the trained one by {largest:.2g}",
            code="onnx-parity",
            extras={"difference": largest, "tolerance": TOLERANCE},
        )
    return largest


def _unavailable(detail: str) -> Unavailable:
    return Unavailable(detail, code="model-unavailable")


def _checked(data: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError:
        raise _unavailable("the model is not ONNX") from None
    graph = model.graph
    known = all(node.op_type in OPERATORS and not node.domain for node in graph.node)
    if not known or model.functions or graph.sparse_initializer:
        raise _unavailable("the model uses operators that a head does not need")
    if any(uses_external_data(tensor) for tensor in graph.initializer):
        raise _unavailable("the model keeps weights in other files")
    named = [entry.name for entry in (*graph.input, *graph.output)]
    if named != [VECTORS, PROBABILITIES]:
        raise _unavailable(f"a model maps {VECTORS} to {PROBABILITIES}, and nothing else")
    return model


def _from_halves(model: onnx.ModelProto) -> bytes:
    """The same head for float16 input: onnxruntime's Cast is three times NumPy's astype."""
    for node in model.graph.node:
        node.input[:] = ["tailwise_single" if name == VECTORS else name for name in node.input]
    cast = helper.make_node("Cast", [VECTORS], ["tailwise_single"], to=TensorProto.FLOAT)
    model.graph.node.insert(0, cast)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    return bytes(model.SerializeToString())


def _open(data: bytes, *, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if threads == 1:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes have no common parent of their own
        raise _unavailable("the model cannot be loaded") from error
