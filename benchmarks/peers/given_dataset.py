"""What small-text asks of a data set and a classifier, answered from given arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.rows import PeerRows


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRows:
    """A data set that knows only its rows' numbers, int64 (m,)."""

    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return self.numbers.size

    def __getitem__(self, chosen: NDArray[np.int64]) -> GivenRows:
        return GivenRows(numbers=self.numbers[chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenModel:
    """A classifier that trains nothing: probabilities and vectors are those of the pool."""

    rows: PeerRows

    @property
    def num_classes(self) -> int:
        """The number of columns of the probabilities."""
        return int(self.rows.probabilities.shape[1])

    def predict_proba(self, dataset: GivenRows) -> NDArray[np.float32]:
        return self.rows.probabilities[dataset.numbers]

    def predict(self, dataset: GivenRows) -> NDArray[np.int64]:
        columns: NDArray[np.int64] = self.predict_proba(dataset).argmax(axis=1)
        return columns

    def embed(self, dataset: GivenRows, **_: Any) -> NDArray[np.float32]:
        return self.rows.vectors[dataset.numbers]
