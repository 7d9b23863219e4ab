"""A pretrained model's folder: found among the server's own, checked, never code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from core.errors import InvalidOption, NotInstalled, Unavailable

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
INSTALLED = "minilm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """A folder in Hugging Face's layout; ``pad_id`` is its padding token's number."""

    path: Path
    tokenizer: bytes
    pad_id: int

    def sha256(self) -> str:
        """Of the weights, in hex."""
        with (self.path / WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def find_model(name: str, *, encoder_directory: Path) -> ModelFolder:
    """The folder of ``name``: ``minilm`` is the installed encoder's, others lie beside it.

    The name comes from whoever writes a session's settings, who must not choose among the
    server's files. Raises InvalidOption for a name that leads out of the directory,
    NotInstalled ``model-missing``, Unavailable ``model-corrupt``.
    """
    root = encoder_directory.parent.resolve()
    folder = encoder_directory.resolve() if name == INSTALLED else (root / name).resolve()
    if not name or root not in folder.parents:
        raise InvalidOption.at(
            "/learner/options/model",
            "model must be minilm or the name of a folder in the server's model directory",
            code="invalid-option",
        )
    if not all((folder / file).is_file() for file in (CONFIG, WEIGHTS, TOKENIZER)):
        raise NotInstalled(_how_to_get(name), code="model-missing")
    return ModelFolder(
        path=folder,
        tokenizer=(folder / TOKENIZER).read_bytes(),
        pad_id=int(_config(folder).get("pad_token_id") or 0),
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


def corrupt(detail: str) -> Unavailable:
    """The refusal of a folder whose files are not what they should be."""
    return Unavailable(detail, code="model-corrupt")


def _how_to_get(name: str) -> str:
    if name == INSTALLED:
        return "the encoder's weights are not installed; run: tailwise encoder install"
    return (
        f"the model {name} is not installed; in the folder that holds TAILWISE_ENCODER_DIR run: "
        f"hf download {name} {CONFIG} {WEIGHTS} {TOKENIZER} --local-dir {name}"
    )


def _config(folder: Path) -> Mapping[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except ValueError:
        raise corrupt("config.json is not JSON") from None
    if not isinstance(config, dict):
        raise corrupt("config.json is not an object")
    return config
