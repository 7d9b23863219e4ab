"""What models cost, from the dated file beside this module."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from core.budget import Price


def load_prices() -> dict[str, Price]:
    """Price by model name; a model without one cannot be used."""
    document = tomllib.loads(files(__package__).joinpath("prices.toml").read_text("utf-8"))
    return {name: Price(**row) for name, row in document.items() if isinstance(row, dict)}
