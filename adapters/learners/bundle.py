"""A trained model to take away: one ONNX file from token ids to probabilities, with its
tokenizer, labels and model card. It runs with onnxruntime and tokenizers alone."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import onnx
from onnx import compose

from adapters.learners.model_card import model_card
from adapters.learners.onnx_head import VECTORS
from core.errors import Unavailable
from core.records import Labels

_OLDEST_OPSET = 13
"""From here on Gemm and Softmax mean what the head wrote, whatever the encoder's opset."""
_DATE = (1980, 1, 1, 0, 0, 0)


def export_bundle(
    *,
    encoder: bytes,
    tokenizer: bytes,
    head: bytes,
    classes: Labels,
    card: Mapping[str, Any],
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, bytes]:
    """File names and contents of the bundle.

    ``encoder`` maps ``input_ids`` and ``attention_mask`` to unit vectors, its only output;
    ``tokenizer`` is a tokenizer.json that cuts and does not pad; ``classes`` is the head's
    column order; ``card`` holds the model card's sections in order; a multi-label model
    has ``thresholds`` by class. Same input, same bytes.
    """
    return package(
        merge(encoder=encoder, head=head),
        tokenizer=tokenizer,
        classes=classes,
        card=card,
        thresholds=thresholds,
    )


def package(
    graph: onnx.ModelProto,
    *,
    tokenizer: bytes,
    classes: Labels,
    card: Mapping[str, Any],
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, bytes]:
    """As ``export_bundle``, of a graph from token ids to ``probabilities``."""
    facts: dict[str, Any] = {"classes": list(classes)}
    if thresholds is not None:
        facts["thresholds"] = {c: thresholds[c] for c in classes}
    labels = json.dumps(facts, ensure_ascii=False, indent=2)
    onnx.helper.set_model_props(graph, {"classes": json.dumps(list(classes))})
    return {
        "model.onnx": graph.SerializeToString(deterministic=True),
        "tokenizer.json": tokenizer,
        "labels.json": labels.encode(),
        "README.md": model_card(
            classes=classes, card=card, multi_label=thresholds is not None
        ).encode(),
    }


def write_bundle(file: BinaryIO, files: Mapping[str, bytes]) -> None:
    """Zip the files; weights do not compress, so they are stored."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=_DATE), data)


def merge(*, encoder: bytes, head: bytes) -> onnx.ModelProto:
    """Token ids to ``probabilities``, inner names prefixed so that none collide.

    Raises Unavailable ``model-unavailable`` for an encoder older than opset 13.
    """
    first, second = onnx.load_model_from_string(encoder), onnx.load_model_from_string(head)
    _agree(first, second)
    first = compose.add_prefix(first, "encoder_", rename_inputs=False, inplace=True)
    second = compose.add_prefix(second, "head_", rename_outputs=False, inplace=True)
    joint = [(first.graph.output[0].name, f"head_{VECTORS}")]
    merged = compose.merge_models(first, second, io_map=joint, producer_name="tailwise")
    merged.graph.name = "classifier"
    return merged


def _agree(encoder: onnx.ModelProto, head: onnx.ModelProto) -> None:
    """Give the head the encoder's opset and format version, as merging demands."""
    opset = _opset(encoder.opset_import)
    if opset < _OLDEST_OPSET:
        raise Unavailable("the encoder's ONNX opset is older than 13", code="model-unavailable")
    for entry in head.opset_import:
        entry.version = opset
    head.ir_version = encoder.ir_version


def _opset(imports: Sequence[onnx.OperatorSetIdProto]) -> int:
    return next((entry.version for entry in imports if entry.domain in {"", "ai.onnx"}), 0)
