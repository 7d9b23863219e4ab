"""Scoring 1,000,000 float16 vectors with a head, against astype and one product per shard."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.learners.onnx_head import OnnxClassifier, linear_head, score_shard
from benchmarks.performance.table import Row, compare
from core.records import SHARD_ROWS

SHARDS, DIMENSION, CLASSES = 10, 384, 6
Shards = Sequence[NDArray[np.float16]]


def run() -> list[Row]:
    """Both sides read the same memory-mapped shards; ours adds bias and softmax."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(DIMENSION, CLASSES)).astype(np.float32)
    classifier = OnnxClassifier(
        linear_head(matrix, np.zeros(CLASSES, dtype=np.float32)), sha256=None
    )
    with tempfile.TemporaryDirectory() as folder:
        shards = write_shards(Path(folder), rng)
        ours, reference = compare(
            lambda: [score_shard(classifier, shard) for shard in shards],
            lambda: [shard.astype(np.float32) @ matrix for shard in shards],
            repeats=5,
        )
        extra = extra_megabytes(classifier, shards[0])
    return [
        Row(
            name=f"rescore {SHARDS * SHARD_ROWS:,} vectors ({DIMENSION} dimensions)",
            ours_seconds=ours,
            reference_seconds=reference,
            ratio=ours / reference,
            target="at most 1.5",
            extra_mb=extra,
            note="extra MB per shard, the answer included; one thread",
        )
    ]


def write_shards(folder: Path, rng: np.random.Generator) -> Shards:
    """Shard files as the index stores them, opened for reading."""
    rows = rng.standard_normal((SHARD_ROWS, DIMENSION), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for number in range(SHARDS):
        np.save(folder / f"{number}.npy", np.roll(rows, number, axis=0).astype(np.float16))
    return [np.load(folder / f"{number}.npy", mmap_mode="r") for number in range(SHARDS)]


def extra_megabytes(classifier: OnnxClassifier, shard: NDArray[np.float16]) -> float:
    """Peak of what NumPy allocates while one shard is scored."""
    tracemalloc.start()
    score_shard(classifier, shard)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
