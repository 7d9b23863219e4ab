"""A sentence encoder on disk: read, checked against its record, made to give unit vectors.

A folder holds ``model.onnx``, ``tokenizer.json`` and, where Tailwise installed it,
``encoder.json`` with the sha256 of both. Weights are read as bytes and never from other
files that a graph points to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx.external_data_helper import uses_external_data
from tokenizers import Tokenizer

from adapters.encoders.pooling import with_unit_rows
from adapters.encoders.record import MODEL, TOKENIZER, corrupt, install_command, read_record, sha256
from core.errors import NotInstalled

INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderFiles:
    """``model`` maps token ids to unit rows (batch, D), its only output; ``tokenizer`` is
    tokenizer.json as it lies on disk; ``digest`` covers both; ``limit`` is the most tokens
    the model takes, where that is known."""

    name: str
    model: bytes
    tokenizer: bytes
    digest: str
    limit: int | None
    licence: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortableEncoder:
    """What a deployed model needs of an encoder: the graph, tokenizer.json set to cut texts
    and not to pad, and what a model card says of them."""

    model: bytes
    tokenizer: bytes
    licence: str
    source: str


def read_encoder(directory: Path) -> EncoderFiles:
    """The folder's encoder.

    Raises NotInstalled ``encoder-missing`` where there is none, Unavailable
    ``encoder-corrupt`` where the files are not what their record says.
    """
    try:
        model, tokenizer = (directory / MODEL).read_bytes(), (directory / TOKENIZER).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotInstalled(
            f"the sentence encoder is not installed; run: {install_command(directory)}",
            code="encoder-missing",
        ) from None
    record = read_record(directory)
    digests = {MODEL: sha256(model), TOKENIZER: sha256(tokenizer)}
    if record and record.get("sha256") != digests:
        raise corrupt("the encoder's files are not those that were installed")
    return EncoderFiles(
        name=str(record.get("id", "onnx")),
        model=_checked(model, unit_rows=bool(record.get("unit_rows"))),
        tokenizer=tokenizer,
        digest=sha256("".join(digests.values()).encode()),
        limit=record.get("max_length"),
        licence=str(record.get("licence", "unknown")),
        source=str(record.get("source", "a local folder")),
    )


def make_tokenizer(data: bytes, *, max_length: int) -> Tokenizer:
    """Cuts texts to ``max_length`` tokens and pads nothing."""
    try:
        tokenizer = Tokenizer.from_str(data.decode())
    except Exception as error:  # tokenizers has no class of its own
        raise corrupt("tokenizer.json cannot be read") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


def _checked(data: bytes, *, unit_rows: bool) -> bytes:
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError:
        raise corrupt("model.onnx is not an ONNX model") from None
    if not model.graph.output:
        raise corrupt("model.onnx has no outputs")
    if any(uses_external_data(tensor) for tensor in _tensors(model.graph)):
        raise corrupt("model.onnx keeps weights in other files, which is not supported")
    if not {entry.name for entry in model.graph.input} <= INPUTS:
        raise corrupt(f"model.onnx wants inputs other than {', '.join(sorted(INPUTS))}")
    return data if unit_rows else with_unit_rows(model).SerializeToString(deterministic=True)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for attribute in (entry for node in graph.node for entry in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for inner in (attribute.g, *attribute.graphs):
            if inner.ByteSize():
                yield from _tensors(inner)
