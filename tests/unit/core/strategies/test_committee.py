"""Query by committee: members, resamples and disagreement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidOption
from core.pool import PoolView
from core.records import Choice
from core.strategies import strategies
from core.strategies.committee import mean_divergence, vote_entropy
from core.strategies.members import bootstrap, fit_members


def two_sided_view(*, multi_label=False):
    """Labels at 0 and 180 degrees; row 10 lies between, rows 8 and 9 beside the labels."""
    degrees = np.array([0, 2, 4, 6, 180, 178, 176, 174, 3, 177, 90], dtype=np.float64)
    radians = np.deg2rad(degrees)
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    eligible = np.arange(11) >= 8
    return PoolView(
        clusters=np.zeros(11, dtype=np.int32),
        cluster_count=1,
        centroids=np.zeros((1, 2), dtype=np.float32),
        eligible=eligible,
        probabilities=np.full((11, 3), 1 / 3, dtype=np.float32),
        vectors=lambda positions: vectors[positions],
        class_counts=np.array([4.0, 4.0, 0.0]),
        target_shares=np.full(3, 1 / 3),
        labelled_positions=np.arange(8),
        labelled_classes=(np.arange(8) // 4)[:, None] == np.arange(3),
        multi_label=multi_label,
    )


def select(view, count, *, seed=0, **options):
    strategy = strategies().make(Choice(name="committee", options=options))
    return strategy.select(view, count, min_distance=0.0, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_row_between_two_classes_is_the_most_disputed(multi_label):
    picks = select(two_sided_view(multi_label=multi_label), 3, members=9).picks
    assert picks[0].position == 10
    assert picks[0].score > 2 * picks[1].score


def test_the_seed_decides_the_resamples():
    scores = {select(two_sided_view(), 1, seed=seed).picks[0].score for seed in range(3)}
    assert len(scores) == 3


def test_typical_rows_stand_in_until_two_classes_have_labels():
    view = two_sided_view()
    one = replace(view, labelled_classes=np.tile([True, False, False], (8, 1)))
    assert select(one, 2).strategy_used == "typical"


@given(
    sizes=st.lists(st.integers(0, 9), min_size=2, max_size=6),
    seed=st.integers(0, 2**32),
    multi_label=st.booleans(),
)
def test_a_resample_keeps_a_row_of_every_class_with_labels(sizes, seed, multi_label):
    classes = np.repeat(np.arange(len(sizes)), sizes)[:, None] == np.arange(len(sizes))
    if not len(classes):
        return
    weights = bootstrap(classes, multi_label=multi_label, rng=np.random.default_rng(seed))
    assert (weights @ classes > 0).tolist() == [size > 0 for size in sizes]
    missing = weights @ ~classes
    assert not multi_label or (missing > 0).tolist() == (~classes).any(axis=0).tolist()


def test_a_class_without_labels_gets_no_opinion():
    view = two_sided_view()
    vectors = view.vectors(np.arange(8))
    members = fit_members(
        vectors,
        view.labelled_classes,
        members=3,
        multi_label=False,
        rng=np.random.default_rng(0),
    )
    opinions = members.probabilities(vectors)
    assert opinions.shape == (8, 3, 3)
    assert (opinions[:, :, 2] == 0).all()
    np.testing.assert_allclose(opinions.sum(axis=2), 1, atol=1e-5)
    assert (opinions.argmax(axis=2) == (np.arange(8) // 4)[:, None]).all()


def test_rows_that_name_no_known_class_do_not_vote():
    view = two_sided_view()
    stray = np.concatenate([view.labelled_classes, np.zeros((2, 3), dtype=np.bool_)])
    vectors = view.vectors(np.arange(10))

    def opinions(rows):
        members = fit_members(
            vectors[:rows],
            stray[:rows],
            members=2,
            multi_label=False,
            rng=np.random.default_rng(0),
        )
        return members.probabilities(vectors)

    np.testing.assert_array_equal(opinions(8), opinions(10))


def test_divergence_is_the_mean_distance_from_the_mean_opinion():
    opinions = np.array([[[0.9, 0.1], [0.3, 0.7]], [[0.5, 0.5], [0.5, 0.5]]], dtype=np.float32)
    mean = opinions.mean(axis=1, keepdims=True)
    expected = (opinions * np.log(opinions / mean)).sum(axis=2).mean(axis=1)
    np.testing.assert_allclose(mean_divergence(opinions, multi_label=False), expected, atol=1e-6)


def test_vote_entropy_counts_favourites():
    votes = np.array([[[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.1, 0.9]]], dtype=np.float32)
    assert vote_entropy(votes, multi_label=False)[0] == pytest.approx(np.log(2))


def test_vote_entropy_of_many_labels_counts_each_label_over_a_half():
    votes = np.array([[[0.9, 0.9], [0.8, 0.2]]], dtype=np.float32)
    assert vote_entropy(votes, multi_label=True)[0] == pytest.approx(np.log(2) / 2)


@pytest.mark.parametrize("options", [{"members": 1}, {"members": 2.0}, {"measure": "loud"}])
def test_committee_refuses_options_out_of_bounds(options):
    with pytest.raises(InvalidOption):
        strategies().make(Choice(name="committee", options=options))
