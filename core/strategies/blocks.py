"""Reading the vectors of many rows block by block, so that a large pool needs little memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.pool import PoolView

Positions = NDArray[np.int64]
Floats = NDArray[np.float32]

BLOCK_ROWS = 2048
"""Most vectors held at once: 3 MB at 384 dimensions."""

BLOCK_VALUES = 1 << 20
"""Most numbers a block may make of its rows: 4 MB."""


def vector_blocks(
    view: PoolView, rows: Positions, *, width: int = 1
) -> Iterator[tuple[slice, Floats]]:
    """(which of ``rows``, their (m, D) vectors), in order.

    ``width`` is how many numbers the caller makes of each row; wide ones come in
    smaller blocks.
    """
    step = int(np.clip(BLOCK_VALUES // max(1, width), 1, BLOCK_ROWS))
    for start in range(0, rows.size, step):
        part = slice(start, min(start + step, rows.size))
        yield part, view.vectors(rows[part])
