"""Vendi score, dispersion and coverage against cases with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.diversity import cluster_coverage
from benchmarks.diversity.semantic import dispersion, vendi
from core.errors import InvalidInput

AXES = np.eye(6, dtype=np.float32)


def test_the_vendi_score_of_unrelated_texts_is_their_number() -> None:
    assert vendi(AXES) == pytest.approx(6)


def test_the_vendi_score_of_copies_is_one() -> None:
    assert vendi(AXES[[0] * 5]) == pytest.approx(1)


def test_the_vendi_score_counts_equal_groups_once_each() -> None:
    assert vendi(AXES[[0, 0, 0, 1, 1, 1]]) == pytest.approx(2)


def test_the_vendi_score_of_unequal_groups_is_the_exponential_of_their_entropy() -> None:
    by_hand = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert vendi(AXES[[0, 0, 0, 1]]) == pytest.approx(by_hand)


def test_the_vendi_score_is_that_of_the_kernel_matrix() -> None:
    vectors = np.random.default_rng(0).standard_normal((12, 5), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(vectors.astype(np.float64) @ vectors.T / 12)
    eigenvalues = eigenvalues[eigenvalues > 1e-9]
    assert vendi(vectors) == pytest.approx(np.exp(-(eigenvalues * np.log(eigenvalues)).sum()))


def test_dispersion_is_the_mean_over_pairs() -> None:
    assert dispersion(AXES[[0, 0, 1]]) == pytest.approx(2 / 3)


def test_opposite_vectors_are_two_apart() -> None:
    assert dispersion(np.concatenate([AXES[:1], -AXES[:1]])) == pytest.approx(2)


def test_coverage_is_the_share_of_the_clusters_that_were_hit() -> None:
    reference = np.array([0, 0, 1, 2, 5], dtype=np.int32)
    assert cluster_coverage(np.array([0, 0, 5], dtype=np.int32), reference=reference) == 1 / 2


def test_a_hit_cluster_without_reference_rows_does_not_count() -> None:
    reference = np.array([0, 1], dtype=np.int32)
    assert cluster_coverage(np.array([0, 7], dtype=np.int32), reference=reference) == 1 / 2


def test_nothing_hit_is_no_coverage() -> None:
    reference = np.array([0, 1], dtype=np.int32)
    assert cluster_coverage(np.empty(0, dtype=np.int32), reference=reference) == 0


def test_coverage_of_an_empty_reference_is_refused() -> None:
    empty = np.empty(0, dtype=np.int32)
    with pytest.raises(InvalidInput) as refused:
        cluster_coverage(empty, reference=empty)
    assert refused.value.code == "empty-reference"
