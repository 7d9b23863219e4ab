"""Intervals, calibration and the price of a point, on tables small enough to check by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from core.calibration import reliability
from core.intervals import macro_f1_interval
from core.metrics import calibration_error, evaluate
from core.records import LabelClass, Model, Task
from core.report_models import model_figures
from core.report_value import value


def step(version: int, macro_f1: float | None, **changes: object) -> dict[str, object]:
    """A row of the learning curve, ten labels per version."""
    return {
        "model_id": f"mdl_{version}",
        "version": version,
        "round": version,
        "macro_f1": macro_f1,
        "labels": 10 * version,
        "evaluated_on": "test",
        **changes,
    }


# --- intervals ------------------------------------------------------------------------


def test_an_interval_holds_the_score_that_the_table_has():
    probabilities = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2, 0, 1, 2, 0]]
    targets = np.array([0, 0, 1, 2, 2, 2, 0, 1, 1, 1])
    facts = evaluate(probabilities, targets, classes=("a", "b", "c"))
    low, high = macro_f1_interval(facts["confusion"])
    assert low < facts["macro_f1"] < high


def test_a_model_that_is_always_right_has_an_interval_of_no_width():
    assert macro_f1_interval([[5, 0], [0, 7]]) == (1.0, 1.0)


def test_ten_times_the_rows_make_the_interval_narrower():
    narrow, wide = macro_f1_interval([[80, 20], [30, 70]]), macro_f1_interval([[8, 2], [3, 7]])
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 2


def test_the_same_table_has_the_same_interval_every_time():
    assert macro_f1_interval([[8, 2], [3, 7]]) == macro_f1_interval([[8, 2], [3, 7]])


def test_the_interval_is_that_of_drawing_the_rows_themselves():
    chance = np.random.default_rng(1)
    truth, said = (
        np.repeat([0, 0, 1, 1], [40, 10, 15, 35]),
        np.repeat([0, 1, 0, 1], [40, 10, 15, 35]),
    )
    scores = []
    for _ in range(150):
        rows = chance.integers(0, 100, 100)
        facts = evaluate(np.eye(2, dtype=np.float32)[said[rows]], truth[rows], classes=("a", "b"))
        scores.append(facts["macro_f1"])
    expected = np.quantile(scores, [0.025, 0.975])
    assert macro_f1_interval([[40, 10], [15, 35]]) == pytest.approx(expected, abs=0.03)


def test_an_empty_table_has_no_interval():
    assert macro_f1_interval([[0, 0], [0, 0]]) is None


# --- calibration ------------------------------------------------------------------------


def test_a_bin_tells_how_sure_the_model_was_and_how_often_right():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]], dtype=np.float32)
    bins = reliability(probabilities, np.array([0, 1, 1]))
    assert [(row["rows"], row["accuracy"]) for row in bins] == [(1, 1.0), (2, 0.5)]
    assert [row["confidence"] for row in bins] == pytest.approx([0.6, 0.9])


def test_the_bins_add_up_to_the_calibration_error():
    chance = np.random.default_rng(3)
    raw = chance.random((200, 3)).astype(np.float32)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    targets = chance.integers(0, 3, 200)
    gaps = [
        row["rows"] * abs(row["accuracy"] - row["confidence"])
        for row in reliability(probabilities, targets)
    ]
    assert sum(gaps) / 200 == pytest.approx(calibration_error(probabilities, targets), abs=1e-6)


def test_every_yes_or_no_of_a_label_set_is_judged():
    probabilities = np.array([[0.95, 0.05]], dtype=np.float32)
    bins = reliability(probabilities, np.array([[True, False]]))
    assert [(row["rows"], row["accuracy"]) for row in bins] == [(1, 0.0), (1, 1.0)]


# --- the price of a point ---------------------------------------------------------------


def test_a_point_costs_what_was_spent_since_the_model_before():
    found = value(
        [step(1, 0.40), step(2, 0.45)],
        dollars=[{"round": 1, "dollars": 9.0}, {"round": 2, "dollars": 2.0}],
        minutes={1: 30.0, 2: 10.0},
    )
    (row,) = found["rows"]
    assert (row["points"], row["labels"]) == (pytest.approx(5.0), 10)
    assert row["per_point"] == pytest.approx({"labels": 2.0, "minutes": 2.0, "dollars": 0.4})


def test_a_round_that_gained_nothing_has_no_price():
    (row,) = value([step(1, 0.5), step(2, 0.4)], dollars=[], minutes={})["rows"]
    assert row["per_point"] == {"labels": None, "minutes": None, "dollars": None}


def test_what_was_not_spent_is_not_a_price_of_zero():
    (row,) = value([step(1, 0.4), step(2, 0.5)], dollars=[], minutes={})["rows"]
    assert row["per_point"]["dollars"] is None


def test_the_total_goes_from_the_first_model_to_the_best():
    found = value([step(1, 0.4), step(2, 0.6), step(3, 0.5)], dollars=[], minutes={})
    assert (found["total"]["since_version"], found["total"]["version"]) == (1, 2)


def test_scores_on_other_rows_are_not_compared():
    curve = [step(1, 0.9, evaluated_on="holdout"), step(2, 0.4), step(3, 0.5)]
    assert [row["version"] for row in value(curve, dollars=[], minutes={})["rows"]] == [3]


def test_one_model_has_no_price():
    assert value([step(1, 0.4)], dollars=[], minutes={}) == {"rows": [], "total": None}


# --- a model's confusions ---------------------------------------------------------------


def model(*classes: str) -> Model:
    """Two classes, scored on ten rows; the table is in the order ``classes``."""
    counts = {"a": [4, 1], "b": [2, 3]}
    table = [counts[c] if classes == ("a", "b") else counts[c][::-1] for c in classes]
    recall = {"a": 0.8, "b": 0.6}
    return Model(
        id="mdl_1",
        tenant_id="ten",
        session_id="ses",
        version=1,
        round=1,
        state="active",
        learner="linear",
        encoder_id="hashing",
        classes=classes,
        onnx="0" * 64,
        label_watermark=10,
        human_counts={},
        generated_counts={},
        parameters={},
        metrics={
            "rows": 10,
            "macro_f1": 0.7,
            "confusion": table,
            "per_class": {c: {"recall": recall[c], "support": 5} for c in sorted(classes)},
        },
        evaluated_on="test",
        parity=0.0,
        revision=1,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def schema(*classes: str) -> Task:
    return Task(classes=tuple(LabelClass(id=c, name=c.upper()) for c in classes))


def test_confusions_are_named_in_the_order_of_the_schema():
    (row,) = model_figures([model("b", "a")], task=schema("b", "a"))["models"]
    assert [c["id"] for c in row["per_class"]] == ["b", "a"]
    assert row["confusion"] == [[3, 2], [1, 4]]


def test_confusions_in_an_order_that_is_gone_are_not_shown():
    (row,) = model_figures([model("b", "a")], task=schema("a", "b"))["models"]
    assert row["confusion"] is None


def test_a_class_that_came_later_leaves_the_table_as_it_is():
    (row,) = model_figures([model("a", "b")], task=schema("a", "new", "b"))["models"]
    assert row["confusion"] == [[4, 1], [2, 3]]
