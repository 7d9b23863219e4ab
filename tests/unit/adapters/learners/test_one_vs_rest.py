"""The linear learner in a multi-label task: a yes or no for every class."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.learners.linear import LinearLearner
from adapters.learners.onnx_head import OnnxClassifier, parity
from core.errors import JobFailed


@pytest.fixture
def several(groups):
    """(vectors, members): two groups of one class each, one of both and one of none."""
    vectors, targets = groups(20, 12, 8, 10)
    members = np.stack([np.isin(targets, (0, 2)), np.isin(targets, (1, 2))], axis=1)
    return vectors, members


def fit(vectors, members, *, weights=None, **options):
    sample = np.ones(len(members), np.float32) if weights is None else weights
    return LinearLearner(**options).fit(
        vectors, members, classes=members.shape[1], weights=sample, seed=0
    )


def test_the_exported_head_gives_the_trained_probabilities(several):
    fitted = fit(*several)
    classifier = OnnxClassifier(fitted.onnx, sha256=None)
    assert classifier.predict(several[0]).shape == several[1].shape
    assert parity(fitted, classifier, several[0]) <= 1e-5


def test_rows_may_have_both_classes_or_none(several):
    vectors, members = several
    assert ((fit(vectors, members, c=100).predict(vectors) > 0.5) == members).all()


def test_each_column_is_the_binary_head_of_its_class(several):
    vectors, members = several
    alone = LinearLearner().fit(
        vectors,
        members[:, 1].astype(np.int32),
        classes=2,
        weights=np.ones(len(members), np.float32),
        seed=0,
    )
    assert fit(vectors, members).predict(vectors)[:, 1] == pytest.approx(
        alone.predict(vectors)[:, 1], abs=1e-6
    )


def test_one_class_alone_can_be_trained(several):
    vectors, members = several
    fitted = fit(vectors, members[:, :1])
    assert OnnxClassifier(fitted.onnx, sha256=None).predict(vectors).shape == (len(vectors), 1)


def test_the_same_input_gives_the_same_bytes(several):
    assert fit(*several, choose_c=True).onnx == fit(*several, choose_c=True).onnx


def test_a_chosen_penalty_is_recorded_for_each_class(several):
    assert len(fit(*several, choose_c=True).parameters["c"]) == 2
    assert fit(*several, c=3).parameters["c"] == 3.0


@pytest.mark.parametrize("column", [np.zeros, np.ones])
def test_a_class_that_no_row_or_every_row_has_is_refused(several, column):
    vectors, members = several
    with pytest.raises(JobFailed) as caught:
        fit(vectors, np.column_stack([members, column(len(members), bool)]))
    assert caught.value.code == "class-without-labels"
