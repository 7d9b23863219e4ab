"""Diversity of the meanings: Vendi score and dispersion of sentence vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def vendi(vectors: Vectors) -> float:
    """How many different texts there seem to be, in [1, n]: exp of the eigenvalues' entropy.

    Friedman and Dieng 2023 (arXiv 2210.02410) with the cosine kernel, order 1. The rows must
    have unit length. The kernel's eigenvalues are the squared singular values of the rows.
    """
    singular = np.linalg.svd(vectors.astype(np.float64), compute_uv=False)
    shares = np.square(singular) / np.square(singular).sum()
    shares = shares[shares > 0]
    return float(np.exp(-np.sum(shares * np.log(shares))))


def dispersion(vectors: Vectors) -> float:
    """Mean cosine distance over all pairs of different rows, in [0, 2]; needs unit rows."""
    rows = vectors.shape[0]
    total = vectors.astype(np.float64).sum(axis=0)
    return float(1 - (total @ total - rows) / (rows * (rows - 1)))
