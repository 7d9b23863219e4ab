"""What records add up to, shown on a handful of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core import reporting
from core.errors import InvalidInput
from core.records import (
    Batch,
    BatchItem,
    Generation,
    LabelClass,
    Model,
    Operation,
    Pick,
    Screen,
    Task,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
TASK = Task(
    classes=(
        LabelClass(id="rare", name="Rare", target_share=0.5),
        LabelClass(id="common", name="Common"),
    )
)


def batch(round: int, *items: str) -> Batch:
    return Batch(
        id=f"bat_{round}",
        tenant_id="ten",
        session_id="ses",
        round=round,
        state="completed",
        strategy="cluster_need",
        strategy_used="typical",
        seed=0,
        index_id="idx",
        model_id=None,
        requested=len(items),
        shortfall=0,
        shortfall_reason=None,
        items=tuple(
            BatchItem(
                item_id=item,
                external_id=item,
                pick=Pick(position=n, cluster=0, score=0.0, rank=n, strategy="typical"),
            )
            for n, item in enumerate(items)
        ),
        created_at=START + timedelta(hours=round),
    )


def model(version: int, **changes: object) -> Model:
    fields: dict[str, object] = {
        "id": f"mdl_{version}",
        "tenant_id": "ten",
        "session_id": "ses",
        "version": version,
        "round": version,
        "state": "active",
        "learner": "linear",
        "encoder_id": "hashing",
        "classes": ("rare", "common"),
        "onnx": "0" * 64,
        "label_watermark": 4,
        "human_counts": {"rare": 1, "common": 3},
        "generated_counts": {"rare": 2},
        "parameters": {},
        "metrics": {"macro_f1": 0.5, "accuracy": 0.6, "per_class": {"rare": {"recall": 0.25}}},
        "evaluated_on": "test",
        "parity": 0.0,
        "revision": 1,
        "created_at": START,
    }
    return Model(**{**fields, **changes})  # type: ignore[arg-type]


def operation(number: int, *, hours: float, result: dict[str, object] | None) -> Operation:
    return Operation(
        id=f"op_{number}",
        tenant_id="ten",
        session_id="ses",
        kind="generate",
        state="succeeded" if result else "failed",
        input={},
        result=result,
        created_at=START + timedelta(hours=hours),
    )


def variation(**changes: object) -> Generation:
    fields: dict[str, object] = {
        "id": "gen_1",
        "tenant_id": "ten",
        "session_id": "ses",
        "operation_id": "op_1",
        "round": 1,
        "seed_item_id": "itm_1",
        "seed_label_id": "lab_1",
        "text": "words",
        "labels": ("rare",),
        "original_text": None,
        "original_labels": None,
        "state": "proposed",
        "screens": (),
        "needs_review": False,
        "generator": "perturb",
        "model": None,
        "template_id": "attributes",
        "template_version": 1,
        "template_sha256": "",
        "attributes": (),
        "example_ids": (),
        "contrast": None,
        "prompt_sha256": "",
        "response_sha256": "",
        "request_id": None,
        "reviewer": None,
        "reason": None,
        "revision": 1,
        "created_at": START,
        "reviewed_at": None,
    }
    return Generation(**{**fields, **changes})  # type: ignore[arg-type]


def agreement(*, passed: bool) -> tuple[Screen, ...]:
    return (Screen(check="learner_agreement", passed=passed),)


# --- balance and evenness -------------------------------------------------------------


def test_balance_counts_usable_variations_only():
    written = {
        ("rare", "attributes", "accepted"): 2,
        ("rare", "paraphrase", "edited"): 1,
        ("rare", "attributes", "rejected"): 5,
        ("common", "attributes", "proposed"): 4,
    }
    found = reporting.balance(TASK, human={"rare": 1, "common": 3}, written=written, predicted=None)
    assert [row["generated"] for row in found["classes"]] == [3, 0]
    assert found["generated"] == 3


def test_balance_gives_shares_of_labels_and_the_target():
    found = reporting.balance(TASK, human={"rare": 1, "common": 3}, written={}, predicted=None)
    assert [row["human_share"] for row in found["classes"]] == [0.25, 0.75]
    assert [row["target_share"] for row in found["classes"]] == [0.5, 0.5]


def test_balance_without_a_model_has_no_predictions_rather_than_zero():
    found = reporting.balance(TASK, human={}, written={}, predicted=None)
    assert [row["predicted"] for row in found["classes"]] == [None, None]


def test_a_class_the_model_never_saw_is_predicted_zero_times():
    found = reporting.balance(TASK, human={}, written={}, predicted={"common": 7})
    assert [row["predicted"] for row in found["classes"]] == [0, 7]


def test_evenness_accumulates_over_rounds():
    answers = {"a": ("common",), "b": ("common",), "c": ("rare",), "d": ("rare",)}
    rows = reporting.evenness(
        TASK, batches=[batch(1, "a", "b"), batch(2, "c", "d")], answers=answers
    )
    assert [row["labels"] for row in rows] == [2, 4]
    assert [row["std"] for row in rows] == [1.0, 0.0]
    assert [row["normalised_entropy"] for row in rows] == [0.0, 1.0]
    assert [row["smallest_count"] for row in rows] == [0, 2]


def test_an_item_without_an_answer_is_in_no_count():
    rows = reporting.evenness(TASK, batches=[batch(1, "a", "b")], answers={"a": ("rare",)})
    assert (rows[0]["labels"], rows[0]["added"]) == (1, 1)


# --- learning, generation, cost ---------------------------------------------------------


def test_the_curve_is_ordered_by_version_and_counts_labels_bought():
    rows = reporting.learning_curve([model(2), model(1)])
    assert [row["version"] for row in rows] == [1, 2]
    assert (rows[0]["labels"], rows[0]["generated"]) == (4, 2)
    assert rows[0]["recall"] == {"rare": 0.25}


def test_a_model_that_nothing_was_held_out_for_has_no_score():
    rows = reporting.learning_curve([model(1, metrics={}, evaluated_on="nothing")])
    assert (rows[0]["macro_f1"], rows[0]["recall"]) == (None, {})


def test_the_funnel_adds_up_by_class_and_by_template():
    written = {
        ("rare", "attributes", "accepted"): 2,
        ("rare", "paraphrase", "dropped"): 1,
        ("common", "attributes", "accepted"): 4,
    }
    found = reporting.generation(TASK, written=written)
    assert [(row["class"], row["accepted"], row["dropped"]) for row in found["by_class"]] == [
        ("rare", 2, 1),
        ("common", 4, 0),
    ]
    assert [(row["template"], row["accepted"]) for row in found["by_template"]] == [
        ("attributes", 6),
        ("paraphrase", 0),
    ]


def test_cost_is_summed_by_the_round_that_an_operation_names():
    operations = [
        operation(1, hours=1.5, result={"round": 1, "calls": 2, "outcomes": {"ok": 2}}),
        operation(2, hours=2.5, result={"round": 2, "refused_by_class": {"rare": 3}}),
    ]
    found = reporting.cost(
        operations=operations,
        batches=[batch(1), batch(2)],
        dollars={"op_1": 0.25, "op_2": 0.5},
        task=TASK,
    )
    assert found["total_dollars"] == 0.75
    assert found["rounds"] == [
        {"round": 1, "dollars": 0.25, "cumulative_dollars": 0.25},
        {"round": 2, "dollars": 0.5, "cumulative_dollars": 0.75},
    ]
    assert found["refused_by_class"] == {"rare": 3, "common": 0}


def test_a_failed_operation_belongs_to_the_last_round_begun_before_it():
    failed = operation(1, hours=1.5, result=None)
    assert reporting.round_of(failed, [batch(1), batch(2)]) == 1


def test_a_failed_operation_s_money_is_counted():
    found = reporting.cost(
        operations=[operation(1, hours=1.5, result=None)],
        batches=[batch(1)],
        dollars={"op_1": 0.125},
        task=TASK,
    )
    assert found["rounds"][0]["dollars"] == 0.125


# --- lost labels ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (variation(), (0, 0)),
        (variation(screens=agreement(passed=True)), (1, 0)),
        (variation(screens=agreement(passed=False)), (1, 1)),
        (variation(state="dropped", screens=agreement(passed=False)), (0, 0)),
        (variation(state="accepted", reviewer="key", screens=agreement(passed=False)), (1, 0)),
        (variation(state="edited", reviewer="key", original_labels=("common",)), (1, 1)),
        (variation(state="edited", reviewer="key", original_text="other"), (1, 0)),
        (variation(state="rejected", reviewer="key"), (1, 0)),
        (variation(state="rejected", reviewer="key", screens=agreement(passed=False)), (1, 1)),
        (variation(state="accepted", reviewer="screens"), (0, 0)),
    ],
    ids=[
        "nobody looked",
        "the learner agrees",
        "the learner reads another class",
        "dropped rows are not judged",
        "a reviewer overrules the learner",
        "a reviewer relabelled",
        "a reviewer mended the text only",
        "a reviewer rejected",
        "a reviewer rejected what the learner doubts",
        "the screens alone accepted",
    ],
)
def test_a_label_is_lost_where_a_reviewer_or_the_learner_says_so(row, expected):
    assert reporting.lost_label_counts([row]) == expected


def test_an_unknown_plot_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput) as refused:
        reporting.check_plot("pie")
    assert refused.value.code == "unknown-plot"
    assert refused.value.extras["allowed"] == list(reporting.PLOTS)
