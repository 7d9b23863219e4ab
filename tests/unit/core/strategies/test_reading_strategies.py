"""What the strategies that read the pool's vectors are for, each against its plain form."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidOption
from core.pool import PoolView
from core.records import Choice
from core.strategies import coverage, strategies
from core.strategies.anchored import far_apart
from core.strategies.gradients import gradient_distances, residuals


def view_of(vectors, *, probabilities=None, labelled=(), classes=None, counts=None):
    """A pool of one cluster; ``classes`` are the columns of the labelled rows."""
    vectors = np.array(vectors, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = len(vectors)
    if probabilities is None:
        probabilities = np.full((rows, 2), 0.5)
    probabilities = np.array(probabilities, dtype=np.float32)
    columns = np.arange(probabilities.shape[1])
    labelled = np.array(labelled, dtype=np.int64)
    named = np.array(classes if classes is not None else [0] * labelled.size, dtype=np.int64)
    eligible = np.ones(rows, dtype=np.bool_)
    eligible[labelled] = False
    return PoolView(
        clusters=np.zeros(rows, dtype=np.int32),
        cluster_count=1,
        centroids=np.zeros((1, vectors.shape[1]), dtype=np.float32),
        eligible=eligible,
        probabilities=probabilities,
        vectors=lambda positions: vectors[positions],
        class_counts=np.array(
            counts or np.bincount(named, minlength=columns.size), dtype=np.float64
        ),
        target_shares=np.full(columns.size, 1 / columns.size),
        labelled_positions=labelled,
        labelled_classes=named[:, None] == columns,
    )


def select(name, view, count, *, seed=0, min_distance=0.0, **options):
    strategy = strategies().make(Choice(name=name, options=options))
    return strategy.select(view, count, min_distance=min_distance, rng=np.random.default_rng(seed))


def rows_of(selection):
    return [pick.position for pick in selection.picks]


def at_angles(*degrees):
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def plain_k_center(vectors, *, labelled, count):
    nearest = (1 - vectors @ vectors[labelled].T).min(axis=1)
    picks = []
    for _ in range(count):
        nearest[[*labelled, *picks]] = -1
        picks.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, 1 - vectors @ vectors[picks[-1]])
    return picks


@pytest.mark.parametrize("front", [1, 16, 2048])
def test_k_center_picks_as_the_plain_loop_does(front, monkeypatch):
    monkeypatch.setattr(coverage, "FRONT", front)
    view = view_of(np.random.default_rng(1).normal(size=(3000, 6)), labelled=[5, 6, 2000])
    expected = plain_k_center(view.vectors(np.arange(3000)), labelled=[5, 6, 2000], count=30)
    assert rows_of(select("k_center", view, 30)) == expected


def test_k_center_goes_where_no_label_is():
    view = view_of(at_angles(0, 1, 2, 90, 91, 180), labelled=[0])
    assert rows_of(select("k_center", view, 2)) == [5, 3]


def test_k_center_scores_the_distance_to_the_nearest_labelled_or_picked_row():
    view = view_of(at_angles(0, 90, 180), labelled=[0])
    scores = [pick.score for pick in select("k_center", view, 2).picks]
    assert scores == pytest.approx([2.0, 1.0], abs=1e-6)


@pytest.mark.parametrize("multi_label", [False, True])
def test_factored_gradient_distances_are_those_of_the_whole_embeddings(multi_label):
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet(np.ones(4), size=30).astype(np.float32)
    vectors = rng.normal(size=(30, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    residual = residuals(probabilities, multi_label=multi_label)
    whole = (residual[:, :, None] * vectors[:, None, :]).reshape(30, -1).astype(np.float64)
    expected = ((whole[:, None] - whole[None, :7]) ** 2).sum(axis=2)
    factored = gradient_distances(
        residual, vectors, centre_residual=residual[:7], centre_vectors=vectors[:7]
    )
    np.testing.assert_allclose(factored, expected, atol=1e-5)


def test_a_residual_is_the_probabilities_less_the_models_own_answer():
    probabilities = np.array([[0.7, 0.6, 0.1]], dtype=np.float32)
    single = residuals(probabilities, multi_label=False)
    several = residuals(probabilities, multi_label=True)
    np.testing.assert_allclose(single, [[-0.3, 0.6, 0.1]], atol=1e-6)
    np.testing.assert_allclose(several, [[-0.3, -0.4, 0.1]], atol=1e-6)


def test_badge_draws_in_proportion_to_the_squared_distance():
    """The second pick, over many seeds, against the chances of plain k-means++."""
    rng = np.random.default_rng(3)
    view = view_of(rng.normal(size=(6, 3)), probabilities=rng.dirichlet([1, 1, 1], size=6))
    residual, vectors = residuals(view.probabilities, multi_label=False), view.vectors(np.arange(6))
    first = rows_of(select("badge", view, 1))
    distances = gradient_distances(
        residual, vectors, centre_residual=residual[first], centre_vectors=vectors[first]
    )[:, 0]
    seconds = Counter(rows_of(select("badge", view, 2, seed=seed))[1] for seed in range(1500))
    shares = np.array([seconds[row] for row in range(6)]) / 1500
    np.testing.assert_allclose(shares, distances / distances.sum(), atol=0.05)


def test_badge_starts_with_the_longest_gradient():
    probabilities = [[0.9, 0.1], [0.5, 0.5], [0.7, 0.3]]
    assert rows_of(select("badge", view_of(np.eye(3), probabilities=probabilities), 1)) == [1]


def test_badge_takes_one_certain_row_for_all():
    """Their gradients are all zero, so that one stands for the others."""
    probabilities = [[1.0, 0.0]] * 20 + [[0.6, 0.4]] * 3
    view = view_of(np.eye(23), probabilities=probabilities)
    picked = set(rows_of(select("badge", view, 4)))
    assert {20, 21, 22} < picked


def test_anchors_look_near_the_labels_of_a_lacking_class_first():
    view = view_of(at_angles(0, 1, 2, 90, 91, 92), labelled=[0, 3], classes=[0, 1], counts=[30, 1])
    assert set(rows_of(select("anchors", view, 2, neighbours=2))) == {4, 5}


def test_anchors_take_the_least_sure_neighbour():
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.5, 0.5], [0.8, 0.2], [0.5, 0.5]]
    view = view_of(at_angles(0, 1, 2, 3, 90), probabilities=probabilities, labelled=[0])
    assert rows_of(select("anchors", view, 2, neighbours=3)) == [2, 3]


def test_anchors_turn_to_the_rest_of_the_pool_when_the_neighbours_are_spent():
    view = view_of(at_angles(0, 1, 90, 180), labelled=[0])
    assert rows_of(select("anchors", view, 3, neighbours=1))[0] == 1
    assert len(select("anchors", view, 3, neighbours=1).picks) == 3


def test_anchors_of_one_class_are_distinct_and_far_apart():
    vectors = view_of(at_angles(0, 0, 0, 0, 90, 180)).vectors(np.arange(6))
    chosen = far_apart(vectors, count=5, rng=np.random.default_rng(0))
    assert len(chosen) == len(np.unique(chosen.round(3), axis=0)) == 3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("anchors", {"anchors_per_class": 0}),
        ("anchors", {"neighbours": 2.5}),
        ("anchors", {"measure": "chance"}),
    ],
)
def test_options_out_of_bounds_are_refused(name, options):
    with pytest.raises(InvalidOption):
        strategies().make(Choice(name=name, options=options))


def test_min_distance_holds_for_k_center_once_the_pool_is_covered():
    view = view_of(at_angles(*[0] * 50, *[90] * 50), labelled=[0])
    selection = select("k_center", replace(view), 9, min_distance=0.05)
    assert rows_of(selection) == [50, 1]
    assert selection.reason == "near-duplicates"
