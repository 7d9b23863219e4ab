"""What every clusterer keeps, whatever the rows; cosine, samples, noise and ids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clustering import Clusterer, assign, clusterers, keep_ids
from core.records import Choice

CHOICES = (
    Choice(name="kmeans"),
    Choice(name="kmeans", options={"distance": "cosine"}),
    Choice(name="mini_batch_kmeans"),
    Choice(name="mini_batch_kmeans", options={"distance": "cosine"}),
    Choice(name="bisecting_kmeans"),
    Choice(name="bisecting_kmeans", options={"distance": "cosine"}),
    Choice(name="agglomerative"),
    Choice(name="agglomerative", options={"linkage": "average", "distance": "cosine"}),
    Choice(name="agglomerative", options={"linkage": "complete"}),
    Choice(name="hdbscan"),
    Choice(name="hdbscan", options={"regions": "leaf"}),
    Choice(name="hdbscan", options={"distance": "cosine", "regions": "leaf"}),
)
COSINE = tuple(choice for choice in CHOICES if choice.options.get("distance") == "cosine")
WHOLE = tuple(choice for choice in CHOICES if choice.options.get("regions") != "leaf")
"""The ones that take a dense group for one cluster, however many rows it has."""
SAMPLING = ("agglomerative", "hdbscan")


def named(choice: Choice) -> str:
    return "-".join([choice.name, *map(str, choice.options.values())])


def clusterer(choice: Choice) -> Clusterer:
    return clusterers().make(choice)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@st.composite
def pools(draw):
    """Unit rows in groups, with copies and with rows that differ by rounding only."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    groups = draw(st.integers(1, 4))
    spread = draw(st.sampled_from([0.0, 1e-7, 0.05, 2.0]))
    centres = rng.normal(size=(groups, draw(st.integers(2, 6))))
    rows = centres[rng.integers(groups, size=draw(st.integers(1, 40)))]
    return unit_rows(rows + spread * rng.normal(size=rows.shape))


def fit(choice, sample, *, count=4, start=None):
    return clusterer(choice).fit(sample, count=count, rng=np.random.default_rng(7), start=start)


@pytest.mark.parametrize("choice", CHOICES, ids=named)
@settings(max_examples=25, deadline=None)
@given(sample=pools(), count=st.integers(1, 8))
def test_every_row_gets_one_of_the_clusters(choice, sample, count):
    centroids = fit(choice, sample, count=count)
    distinct = np.unique(sample + np.float32(0), axis=0).shape[0]
    assert np.isfinite(centroids).all()
    assert centroids.dtype == np.float32
    assert centroids.shape[1] == sample.shape[1]
    if choice.name == "hdbscan":
        assert 1 <= len(centroids) <= distinct
    else:
        assert len(centroids) == min(count, distinct)
    ids = assign(sample, centroids)
    assert ids.shape == (len(sample),)
    assert ids.min() >= 0
    assert ids.max() < len(centroids)


@pytest.mark.parametrize("choice", CHOICES, ids=named)
@settings(max_examples=15, deadline=None)
@given(sample=pools(), count=st.integers(1, 8))
def test_the_same_arrays_and_generator_state_give_the_same_bytes(choice, sample, count):
    once = fit(choice, sample, count=count)
    assert once.tobytes() == fit(choice, sample.copy(), count=count).tobytes()
    warm = [fit(choice, sample, count=count, start=once).tobytes() for _ in range(2)]
    assert warm[0] == warm[1]


@pytest.mark.parametrize("choice", CHOICES, ids=named)
@settings(max_examples=15, deadline=None)
@given(sample=pools(), more=pools(), count=st.integers(1, 8))
def test_a_refit_leaves_each_id_with_its_match(choice, sample, more, count):
    """No other order of the new centroids lies nearer to the old ones."""
    grown = sample if more.shape[1] != sample.shape[1] else np.concatenate([sample, more])
    old = fit(choice, sample, count=count)
    new = fit(choice, grown, count=count, start=old)
    shared = min(len(old), len(new))

    def cost(centroids):
        return float(np.square(centroids[:shared] - old[:shared]).sum())

    if len(new) >= len(old):
        assert cost(new) <= cost(keep_ids(old, new=new)) + 1e-4


@pytest.mark.parametrize("choice", WHOLE, ids=named)
def test_a_refit_on_grown_groups_keeps_every_row_in_its_cluster(choice):
    rng = np.random.default_rng(1)
    groups = np.repeat(np.eye(5, 16), 40, axis=0)
    sample = unit_rows(groups + 0.05 * rng.normal(size=groups.shape))
    grown = unit_rows(groups + 0.05 * rng.normal(size=groups.shape))
    old = fit(choice, sample, count=5)
    new = fit(choice, np.concatenate([grown, sample]), count=5, start=old)
    np.testing.assert_array_equal(assign(sample, new), assign(sample, old))


@pytest.mark.parametrize("choice", COSINE, ids=named)
@settings(max_examples=15, deadline=None)
@given(sample=pools(), count=st.integers(1, 8))
def test_cosine_centroids_have_unit_length_so_that_rows_go_to_the_largest_cosine(
    choice, sample, count
):
    centroids = fit(choice, sample, count=count)
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-5)
    cosines = sample @ centroids.T
    chosen = cosines[np.arange(len(sample)), assign(sample, centroids)]
    np.testing.assert_allclose(chosen, cosines.max(axis=1), atol=1e-5)


@pytest.mark.parametrize("choice", COSINE, ids=named)
def test_rows_that_cancel_out_still_give_centroids_with_a_direction(choice):
    sample = np.repeat(np.array([[1, 0], [-1, 0]], dtype=np.float32), 3, axis=0)
    centroids = fit(choice, sample, count=1)
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-6)


def test_spherical_k_means_ends_where_each_centroid_points_as_its_rows_do():
    sample = unit_rows(np.random.default_rng(3).normal(size=(200, 6)))
    centroids = fit(CHOICES[1], sample, count=5)
    ids = assign(sample, centroids)
    sums = np.stack([sample[ids == number].sum(axis=0) for number in range(5)])
    np.testing.assert_allclose(centroids, unit_rows(sums), atol=1e-5)


@pytest.mark.parametrize("name", SAMPLING)
def test_a_large_pool_is_fitted_on_a_sample(name):
    groups = np.repeat(np.eye(4, 8), 100, axis=0)
    sample = unit_rows(groups + 0.02 * np.random.default_rng(2).normal(size=groups.shape))
    choice = Choice(name=name, options={"sample_rows": 100})
    centroids = fit(choice, sample, count=4)
    sizes = np.bincount(assign(sample, centroids))
    assert sizes.tolist() == [100] * 4


def test_the_sample_of_a_large_pool_follows_the_generator():
    sample = unit_rows(np.random.default_rng(4).normal(size=(400, 6)))
    made = clusterer(Choice(name="agglomerative", options={"sample_rows": 100}))
    one, other = (made.fit(sample, count=5, rng=np.random.default_rng(s)) for s in (0, 1))
    assert one.tobytes() != other.tobytes()


def test_pools_of_noise_are_one_cluster_for_hdbscan():
    sample = unit_rows(np.random.default_rng(5).normal(size=(60, 40)))
    choice = Choice(name="hdbscan", options={"min_cluster_size": 30})
    np.testing.assert_allclose(fit(choice, sample), sample.mean(axis=0)[None], atol=1e-6)


def test_noise_goes_to_the_nearest_dense_region_without_moving_it():
    rng = np.random.default_rng(6)
    groups = np.repeat(np.eye(2, 8), 30, axis=0)
    dense = unit_rows(groups + 0.01 * rng.normal(size=groups.shape))
    stray = unit_rows(np.array([[-1, -0.2, 0, 0, 0, 0, 0, 0]]))
    centroids = fit(Choice(name="hdbscan"), np.concatenate([dense, stray]))
    assert len(centroids) == 2
    np.testing.assert_allclose(centroids, fit(Choice(name="hdbscan"), dense), atol=1e-6)
    assert assign(stray, centroids)[0] == assign(dense[-1:], centroids)[0]


def test_the_number_of_hdbscan_clusters_follows_from_the_data():
    groups = np.repeat(np.eye(6, 12), 20, axis=0)
    sample = unit_rows(groups + 0.02 * np.random.default_rng(8).normal(size=groups.shape))
    assert len(fit(Choice(name="hdbscan"), sample, count=3)) == 6


def test_a_pool_that_lost_clusters_keeps_the_rest_in_place():
    sample = unit_rows(np.repeat(np.eye(3, 8), 20, axis=0))
    jitter = 0.02 * np.random.default_rng(9).normal(size=sample.shape)
    sample = unit_rows(sample + jitter)
    old = np.eye(5, 8, dtype=np.float32)
    new = fit(Choice(name="hdbscan"), sample, start=old)
    np.testing.assert_allclose(new, old[:3], atol=0.1)
