"""Multi-label quality against scikit-learn's own figures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from core.multi_metrics import binary_calibration_error, evaluate_labels

RNG = np.random.default_rng(3)
MEMBERS = RNG.random((80, 4)) < np.array([0.5, 0.3, 0.1, 0.0])
SCORES = np.clip(MEMBERS * 0.4 + RNG.random((80, 4)) * 0.6, 0, 1).astype(np.float32)
LINES = {"a": 0.5, "b": 0.4, "c": 0.6, "d": 0.5}
SAID = np.array(list(LINES.values())) <= SCORES


def evaluated():
    return evaluate_labels(SCORES, MEMBERS, classes=tuple(LINES), thresholds=LINES)


def f1(average):
    return metrics.f1_score(MEMBERS, SAID, average=average, zero_division=0)


def test_the_averages_are_those_of_scikit_learn():
    found = evaluated()
    assert found["micro_f1"] == pytest.approx(f1("micro"))
    assert found["weighted_f1"] == pytest.approx(f1("weighted"))
    assert found["subset_accuracy"] == pytest.approx(metrics.accuracy_score(MEMBERS, SAID))
    assert found["hamming_loss"] == pytest.approx(metrics.hamming_loss(MEMBERS, SAID))
    assert found["rows"] == 80


def test_macro_f1_is_over_the_classes_that_occur():
    each = metrics.f1_score(MEMBERS[:, :3], SAID[:, :3], average="macro", zero_division=0)
    assert evaluated()["macro_f1"] == pytest.approx(each)


def test_each_class_has_its_own_figures_and_threshold():
    found = evaluated()["per_class"]["b"]
    truth, said = MEMBERS[:, 1], SAID[:, 1]
    assert found["precision"] == pytest.approx(metrics.precision_score(truth, said))
    assert found["recall"] == pytest.approx(metrics.recall_score(truth, said))
    assert found["support"] == int(truth.sum())
    assert found["threshold"] == 0.4


def test_log_loss_is_the_mean_over_decisions():
    each = [
        metrics.log_loss(MEMBERS[:, c], SCORES[:, c].astype(float), labels=[0, 1]) for c in range(4)
    ]
    assert evaluated()["log_loss"] == pytest.approx(np.mean(each), rel=1e-3)


def test_sure_and_right_is_calibrated_and_sure_and_wrong_is_not():
    right = np.array([[1, 0], [0, 1]], np.float32)
    members = right.astype(bool)
    assert binary_calibration_error(right, members) == 0
    assert binary_calibration_error(1 - right, members) == 1


def test_no_rows_have_no_figures():
    empty = evaluate_labels(SCORES[:0], MEMBERS[:0], classes=tuple(LINES), thresholds=LINES)
    assert empty == {}


def test_rows_without_any_class_do_not_divide_by_nothing():
    found = evaluate_labels(
        np.zeros((3, 4), np.float32),
        np.zeros((3, 4), bool),
        classes=tuple(LINES),
        thresholds=LINES,
    )
    assert (found["macro_f1"], found["weighted_f1"], found["subset_accuracy"]) == (0, 0, 1)
