"""A fine-tuned PyTorch model as one ONNX file that carries its own tokenizer."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch

from adapters.learners.transformer_onnx import (
    PAD_ID,
    PROBABILITIES,
    READS,
    TOKENIZER,
    run_tokens,
    start_session,
)
from adapters.learners.transformer_training import feed

OPSET = 17


class _Probabilities(torch.nn.Module):  # type: ignore[misc]  # torch is not type-checked
    def __init__(self, model: Any, *, several: bool) -> None:
        super().__init__()
        self.model, self.several = model, several

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return torch.sigmoid(logits) if self.several else torch.softmax(logits, dim=-1)


def export_model(model: Any, *, tokenizer: str, pad_id: int, several: bool) -> bytes:
    """Token ids and mask int64 (batch, tokens), both free, to probabilities (batch, C).

    The tokenizer and the padding id travel in the file's metadata. By tracing, since the
    newer exporter needs another package and was not seen working with free axes.
    """
    example = torch.ones((2, 8), dtype=torch.long)
    axes = {name: {0: "batch", 1: "tokens"} for name in READS}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Probabilities(model, several=several).eval(),
            (example, example),
            buffer,
            input_names=list(READS),
            output_names=[PROBABILITIES],
            dynamic_axes=axes | {PROBABILITIES: {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    graph = onnx.load_model_from_string(buffer.getvalue())
    graph.producer_name = "tailwise"
    onnx.helper.set_model_props(graph, {TOKENIZER: tokenizer, PAD_ID: str(pad_id)})
    return bytes(graph.SerializeToString(deterministic=True))


def largest_gap(
    model: Any, data: bytes, tokens: Sequence[Sequence[int]], *, pad_id: int, several: bool
) -> float:
    """The largest difference in probability between the model and its file, in batches of
    several lengths."""
    session = start_session(data, threads=1)
    exact = _Probabilities(model, several=several).eval()
    gap = 0.0
    for start in range(0, len(tokens), 16):
        batch = tokens[start : start + 16]
        with torch.no_grad():
            wanted = exact(*feed(batch, pad_id=pad_id)).numpy()
        found = run_tokens(session, batch, pad_id=pad_id)
        gap = float(np.maximum(gap, np.abs(wanted - found).max()))  # nan stays nan
    return gap
