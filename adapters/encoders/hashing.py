"""An encoder without weights: hashed word and character n-grams, for tests and dry runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.ports import Floats
from core.registry import check_option


@dataclass(frozen=True, slots=True, kw_only=True)
class HashingEncoder:
    """Deterministic on every machine; texts that share words or spellings come out close."""

    dimension: int = 64

    def __post_init__(self) -> None:
        check_option("dimension", self.dimension, of=int, least=2, most=65_536)

    @property
    def id(self) -> str:
        return f"hashing-{self.dimension}"

    def encode(self, texts: Sequence[str]) -> Floats:
        """(n, dimension) float32 unit rows; an empty text gets axis 0."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        words = self._count(texts, analyzer="word", ngram_range=(1, 2))
        letters = self._count(texts, analyzer="char_wb", ngram_range=(3, 4))
        rows: Floats = (words * 2 + letters).toarray().astype(np.float32)
        lengths: Floats = np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float32)
        rows[lengths[:, 0] == 0, 0] = 1.0
        lengths[lengths == 0] = 1.0
        return rows / lengths

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Nothing is ever cut."""
        return [False] * len(texts)

    def _count(self, texts: Sequence[str], **features: Any) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415

        return HashingVectorizer(
            n_features=self.dimension, norm="l2", dtype=np.float32, **features
        ).transform(texts)
