"""Says which extra is missing before any work is done."""

from __future__ import annotations

from importlib.util import find_spec

from core.errors import InvalidInput


def require_peer(package: str) -> None:
    """Raises InvalidInput ``missing-extra`` where the top-level package cannot be imported."""
    if find_spec(package) is None:
        raise InvalidInput.at(
            "/strategy",
            f"{package} is not installed; run: pip install 'tailwise[peers]'",
            code="missing-extra",
            extra="peers",
        )
