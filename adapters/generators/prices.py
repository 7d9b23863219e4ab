"""What models cost, from the dated file beside this module."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from core.budget import Price


def load_prices() -> dict[str, Price]:
    """Price by model name; a model without one cannot be used."""
    return {name: Price(**row) for name, row in _document().items() if isinstance(row, dict)}


def load_batch_factor() -> float:
    """What part of its price a call costs in a batch."""
    return float(_document()["batch"])


def _document() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("prices.toml").read_text("utf-8"))
