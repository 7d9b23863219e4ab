"""Sentence encoders behind one registry; each loads its weights only when made."""

from __future__ import annotations

from pathlib import Path

from core.errors import InvalidOption
from core.ports import Encoder
from core.registry import Registry

__all__ = ["encoders"]


def encoders(*, minilm_directory: Path, threads: int) -> Registry[Encoder]:
    """The known encoders: ``minilm`` (the default), ``onnx`` (any local one), ``hashing``.

    ``threads`` is how many cores one encode may use, 0 for all of them. ``onnx`` takes
    folders beside ``minilm_directory`` only: its path comes from whoever writes a
    session's settings, who must not choose among the server's files.
    """
    root = minilm_directory.parent.resolve()

    def minilm(*, max_length: int = 256, batch_size: int = 32) -> Encoder:
        from adapters.encoders.onnx_encoder import OnnxEncoder  # noqa: PLC0415

        return OnnxEncoder(
            minilm_directory, threads=threads, batch_size=batch_size, max_length=max_length
        )

    def onnx(*, path: str = "", max_length: int = 256, batch_size: int = 32) -> Encoder:
        from adapters.encoders.onnx_encoder import OnnxEncoder  # noqa: PLC0415

        folder = (root / path).resolve()
        if not path or root not in folder.parents:
            raise InvalidOption.at(
                "/encoder/options/path",
                "onnx needs the name of a folder in the server's encoder directory",
                code="invalid-option",
            )
        return OnnxEncoder(folder, threads=threads, batch_size=batch_size, max_length=max_length)

    def hashing(*, dimension: int = 64) -> Encoder:
        from adapters.encoders.hashing import HashingEncoder  # noqa: PLC0415

        return HashingEncoder(dimension=dimension)

    registry = Registry[Encoder]("encoder")
    registry.register("minilm", minilm, summary="all-MiniLM-L6-v2, 384 dimensions, English")
    registry.register("onnx", onnx, summary="a folder with model.onnx and tokenizer.json")
    registry.register("hashing", hashing, summary="hashed n-grams, no weights; for tests")
    return registry
