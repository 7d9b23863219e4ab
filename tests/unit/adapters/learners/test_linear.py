"""The linear learner: what it learns, how rows weigh, and what it says about itself."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.learners import learners
from adapters.learners.linear import LinearLearner
from adapters.learners.onnx_head import OnnxClassifier, parity
from core.errors import InvalidOption, JobFailed
from core.records import Choice


def fit(vectors, targets, *, weights=None, **options):
    sample = np.ones(len(targets), np.float32) if weights is None else weights
    return LinearLearner(**options).fit(
        vectors, targets, classes=int(targets.max()) + 1, weights=sample, seed=0
    )


@pytest.mark.parametrize("sizes", [(30, 20), (30, 10, 5), (40, 20, 10, 5, 3, 2)])
def test_the_exported_head_gives_the_trained_probabilities(groups, sizes):
    vectors, targets = groups(*sizes)
    fitted = fit(vectors, targets)
    classifier = OnnxClassifier(fitted.onnx, sha256=None)
    assert classifier.predict(vectors).shape == (len(vectors), len(sizes))
    assert parity(fitted, classifier, vectors) <= 1e-5


def test_separable_groups_are_told_apart(groups):
    vectors, targets = groups(20, 20, 20)
    assert (fit(vectors, targets).predict(vectors).argmax(axis=1) == targets).all()


def test_the_same_input_gives_the_same_bytes(groups):
    vectors, targets = groups(20, 10, 5)
    assert fit(vectors, targets, choose_c=True).onnx == fit(vectors, targets, choose_c=True).onnx


def test_a_row_of_double_weight_counts_as_two_rows(groups):
    vectors, targets = groups(12, 6, noise=1.0)
    weights = np.ones(18, np.float32)
    weights[3] = 2
    twice = fit(np.vstack([vectors, vectors[3:4]]), np.append(targets, targets[3]))
    assert fit(vectors, targets, weights=weights).predict(vectors) == pytest.approx(
        twice.predict(vectors), abs=1e-3
    )


def test_a_row_of_weight_zero_changes_nothing(groups):
    vectors, targets = groups(12, 6, noise=1.0)
    odd = np.vstack([vectors, -vectors[:1]])
    weights = np.append(np.ones(18, np.float32), np.float32(0))
    silent = fit(odd, np.append(targets, targets[0]), weights=weights)
    assert silent.predict(vectors) == pytest.approx(
        fit(vectors, targets).predict(vectors), abs=1e-3
    )


def test_balanced_weights_lift_the_rare_class(groups):
    vectors, targets = groups(200, 5, noise=2.0)
    lifted, plain = (
        fit(vectors, targets, class_weight=weight).predict(vectors)[:, 1].mean()
        for weight in ("balanced", "none")
    )
    assert lifted > 5 * plain


def test_balance_is_taken_over_weights_and_not_over_rows(groups):
    vectors, targets = groups(40, 40, noise=2.0)
    weights = np.where(targets == 1, 0.1, 1.0).astype(np.float32)
    probabilities = fit(vectors, targets, weights=weights).predict(vectors)
    assert probabilities[:, 1].mean() == pytest.approx(0.5, abs=0.05)


def test_stopping_early_is_recorded_and_warns_nobody(groups):
    vectors, targets = groups(60, 60, 60, noise=2.0)
    assert fit(vectors, targets, max_iter=1, c=100).parameters["converged"] is False
    assert fit(vectors, targets).parameters["converged"] is True


def test_parameters_name_options_and_library_versions(groups):
    parameters = fit(*groups(10, 10), c=3).parameters
    assert parameters["c"] == 3.0
    assert parameters["class_weight"] == "balanced"
    assert parameters["iterations"] > 0
    assert set(parameters["versions"]) == {"scikit-learn", "numpy", "onnx"}


def test_choosing_c_takes_little_penalty_for_clean_groups_and_more_for_noise(groups):
    clean = fit(*groups(40, 40, 40, noise=0.1), choose_c=True).parameters["c"]
    noisy = fit(*groups(40, 40, 40, noise=4.0), choose_c=True).parameters["c"]
    assert clean > noisy


def test_choosing_c_looks_at_rows_of_full_weight_alone(groups):
    vectors, targets = groups(40, 40, noise=4.0)
    copies = np.vstack([vectors] * 3)
    weights = np.repeat(np.float32([1, 0.3, 0.3]), len(vectors))
    chosen = fit(copies, np.tile(targets, 3), weights=weights, choose_c=True)
    assert chosen.parameters["c"] == fit(vectors, targets, choose_c=True).parameters["c"]


def test_choosing_c_keeps_the_given_one_where_a_class_has_one_row(groups):
    assert fit(*groups(10, 10, 1), choose_c=True, c=2).parameters["c"] == 2.0


@pytest.mark.parametrize(("present", "classes"), [((5, 5), 3), ((5,), 1), ((5,), 2)])
def test_a_class_without_rows_is_refused(groups, present, classes):
    vectors, targets = groups(*present)
    with pytest.raises(JobFailed) as caught:
        LinearLearner().fit(
            vectors, targets, classes=classes, weights=np.ones(len(targets), np.float32), seed=0
        )
    assert caught.value.code == "class-without-labels"


@pytest.mark.parametrize(
    "options",
    [{"c": 0}, {"c": "1"}, {"class_weight": "even"}, {"choose_c": 1}, {"max_iter": 0}, {"k": 1}],
)
def test_bad_options_are_refused(options):
    with pytest.raises(InvalidOption):
        learners().make(Choice(name="linear", options=options))


def test_the_registry_makes_the_documented_defaults():
    assert learners().make(Choice(name="linear")) == LinearLearner()
    assert learners().get("linear").defaults() == {
        "c": 1.0,
        "class_weight": "balanced",
        "choose_c": False,
        "max_iter": 1000,
    }
