"""A scikit-activeml classifier that trains nothing and answers with given probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skactiveml.base import SkactivemlClassifier


class FixedModel(SkactivemlClassifier):  # type: ignore[misc]
    """Knows the probabilities (n, C) of exactly the n candidates, in their order."""

    def __init__(self, *, probabilities: NDArray[np.float32]) -> None:
        super().__init__()
        self.probabilities = probabilities

    def fit(self, *_: Any, **__: Any) -> FixedModel:
        """Nothing to do: the harness has trained the model already."""
        return self

    def predict_proba(
        self,
        X: NDArray[np.float32],  # noqa: N803 - the library's own name
        **_: Any,
    ) -> NDArray[np.float32]:
        """Raises ValueError for any other number of rows than that of the candidates."""
        if len(X) != len(self.probabilities):
            message = f"{len(self.probabilities)} candidates have probabilities, not {len(X)} rows"
            raise ValueError(message)
        return self.probabilities
