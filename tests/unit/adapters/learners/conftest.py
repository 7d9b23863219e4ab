"""Vectors in well-separated groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Groups = Callable[..., tuple[NDArray[np.float32], NDArray[np.int32]]]


@pytest.fixture
def groups() -> Groups:
    """(vectors, targets): ``sizes[k]`` unit rows around the k-th of random centres."""

    def make(*sizes: int, dimension: int = 16, noise: float = 0.3, seed: int = 0) -> Any:
        rng = np.random.default_rng(seed)
        targets = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        centres = rng.normal(size=(len(sizes), dimension))
        rows = centres[targets] + noise * rng.normal(size=(len(targets), dimension))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows.astype(np.float32), targets

    return make
