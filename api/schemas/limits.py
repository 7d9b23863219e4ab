"""Limits that a server may set: read when a document is checked, documented as default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from api.context import settings
from runtime.settings import Settings

DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Settings)}


def limit(name: str) -> dict[str, Any]:
    """The ``most`` and ``documented`` options of a field, for one setting."""
    read: Callable[[], int] = lambda: int(getattr(settings(), name))  # noqa: E731
    return {"most": read, "documented": DEFAULTS[name]}
