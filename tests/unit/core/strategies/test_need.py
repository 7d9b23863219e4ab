"""What cluster_need is for: classes that the labels lack, among rows the learner is unsure of."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.errors import InvalidOption
from core.pool import PoolView
from core.records import Choice
from core.strategies import strategies


def view_of(*, labelled, pool, unsure=None, counts=None, shares=(0.5, 0.5), clusters=None):
    """Rows of two classes that lie apart; ``labelled`` and ``pool`` are class columns.

    ``unsure`` (pool,) is the learner's margin uncertainty of the unlabelled rows.
    """
    columns = np.array([*labelled, *pool])
    rows = columns.size
    vectors = np.concatenate([np.eye(2)[columns], 0.5 * np.eye(rows)], axis=1).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    doubt = np.concatenate(
        [np.zeros(len(labelled)), 0.9 * np.ones(len(pool)) if unsure is None else unsure]
    )
    known = np.arange(len(labelled))
    members = np.eye(2, dtype=np.bool_)[list(labelled)]
    which = np.zeros(rows, dtype=np.int32) if clusters is None else np.array(clusters, np.int32)
    return PoolView(
        clusters=which,
        cluster_count=int(which.max()) + 1,
        centroids=np.zeros((int(which.max()) + 1, vectors.shape[1]), dtype=np.float32),
        eligible=np.arange(rows) >= len(labelled),
        probabilities=np.stack([1 - doubt / 2, doubt / 2], axis=1).astype(np.float32),
        vectors=lambda positions: vectors[positions],
        class_counts=np.array(members.sum(axis=0) if counts is None else counts, dtype=np.float64),
        target_shares=np.array(shares),
        labelled_positions=known,
        labelled_classes=members,
    )


def picks_of(view, count, **options):
    strategy = strategies().make(Choice(name="cluster_need", options={"explore": 0, **options}))
    chosen = strategy.select(view, count, min_distance=0.01, rng=np.random.default_rng(0)).picks
    return [pick.position for pick in chosen]


BOTH = [0, 1] * 5
TWENTY = [0] * 20 + [1] * 20


def test_it_asks_for_the_class_the_labels_lack():
    view = view_of(labelled=[0] * 10 + [1] * 2, pool=TWENTY)
    picked = picks_of(view, 5, evenness=1.0, spread=100)
    assert all(position >= 12 + 20 for position in picked)


def test_it_turns_to_the_other_class_once_the_first_is_served():
    view = view_of(labelled=BOTH, pool=TWENTY)
    picked = picks_of(view, 10, evenness=1.0, spread=100)
    assert Counter(position < 10 + 20 for position in picked) == {True: 5, False: 5}


def test_it_follows_the_target_shares():
    view = view_of(labelled=BOTH, pool=TWENTY, counts=[0, 0], shares=(0.8, 0.2))
    picked = picks_of(view, 10, evenness=1.0, spread=100, tilt=1.0, strength=10)
    assert sum(position < 10 + 20 for position in picked) in {7, 8, 9}


def test_without_evenness_it_takes_the_smallest_margins():
    doubt = np.random.default_rng(1).permutation(40) / 40
    view = view_of(labelled=[0] * 9 + [1], pool=TWENTY, unsure=doubt)
    assert set(picks_of(view, 5, evenness=0)) == set(10 + np.argsort(-doubt)[:5])


def test_half_evenness_gives_half_to_need_and_half_to_the_smallest_margins():
    doubt = np.concatenate([np.linspace(0.9, 0.6, 20), np.linspace(0.5, 0.1, 20)])
    view = view_of(labelled=[0] * 9 + [1], pool=TWENTY, unsure=doubt)
    picked = picks_of(view, 6, evenness=0.5, spread=100, gap=1)
    assert sum(position >= 10 + 20 for position in picked) == 3
    assert {10, 11, 12} <= set(picked)


def test_need_looks_no_further_than_its_reach():
    doubt = np.linspace(0.9, 0.1, 40)
    view = view_of(labelled=[0] * 9 + [1], pool=[0, 1] * 20, unsure=doubt)
    picked = picks_of(view, 4, evenness=1.0, reach=1, spread=100, gap=1)
    assert max(picked) < 10 + 10
    assert sum((position - 10) % 2 for position in picked) == 4


def test_more_labels_make_the_shortlist_longer():
    doubt = np.linspace(0.9, 0.1, 40)
    few = view_of(labelled=[0] * 3 + [1], pool=[0] * 30 + [1] * 10, unsure=doubt)
    many = view_of(labelled=[0] * 35 + [1] * 5, pool=[0] * 30 + [1] * 10, unsure=doubt)
    assert max(picks_of(few, 4, evenness=1.0, spread=100, gap=1)) < 4 + 30
    assert min(picks_of(many, 4, evenness=1.0, spread=100, gap=1)) >= 40 + 30


def test_need_leaves_alone_what_the_learner_is_sure_of():
    doubt = np.concatenate([np.linspace(0.95, 0.85, 20), np.linspace(0.5, 0.1, 20)])
    view = view_of(labelled=[0] * 9 + [1], pool=TWENTY, unsure=doubt)
    assert max(picks_of(view, 4, evenness=1.0, spread=100)) < 10 + 20


def test_the_least_sure_quarter_is_unsure_enough_where_the_learner_is_sure_of_all():
    doubt = np.linspace(0.5, 0.1, 40)
    view = view_of(labelled=[0] * 9 + [1], pool=[0, 1] * 20, unsure=doubt)
    picked = picks_of(view, 4, evenness=1.0, spread=100)
    assert max(picked) < 10 + 10
    assert all((position - 10) % 2 for position in picked)


def test_it_bounds_what_one_cluster_gives():
    view = view_of(labelled=BOTH, pool=[1] * 40, clusters=[0] * 10 + [0] * 20 + [1] * 20)
    picked = picks_of(view, 10, evenness=1.0, spread=1, reach=10)
    assert Counter(position < 10 + 20 for position in picked) == {True: 5, False: 5}


def test_it_keeps_a_share_for_typical_rows_of_clusters_without_labels():
    view = view_of(labelled=BOTH, pool=TWENTY, clusters=[0] * 30 + [1] * 19 + [2])
    strategy = strategies().make(Choice(name="cluster_need"))
    chosen = strategy.select(view, 20, min_distance=0.01, rng=np.random.default_rng(0)).picks
    explored = [pick.cluster for pick in chosen if pick.strategy == "typical"]
    assert sorted(explored) == [1, 2]


def test_with_labels_of_one_class_it_takes_typical_rows():
    view = view_of(labelled=[0] * 5, pool=TWENTY)
    strategy = strategies().make(Choice(name="cluster_need"))
    chosen = strategy.select(view, 3, min_distance=0.01, rng=np.random.default_rng(0))
    assert chosen.strategy_used == "typical"


@pytest.mark.parametrize(
    "options",
    [
        {"evenness": 1.1},
        {"evenness": "much"},
        {"reach": 0},
        {"quantile": 1.1},
        {"gap": -0.1},
        {"tilt": -1},
        {"strength": 0},
        {"explore": 0.6},
        {"explore": True},
        {"spread": 0},
        {"spread": "2"},
    ],
)
def test_it_refuses_options_out_of_bounds(options):
    with pytest.raises(InvalidOption):
        strategies().make(Choice(name="cluster_need", options=options))
