"""A classifier that reads texts, in onnxruntime; torch is not needed to run it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx.external_data_helper import uses_external_data
from tokenizers import Tokenizer

from core.errors import Unavailable
from core.ports import Floats

READS = ("input_ids", "attention_mask")
PROBABILITIES = "probabilities"
TOKENIZER, PAD_ID = "tokenizer", "pad_id"
_WINDOW = 4096
"""Texts tokenised and sorted together."""
_BATCH = 32


class OnnxTextClassifier:
    """Runs batches of texts of like length, so that little is padding.

    Safe to call from several threads. An exact model gives a text the same probabilities
    whatever it is read with; an eight-bit one nearly so.
    """

    def __init__(self, data: bytes, *, sha256: str | None, threads: int = 1) -> None:
        """Load the file; ``sha256`` None skips the pin, for bytes just written.

        Raises Unavailable ``model-unavailable`` when the bytes are not the pinned ones,
        keep weights in other files, or do not load.
        """
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise _unavailable("the model's bytes are not those that were stored")
        _check(data)
        self._session = start_session(data, threads=threads)
        notes = self._session.get_modelmeta().custom_metadata_map
        try:
            self._tokenizer = Tokenizer.from_str(notes[TOKENIZER])
            self._pad_id = int(notes[PAD_ID])
        except Exception as error:  # tokenizers has no class of its own
            raise _unavailable("the model carries no tokenizer") from error
        self._classes = int(self._session.get_outputs()[0].shape[1])

    def predict_texts(self, texts: Sequence[str]) -> Floats:
        """(n, C) float32 probabilities in the order of ``texts``."""
        answer = np.empty((len(texts), self._classes), dtype=np.float32)
        for start in range(0, len(texts), _WINDOW):
            window = list(texts[start : start + _WINDOW])
            tokens = [entry.ids for entry in self._tokenizer.encode_batch_fast(window)]
            for rows in _by_length(tokens):
                batch = [tokens[row] for row in rows]
                answer[start + rows] = run_tokens(self._session, batch, pad_id=self._pad_id)
        return answer

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Which texts are longer than the model reads, so that their end is not seen."""
        return [bool(entry.overflowing) for entry in self._tokenizer.encode_batch(list(texts))]


def portable(data: bytes) -> tuple[onnx.ModelProto, bytes]:
    """The graph without its metadata, and the tokenizer.json that was in it."""
    graph = onnx.load_model_from_string(data)
    notes = {entry.key: entry.value for entry in graph.metadata_props}
    del graph.metadata_props[:]
    return graph, notes[TOKENIZER].encode()


def run_tokens(session: Any, tokens: Sequence[Sequence[int]], *, pad_id: int) -> Floats:
    """(n, C) float32 of one batch of token ids, padded on the right."""
    shape = (len(tokens), max(map(len, tokens)))
    ids, mask = np.full(shape, pad_id, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, numbers in enumerate(tokens):
        ids[row, : len(numbers)] = numbers
        mask[row, : len(numbers)] = 1
    feeds = dict(zip(READS, (ids, mask), strict=True))
    answer: Floats = session.run([PROBABILITIES], feeds)[0]
    return answer


def start_session(data: bytes, *, threads: int) -> Any:
    """An onnxruntime session on the CPU whose waiting threads do not spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes have no common parent of their own
        raise _unavailable("the model cannot be loaded") from error


def _by_length(tokens: list[list[int]]) -> Iterator[NDArray[np.intp]]:
    order = np.argsort([len(ids) for ids in tokens], kind="stable")
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def _check(data: bytes) -> None:
    try:
        graph = onnx.load_model_from_string(data).graph
    except DecodeError:
        raise _unavailable("the model is not ONNX") from None
    if any(uses_external_data(tensor) for tensor in graph.initializer):
        raise _unavailable("the model keeps weights in other files")
    if [entry.name for entry in (*graph.input, *graph.output)] != [*READS, PROBABILITIES]:
        raise _unavailable(f"a text model maps {' and '.join(READS)} to {PROBABILITIES}")


def _unavailable(detail: str) -> Unavailable:
    return Unavailable(detail, code="model-unavailable")
