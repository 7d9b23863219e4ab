from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clustering import BLOCK_ROWS, assign, automatic_count, clusterers, keep_ids
from core.errors import InvalidOption
from core.records import Choice

EVERY = clusterers().names()
COUNTED = tuple(name for name in EVERY if name != "hdbscan")


def blobs(*, centres=6, rows=50, seed=0):
    """``centres`` well separated groups of unit rows, group after group."""
    rng = np.random.default_rng(seed)
    points = np.repeat(np.eye(centres, 12), rows, axis=0)
    vectors = (points + 0.05 * rng.normal(size=points.shape)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fit(name, sample, *, count, seed=0, start=None):
    clusterer = clusterers().make(Choice(name=name))
    return clusterer.fit(sample, count=count, rng=np.random.default_rng(seed), start=start)


@pytest.mark.parametrize("name", EVERY)
def test_centroids_are_float32_one_row_per_cluster(name):
    centroids = fit(name, blobs(), count=6)
    assert centroids.shape == (6, 12)
    assert centroids.dtype == np.float32


@pytest.mark.parametrize("name", EVERY)
def test_a_warm_start_finds_separated_groups_and_keeps_their_ids(name):
    old = np.eye(6, 12, dtype=np.float32)[[3, 1, 5, 0, 2, 4]]
    new = fit(name, blobs(seed=1), count=6, start=old)
    np.testing.assert_allclose(new, old, atol=0.1)


@pytest.mark.parametrize("name", EVERY)
def test_the_same_generator_state_gives_the_same_bytes(name):
    once, again = (fit(name, blobs(), count=5, seed=3).tobytes() for _ in range(2))
    assert once == again


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("warm", [False, True])
def test_fewer_distinct_rows_than_clusters_give_fewer_clusters(name, warm):
    sample = np.tile(np.eye(3, 4, dtype=np.float32), (9, 1))
    start = np.ones((8, 4), dtype=np.float32) if warm else None
    centroids = fit(name, sample, count=8, start=start)
    assert centroids.shape == (3, 4)
    assert np.unique(assign(sample, centroids)).size == 3


@pytest.mark.parametrize("name", EVERY)
def test_more_clusters_than_before_keep_the_old_ids(name):
    old = np.eye(4, 12, dtype=np.float32)
    new = fit(name, blobs(), count=6, start=old)
    assert new.shape == (6, 12)
    np.testing.assert_allclose(new[:4], old, atol=0.1)


@pytest.mark.parametrize("name", COUNTED)
def test_fewer_clusters_than_before_are_possible(name):
    assert fit(name, blobs(), count=4, start=np.eye(6, 12, dtype=np.float32)).shape == (4, 12)


@pytest.mark.parametrize("name", COUNTED)
def test_centroids_of_another_dimension_are_no_start(name):
    assert fit(name, blobs(), count=3, start=np.eye(3, dtype=np.float32)).shape == (3, 12)


def test_matching_undoes_a_shuffle():
    old = blobs(rows=1)
    shuffled = old[[4, 2, 0, 5, 1, 3]] + np.float32(0.01)
    np.testing.assert_allclose(keep_ids(old, new=shuffled), old, atol=0.02)


def test_matching_places_new_clusters_after_the_matched_ones():
    old = np.eye(3, 12, dtype=np.float32)
    new = np.eye(5, 12, dtype=np.float32)[[4, 2, 3, 0, 1]]
    matched = keep_ids(old, new=new)
    np.testing.assert_array_equal(matched[:3], old)
    assert sorted(matched.argmax(axis=1).tolist()) == [0, 1, 2, 3, 4]


@given(rows=st.integers(0, 40), count=st.integers(1, 7), seed=st.integers(0, 2**32))
def test_rows_go_to_the_nearest_centroid(rows, count, seed):
    rng = np.random.default_rng(seed)
    vectors, centroids = (rng.normal(size=(n, 4)).astype(np.float32) for n in (rows, count))
    distances = np.linalg.norm(vectors[:, None] - centroids, axis=2)
    ids = assign(vectors, centroids)
    assert ids.dtype == np.int32
    chosen = distances[np.arange(rows), ids]
    np.testing.assert_allclose(chosen, distances.min(axis=1), atol=1e-4)


def test_chunks_of_half_precision_and_one_array_are_assigned_alike():
    vectors = np.tile(blobs(), (30, 1)).astype(np.float16)
    assert len(vectors) > BLOCK_ROWS
    centroids = np.eye(6, 12, dtype=np.float32)
    parts = assign(iter([vectors[:10], vectors[10:]]), centroids)
    np.testing.assert_array_equal(parts, assign(vectors, centroids))
    np.testing.assert_array_equal(parts[:300], np.repeat(np.arange(6), 50))


@pytest.mark.parametrize(
    ("rows", "count"), [(0, 5), (100, 5), (900, 13), (2_000, 20), (10**6, 100)]
)
def test_the_automatic_count_grows_with_the_root_of_the_pool(rows, count):
    assert automatic_count(rows) == count


@pytest.mark.parametrize("name", COUNTED)
def test_a_fixed_count_ignores_the_pool_size(name):
    clusterer = clusterers().make(Choice(name=name, options={"count": 7}))
    assert clusterer.clusters_for(10**6) == 7


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("count", [0, 1001, "many", 2.5, True])
def test_a_bad_count_is_refused(name, count):
    with pytest.raises(InvalidOption):
        clusterers().make(Choice(name=name, options={"count": count}))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("options", [{"distance": "taxi"}, {"distance": 2}, {"k": 3}])
def test_bad_options_are_refused(name, options):
    with pytest.raises(InvalidOption):
        clusterers().make(Choice(name=name, options=options))


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("kmeans", "iterations", 0),
        ("mini_batch_kmeans", "iterations", 1.5),
        ("bisecting_kmeans", "iterations", 1001),
        ("agglomerative", "linkage", "single"),
        ("agglomerative", "sample_rows", 99),
        ("hdbscan", "sample_rows", 5001),
        ("hdbscan", "min_cluster_size", 1),
        ("hdbscan", "regions", "all"),
    ],
)
def test_a_refused_option_is_named(name, option, value):
    with pytest.raises(InvalidOption) as refused:
        clusterers().make(Choice(name=name, options={option: value}))
    assert refused.value.errors[0].pointer == f"/options/{option}"


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"linkage": "ward", "distance": "cosine"}, "/options/distance"),
        ({"count": 900, "sample_rows": 500}, "/options/count"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, pointer):
    with pytest.raises(InvalidOption) as refused:
        clusterers().make(Choice(name="agglomerative", options=options))
    assert refused.value.errors[0].pointer == pointer
