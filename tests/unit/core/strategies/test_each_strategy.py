"""What is particular to one strategy."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput, InvalidOption
from core.pool import PoolView
from core.records import Choice
from core.strategies import strategies


def view_of(
    probabilities, *, clusters=None, counts=None, shares=None, labelled=(), cluster_count=1
):
    """Rows with orthogonal vectors, so that nothing repeats anything."""
    probabilities = np.array(probabilities, dtype=np.float32)
    rows, classes = probabilities.shape
    basis = np.eye(rows, dtype=np.float32)
    labelled = np.array(labelled, dtype=np.int64)
    eligible = np.ones(rows, dtype=np.bool_)
    eligible[labelled] = False
    return PoolView(
        clusters=np.array(clusters or [0] * rows, dtype=np.int32),
        cluster_count=cluster_count,
        centroids=np.zeros((cluster_count, rows), dtype=np.float32),
        eligible=eligible,
        probabilities=probabilities,
        vectors=lambda positions: basis[positions],
        class_counts=np.array(counts or [0.0] * classes),
        target_shares=np.array(shares or [1 / classes] * classes),
        labelled_positions=labelled,
        labelled_classes=np.arange(labelled.size)[:, None] % classes == np.arange(classes),
    )


def select(name, view, count, *, seed=0, **options):
    strategy = strategies().make(Choice(name=name, options=options))
    return strategy.select(view, count, min_distance=0.05, rng=np.random.default_rng(seed))


def rows_of(selection):
    return [pick.position for pick in selection.picks]


THREE_ROWS = [[0.5, 0.49, 0.01], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05]]


def test_entropy_takes_the_flattest_row_first():
    assert rows_of(select("entropy", view_of(THREE_ROWS), 3)) == [1, 0, 2]


def test_margin_takes_the_closest_race_first():
    assert rows_of(select("margin", view_of(THREE_ROWS), 3)) == [0, 1, 2]


def test_least_confidence_takes_the_weakest_favourite_first():
    assert rows_of(select("least_confidence", view_of(THREE_ROWS), 3)) == [1, 0, 2]


@pytest.mark.parametrize("name", ["entropy", "margin", "least_confidence"])
def test_equal_scores_go_by_position(name):
    assert rows_of(select(name, view_of([[0.5, 0.5]] * 9), 4)) == [0, 1, 2, 3]


def test_random_picks_every_row_about_equally_often():
    view = view_of([[0.5, 0.5]] * 10)
    seen = Counter(
        row for seed in range(400) for row in rows_of(select("random", view, 2, seed=seed))
    )
    assert set(seen) == set(range(10))
    assert max(seen.values()) < 2 * min(seen.values())


def test_cluster_entropy_gives_every_cluster_the_same_quota():
    rng = np.random.default_rng(0)
    view = view_of(
        rng.dirichlet([1, 1], size=40), clusters=[0] * 30 + [1] * 5 + [2] * 5, cluster_count=3
    )
    selection = select("cluster_entropy", view, 9)
    assert Counter(pick.cluster for pick in selection.picks) == {0: 3, 1: 3, 2: 3}


def test_cluster_entropy_takes_the_least_sure_rows_of_each_cluster():
    certain, unsure = [1.0, 0.0], [0.5, 0.5]
    view = view_of([certain, unsure, unsure, certain], clusters=[0, 0, 1, 1], cluster_count=2)
    assert set(rows_of(select("cluster_entropy", view, 2))) == {1, 2}


def test_cluster_entropy_spills_over_where_a_cluster_runs_dry():
    rng = np.random.default_rng(0)
    view = view_of(rng.dirichlet([1, 1], size=21), clusters=[0] * 20 + [1], cluster_count=2)
    selection = select("cluster_entropy", view, 10)
    assert Counter(pick.cluster for pick in selection.picks) == {0: 9, 1: 1}


def test_cluster_entropy_ranks_one_row_of_each_cluster_before_a_second_one():
    rng = np.random.default_rng(0)
    view = view_of(rng.dirichlet([1, 1], size=12), clusters=[0, 1, 2] * 4, cluster_count=3)
    clusters = [pick.cluster for pick in select("cluster_entropy", view, 6).picks]
    assert set(clusters[:3]) == set(clusters[3:]) == {0, 1, 2}


def test_a_small_batch_goes_to_the_clusters_with_the_fewest_labels():
    view = view_of(
        [[0.5, 0.5]] * 12, clusters=[0, 1, 2, 3] * 3, cluster_count=4, labelled=[0, 2, 4, 6]
    )
    assert {pick.cluster for pick in select("cluster_entropy", view, 2).picks} == {1, 3}


SURE, UNSURE, TORN = [0.9, 0.1], [0.7, 0.3], [0.5, 0.5]
ERRORS = [SURE] * 12 + [UNSURE] * 4 + [TORN] * 4
"""Expected errors 12 x 0.1, 4 x 0.3 and 4 x 0.5: masses 1.2, 1.2 and 2."""


@pytest.mark.parametrize(
    ("weight", "count", "expected"),
    [("mass", 8, {0: 2, 1: 2, 2: 4}), ("rate", 9, {0: 1, 1: 4, 2: 4})],
)
def test_cluster_error_shares_the_batch_by_expected_errors(weight, count, expected):
    view = view_of(ERRORS, clusters=[0] * 12 + [1] * 4 + [2] * 4, cluster_count=3)
    selection = select("cluster_error", view, count, weight=weight)
    assert Counter(pick.cluster for pick in selection.picks) == expected


def test_cluster_error_falls_back_to_equal_quotas_where_no_error_is_expected():
    view = view_of([[1.0, 0.0]] * 12, clusters=[0] * 8 + [1] * 4, cluster_count=2)
    selection = select("cluster_error", view, 6)
    assert Counter(pick.cluster for pick in selection.picks) == {0: 3, 1: 3}


@pytest.mark.parametrize(("measure", "first"), [("entropy", 1), ("margin", 0)])
def test_cluster_error_orders_a_cluster_by_its_measure(measure, first):
    assert rows_of(select("cluster_error", view_of(THREE_ROWS), 1, measure=measure)) == [first]


@pytest.mark.parametrize("options", [{"weight": "size"}, {"measure": "chance"}])
def test_cluster_error_refuses_options_it_does_not_know(options):
    with pytest.raises(InvalidOption):
        strategies().make(Choice(name="cluster_error", options=options))


@pytest.mark.parametrize("name", ["entropy", "margin", "least_confidence"])
def test_independent_labels_are_unsure_near_a_half(name):
    view = replace(view_of([[0.01, 0.02], [0.97, 0.99], [0.1, 0.5]]), multi_label=True)
    assert rows_of(select(name, view, 1)) == [2]


def test_an_unknown_strategy_is_told_the_known_ones():
    with pytest.raises(InvalidInput) as caught:
        strategies().get("clever")
    assert caught.value.code == "unknown-strategy"
    assert caught.value.extras["allowed"] == [
        "random",
        "entropy",
        "margin",
        "least_confidence",
        "cluster_entropy",
        "cluster_need",
        "cluster_error",
        "k_center",
        "badge",
        "anchors",
        "committee",
    ]
