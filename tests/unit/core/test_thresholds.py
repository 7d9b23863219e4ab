"""Thresholds of a multi-label model: chosen for F1, by heads that did not see the row."""

from __future__ import annotations

import numpy as np
import pytest

from core.thresholds import assign_folds, best_threshold, choose_thresholds, named, out_of_fold
from core.training import TrainingSet


def data_of(members, *, human=None, groups=None):
    members = np.array(members, dtype=bool)
    n = len(members)
    return TrainingSet(
        classes=tuple("abcdef"[: members.shape[1]]),
        vectors=np.arange(n, dtype=np.float32)[:, None],
        targets=members,
        weights=np.ones(n, np.float32),
        human=np.ones(n, bool) if human is None else np.array(human),
        held_out=np.zeros(n, bool),
        groups=np.arange(n) if groups is None else np.array(groups),
    )


def test_the_threshold_lies_half_way_where_it_separates():
    scores = np.array([0.9, 0.7, 0.3, 0.1], np.float32)
    assert best_threshold(scores, np.array([1, 1, 0, 0], bool)) == pytest.approx(0.5)


def test_a_shy_head_gets_a_low_threshold():
    scores = np.array([0.3, 0.25, 0.2, 0.1, 0.05], np.float32)
    line = best_threshold(scores, np.array([1, 1, 1, 0, 0], bool))
    assert line == pytest.approx(0.15)


def test_a_head_that_knows_nothing_does_not_name_the_class_every_time():
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    assert best_threshold(scores, np.array([0, 0, 1, 1], bool)) == 0.5


def test_equal_scores_are_never_cut_apart():
    scores = np.array([0.6, 0.6, 0.6, 0.2], np.float32)
    line = best_threshold(scores, np.array([1, 0, 1, 0], bool))
    assert line == pytest.approx(0.4)


def test_a_tie_goes_to_the_cut_nearest_one_half():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.1], np.float32)
    line = best_threshold(scores, np.array([1, 0, 0, 1, 0], bool))  # both cuts have F1 2/3
    assert line == pytest.approx(0.35)


def test_a_threshold_that_is_reached_names_the_class():
    scores = np.array([[0.4, 0.4], [0.6, 0.1]], np.float32)
    said = named(scores, classes=("a", "b"), thresholds={"a": 0.5, "b": 0.4})
    assert said.tolist() == [[False, True], [True, False]]


def test_folds_spread_the_rarest_class_evenly():
    rng = np.random.default_rng(0)
    members = rng.random((60, 3)) < np.array([0.5, 0.3, 0.1])
    folds = assign_folds(members, count=3)
    spread = np.array([members[folds == fold].sum(axis=0) for fold in range(3)])
    rows = np.bincount(folds)
    assert (spread[:, 2].max() - spread[:, 2].min()) <= 1
    assert rows.max() - rows.min() <= 3


def test_no_head_judges_a_row_or_variations_of_it_that_it_saw():
    members = [[n % 2 == 0] for n in range(12)] + [[True]] * 6
    human = [True] * 12 + [False] * 6
    data = data_of(members, human=human, groups=[*range(12), *range(6)])
    seen = []

    def fit_predict(train, judged):
        seen.append((set(train.groups.tolist()), set(judged.groups.tolist())))
        return np.zeros((len(judged.weights), len(judged.classes)), np.float32)

    scores = out_of_fold(data, fit_predict=fit_predict)
    assert all(not trained & judged for trained, judged in seen)
    assert set.union(*(judged for _, judged in seen)) == set(range(12))
    assert not np.isnan(scores).any()


def test_few_positives_leave_the_threshold_at_one_half():
    members = [[n < 12, n % 3 == 0] for n in range(24)]

    def fit_predict(_train, judged):
        return np.where(judged.members(), 0.3, 0.1).astype(np.float32)

    chosen = choose_thresholds(data_of(members), fit_predict=fit_predict)
    assert chosen["a"] == pytest.approx(0.2)
    assert chosen["b"] == 0.5


def test_a_class_that_a_fold_cannot_train_does_not_stop_the_others():
    members = [[n % 2 == 0, n == 0] for n in range(24)]

    def fit_predict(train, judged):
        assert train.told_apart().all()
        return np.where(judged.members(), 0.9, 0.1).astype(np.float32)

    assert choose_thresholds(data_of(members), fit_predict=fit_predict)["a"] == pytest.approx(0.5)
