"""The encoder of an arm, made only when a text must be encoded after all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.encoders import encoders
from core.ports import Encoder
from core.records import Choice


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
