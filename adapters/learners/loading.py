"""A stored model as the classifier that its bytes make it: a head, or one that reads texts."""

from __future__ import annotations

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from adapters.learners.onnx_head import OnnxClassifier
from adapters.learners.transformer_onnx import READS, OnnxTextClassifier


def load_model(
    data: bytes, *, sha256: str | None, threads: int = 1
) -> OnnxClassifier | OnnxTextClassifier:
    """Raises Unavailable ``model-unavailable``; ``threads`` 0 is all cores, for texts only."""
    if reads_texts(data):
        return OnnxTextClassifier(data, sha256=sha256, threads=threads)
    return OnnxClassifier(data, sha256=sha256)


def reads_texts(data: bytes) -> bool:
    """Whether the graph's inputs are token ids; bytes that are no graph are left to a head's
    loader, which says so."""
    try:
        graph = onnx.load_model_from_string(data).graph
    except DecodeError:
        return False
    return [entry.name for entry in graph.input] == list(READS)
