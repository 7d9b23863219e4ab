"""Encoding 512 texts in any order, against onnxruntime alone on the same tokens sorted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime

from adapters.encoders.files import make_tokenizer, read_encoder
from adapters.encoders.install import default_directory
from adapters.encoders.onnx_encoder import OnnxEncoder
from benchmarks.performance.table import Row, compare

TEXTS = 512
BATCH = 32
WORDS = [
    "bank",
    "close",
    "my",
    "the",
    "account",
    "friend",
    "unsafe",
    "at",
    "home",
    "letter",
    "court",
]


def run() -> list[Row]:
    """All cores on both sides, batches of 32."""
    texts = sentences(np.random.default_rng(0))
    encoder = OnnxEncoder(default_directory())
    ours, reference = compare(lambda: encoder.encode(texts), sorted_batches(texts), repeats=5)
    return [
        Row(
            name=f"encode {TEXTS} texts (MiniLM-L6)",
            ours_seconds=ours,
            reference_seconds=reference,
            ratio=ours / reference,
            target="at most 1.11 (0.9x the speed)",
            note=f"{TEXTS / ours:.0f} texts/s, tokenising included on our side only",
        )
    ]


def sentences(rng: np.random.Generator) -> list[str]:
    """Synthetic messages of 4 to 40 words, most of them short."""
    sizes = np.clip(rng.gamma(3.0, 5.0, size=TEXTS), 4, 40).astype(int)
    return [" ".join(rng.choice(WORDS, size=size)) for size in sizes]


def sorted_batches(texts: Sequence[str]) -> Callable[[], object]:
    """The reference: everything but the runs is done beforehand."""
    files = read_encoder(default_directory())
    session = onnxruntime.InferenceSession(files.model, providers=["CPUExecutionProvider"])
    tokenizer = make_tokenizer(files.tokenizer, max_length=256)
    tokens = sorted((entry.ids for entry in tokenizer.encode_batch(list(texts))), key=len)
    feeds = []
    for start in range(0, len(tokens), BATCH):
        batch = tokens[start : start + BATCH]
        width = len(batch[-1])
        ids = np.array([row + [0] * (width - len(row)) for row in batch])
        mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in batch])
        feeds.append({"input_ids": ids, "attention_mask": mask})
    return lambda: [session.run(None, feed) for feed in feeds]
