"""Other libraries' query strategies in this harness, over the same vectors and probabilities."""

from __future__ import annotations

from benchmarks.peers import from_scikit_activeml, from_small_text
from core.pool import QueryStrategy
from core.registry import Registry

__all__ = ["register_peers"]


def register_peers(registry: Registry[QueryStrategy]) -> None:
    """Add scikit-activeml's and small-text's strategies under ``skactiveml_*``, ``small_text_*``.

    The names are known without the ``[peers]`` extra; making one then raises InvalidInput
    ``missing-extra``. Raises ValueError where they are registered already.
    """
    for name, make, summary in (*from_scikit_activeml.STRATEGIES, *from_small_text.STRATEGIES):
        registry.register(name, make, summary=summary)
