"""``encoder.json``: what Tailwise wrote about an encoder's files when it installed them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import Unavailable

MODEL, TOKENIZER, RECORD = "model.onnx", "tokenizer.json", "encoder.json"
SECOND = "paraphrase"
"""The encoder that is installed by name, into a folder of that name beside MiniLM's."""
GRAPH_VERSION = 1
"""Raised whenever ``minilm_graph`` writes other bytes, so that installs are renewed."""


def read_record(directory: Path) -> Mapping[str, Any]:
    """The contents of encoder.json; empty where there is none."""
    try:
        record = json.loads((directory / RECORD).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise corrupt("encoder.json is not JSON") from None
    if not isinstance(record, dict):
        raise corrupt("encoder.json is not an object")
    return record


def install_command(directory: Path) -> str:
    """What puts an encoder into the folder: MiniLM, unless the folder is named after another."""
    command = "tailwise encoder install"
    return f"{command} {SECOND}" if directory.name == SECOND else command


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def corrupt(detail: str) -> Unavailable:
    """The refusal of files that are not what they should be, with the way out."""
    return Unavailable(f"{detail}; run: tailwise encoder install", code="encoder-corrupt")
