"""Encoders of arms and of the transfer study, made only when a text must be encoded after all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.encoders import encoders
from adapters.encoders.install import PARAPHRASE
from core.ports import Encoder
from core.records import Choice

SECOND_ENCODER = PARAPHRASE.id
SECOND = Choice(name="onnx", options={"path": SECOND_ENCODER})
"""What the transfer study encodes by, beside the encoder that its arms select by."""


def make_encoder(choice: Choice, *, directory: Path) -> Encoder:
    """An encoder of the service on all cores."""
    return encoders(minilm_directory=directory, threads=0).make(choice)


class LazyEncoder:
    """An encoder that loads its weights when a text must be encoded after all."""

    def __init__(self, directory: Path, choice: Choice) -> None:
        self._directory, self._choice = directory, choice
        self._encoder: Encoder | None = None

    def _made(self) -> Encoder:
        if self._encoder is None:
            self._encoder = make_encoder(self._choice, directory=self._directory)
        return self._encoder

    @property
    def id(self) -> str:
        return self._made().id

    @property
    def dimension(self) -> int:
        return self._made().dimension

    def encode(self, texts: Any) -> Any:
        return self._made().encode(texts)

    def truncated(self, texts: Any) -> Any:
        return self._made().truncated(texts)


class KnownVectors:
    """Vectors by text: those of a data set are at hand, others are encoded when asked for."""

    def __init__(
        self, texts: Sequence[str], vectors: NDArray[np.float32], *, encoder: LazyEncoder
    ) -> None:
        """``vectors`` (n, D) are those of ``texts``."""
        self._rows = {text: row for row, text in enumerate(texts)}
        self._vectors, self._encoder = vectors, encoder

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D), in the order of the texts."""
        found = np.empty((len(texts), self._vectors.shape[1]), dtype=np.float32)
        rows = np.array([self._rows.get(text, -1) for text in texts], dtype=np.int64)
        found[rows >= 0] = self._vectors[rows[rows >= 0]]
        new = [place for place, row in enumerate(rows) if row < 0]
        if new:
            found[new] = self._encoder.encode([texts[place] for place in new])
        return found
