"""Eight-bit weights for a text model, and what they cost in quality."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import QuantType, quantize_dynamic
from sklearn.metrics import f1_score

from adapters.learners.transformer_onnx import OnnxTextClassifier
from core.ports import Floats, Targets

UNDECIDED = 0.5
"""Where a class counts as named, before thresholds are chosen."""


def quantised(data: bytes) -> bytes:
    """The same model with dynamic int8 products, a scale per channel."""
    with tempfile.TemporaryDirectory() as name:
        exact, small = Path(name) / "exact.onnx", Path(name) / "small.onnx"
        exact.write_bytes(data)
        quantize_dynamic(exact, small, per_channel=True, weight_type=QuantType.QInt8)
        return small.read_bytes()


def int8_cost(exact: bytes, small: bytes, texts: Sequence[str], targets: Targets) -> dict[str, Any]:
    """Macro-F1 of both on the same rows, the share of equal answers, and bytes."""
    said = [
        _answers(OnnxTextClassifier(data, sha256=None).predict_texts(texts), targets)
        for data in (exact, small)
    ]
    before, after = (_macro_f1(targets, answers) for answers in said)
    return {
        "rows": len(texts),
        "macro_f1": before,
        "macro_f1_int8": after,
        "change": after - before,
        "same_answers": float(np.mean(said[0] == said[1])),
        "bytes": len(exact),
        "bytes_int8": len(small),
    }


def _answers(probabilities: Floats, targets: Targets) -> Targets:
    if targets.ndim > 1:
        reached: Targets = np.asarray(probabilities >= UNDECIDED, dtype=np.bool_)
        return reached
    return np.asarray(np.argmax(probabilities, axis=1), dtype=np.int32)


def _macro_f1(targets: Targets, answers: Targets) -> float:
    return float(f1_score(targets, answers, average="macro", zero_division=0))
