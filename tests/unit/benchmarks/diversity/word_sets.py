"""Three sets of made-up sentences whose order of variety is plain: copies, variants, unrelated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORDS = 400
LENGTH = 20


def word_sets(n: int, *, seed: int = 0) -> dict[str, list[str]]:
    """``n`` sentences each: one repeated, one with five words exchanged, all different."""
    rng = np.random.default_rng(seed)
    base = rng.integers(WORDS, size=LENGTH)
    variants = np.tile(base, (n, 1))
    for row in variants:
        row[rng.choice(LENGTH, size=5, replace=False)] = rng.integers(WORDS, size=5)
    unrelated = rng.integers(WORDS, size=(n, LENGTH))
    sets = {"copies": np.tile(base, (n, 1)), "variants": variants, "unrelated": unrelated}
    return {name: [" ".join(f"w{i}" for i in row) for row in rows] for name, rows in sets.items()}


def counted(texts: list[str]) -> NDArray[np.float32]:
    """Word counts as vectors (len(texts), WORDS)."""
    vectors = np.zeros((len(texts), WORDS), dtype=np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        for word in text.split():
            vector[int(word[1:])] += 1
    return vectors
