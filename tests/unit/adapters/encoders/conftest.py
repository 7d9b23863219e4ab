"""A BERT of two tiny layers, its arithmetic in plain NumPy, and files made from it."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save

from adapters.encoders.install import MINILM, Source, default_directory
from adapters.encoders.record import sha256

Weights = Mapping[str, NDArray[np.float32]]
HIDDEN, WIDE, WORDS, POSITIONS, LAYERS, HEADS = 8, 16, 40, 12, 2, 2
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "bank", "river", "call", "my", "a"]


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Where `tailwise encoder install` put the real encoder."""
    return default_directory()


@pytest.fixture(scope="session")
def tiny_weights() -> Weights:
    rng = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, HIDDEN),
        "embeddings.position_embeddings.weight": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        dense = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        sizes = dict.fromkeys([*dense, f"{layer}.attention.output.dense"], (HIDDEN, HIDDEN))
        sizes[f"{layer}.intermediate.dense"] = (WIDE, HIDDEN)
        sizes[f"{layer}.output.dense"] = (HIDDEN, WIDE)
        for name, size in sizes.items():
            shapes |= {f"{name}.weight": size, f"{name}.bias": size[:1]}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        shapes |= {f"{name}.weight": (HIDDEN,), f"{name}.bias": (HIDDEN,)}
    return {name: rng.normal(size=size).astype(np.float32) for name, size in shapes.items()}


@pytest.fixture(scope="session")
def forward(tiny_weights: Weights) -> Callable[[list[int]], NDArray[np.float64]]:
    """The sentence vector of one text's token ids, in float64."""
    w = {name: value.astype(np.float64) for name, value in tiny_weights.items()}

    def dense(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def attend(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        q, k, v = (dense(x, f"{name}.self.{part}") for part in ("query", "key", "value"))
        size, heads = HIDDEN // HEADS, []
        for start in range(0, HIDDEN, size):
            part = slice(start, start + size)
            scores = np.exp(q[:, part] @ k[:, part].T / math.sqrt(size))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ v[:, part])
        return dense(np.hstack(heads), f"{name}.output.dense")

    def gelu(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))

    def run(ids: list[int]) -> NDArray[np.float64]:
        e = "embeddings"
        x = w[f"{e}.word_embeddings.weight"][ids] + w[f"{e}.token_type_embeddings.weight"][0]
        x = norm(x + w[f"{e}.position_embeddings.weight"][: len(ids)], f"{e}.LayerNorm")
        for layer in (f"encoder.layer.{number}" for number in range(LAYERS)):
            x = norm(attend(x, f"{layer}.attention") + x, f"{layer}.attention.output.LayerNorm")
            wide = gelu(dense(x, f"{layer}.intermediate.dense"))
            x = norm(dense(wide, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm")
        mean = x.mean(axis=0)
        return mean / np.linalg.norm(mean)

    return run


@pytest.fixture(scope="session")
def tiny_tokenizer() -> bytes:
    """Splits on spaces; pads to four, as nobody should want it to."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import BertProcessing

    vocabulary = {word: number for number, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=4)
    return tokenizer.to_str().encode()


@pytest.fixture(scope="session")
def tiny_wheel(tiny_weights: Weights, tiny_tokenizer: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("tiny/model.safetensors", save(dict(tiny_weights)))
        archive.writestr("tiny/tokenizer.json", tiny_tokenizer)
        archive.writestr("tiny/config.json", "{}")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def tiny_source(tiny_weights: Weights, tiny_tokenizer: bytes, tiny_wheel: bytes) -> Source:
    return replace(
        MINILM,
        id="tiny",
        folder="tiny",
        wheel_sha256=sha256(tiny_wheel),
        weights_sha256=sha256(save(dict(tiny_weights))),
        tokenizer_sha256=sha256(tiny_tokenizer),
        heads=HEADS,
        dimension=HIDDEN,
        limit=POSITIONS,
    )


@pytest.fixture
def tiny_encoder(tmp_path: Path, tiny_source: Source, tiny_wheel: bytes) -> Path:
    """A folder with the tiny encoder installed."""
    from adapters.encoders.install import install_encoder

    return install_encoder(
        tmp_path / "tiny",
        report=lambda _: None,
        source=tiny_source,
        download=lambda _: tiny_wheel,
    )
