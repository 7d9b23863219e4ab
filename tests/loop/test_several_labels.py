"""The whole round of a multi-label session, on real storage and real components."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.errors import Conflict, InvalidInput
from core.records import Choice, LabelClass, Page, Session
from core.requests import (
    ExportRequest,
    GenerateRequest,
    NewLabel,
    RetrainRequest,
    ReviewDecision,
    SelectRequest,
)
from runtime.tailwise import Tailwise
from tests.multi_corpus import items, new_session, texts_on

CLASSES = ("garden", "kitchen", "harbour")


def opened(tailwise: Tailwise, **settings: object) -> Session:
    session = tailwise.create_session("ten_a", new_session(**settings))
    tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    return tailwise.session("ten_a", session.id)


def one_round(tailwise: Tailwise, session: Session, **training: object) -> dict[str, object]:
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    written = tailwise.start_generate(session, GenerateRequest(), request_key=None)
    written = tailwise.wait("ten_a", written.id, seconds=0)
    with tailwise.store.read() as tx:
        proposed = tx.generations.list(session.id, Page(limit=500), state="proposed")
    decisions = [ReviewDecision(generation_id=row.id, decision="accept") for row in proposed]
    tailwise.review(session, decisions, reviewer="test", mode="atomic")
    trained = tailwise.start_retrain(session, RetrainRequest(**training), request_key=None)
    trained = tailwise.wait("ten_a", trained.id, seconds=0)
    assert trained.state == "succeeded", trained.error
    return {"batch": batch, "generate": written, "result": trained.result}


@pytest.fixture
def session(tailwise: Tailwise) -> Session:
    """A session with a pool whose labels people give."""
    return opened(tailwise, oracle=Choice(name="human"))


def answer(tailwise: Tailwise, session: Session, *answers: NewLabel) -> None:
    tailwise.label(session, answers, annotator_id="ann", mode="atomic", allow_unsolicited=False)


def picked(tailwise: Tailwise, session: Session) -> list[str]:
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    return [item.item_id for item in batch.items]


def test_three_rounds_find_the_topics_of_texts_with_two_of_them(tailwise: Tailwise) -> None:
    session = opened(tailwise, batch_size=32)
    rounds = [one_round(tailwise, session) for _ in range(3)]
    result = rounds[-1]["result"]
    assert result["evaluated_on"] == "test"
    assert result["metrics"]["macro_f1"] > 0.6
    assert set(result["thresholds"]) == set(CLASSES)
    assert result["parity"] <= 1e-5
    texts = [*texts_on(("garden", "kitchen"), 40)[20:30], *texts_on((), 30)[20:]]
    answers = tailwise.predict(session, texts, model_id=None)
    both = sum(row.labels == ("garden", "kitchen") for row in answers.results[:10])
    none = sum(row.labels == () for row in answers.results[10:])
    assert min(both, none) >= 3, (both, none)
    assert both + none > 10, (both, none)


def test_predictions_are_independent_and_follow_the_thresholds(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    answers = tailwise.predict(session, texts_on(("garden",), 5), model_id=None)
    for row in answers.results:
        assert row.label is None
        assert 0 <= row.entropy <= 0.6932
        reached = [c for c in answers.thresholds if row.scores[c] >= answers.thresholds[c]]
        assert set(row.labels) == set(reached)


def test_later_batches_follow_the_strategy_on_independent_probabilities(
    tailwise: Tailwise,
) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    assert batch.strategy_used == session.settings.strategy.name
    assert all(0 <= item.pick.entropy <= 0.6932 for item in batch.items)


def test_variations_keep_every_class_of_their_seed(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    with tailwise.store.read() as tx:
        written = tx.generations.list(session.id, Page(limit=500))
        seeds = tx.labels.current(session.id, [row.seed_item_id for row in written])
    gold = {row.text: row.gold for row in items()}
    assert any(len(row.labels) == 2 for row in written)
    assert all(row.labels == seeds[row.seed_item_id].labels == gold[row.text] for row in written)


def test_the_same_seed_gives_the_same_models(tailwise: Tailwise) -> None:
    def story() -> list[object]:
        session = opened(tailwise)
        for _ in range(2):
            one_round(tailwise, session)
        with tailwise.store.read() as tx:
            return [(model.onnx, model.thresholds) for model in tx.models.all(session.id)]

    assert story() == story()


def test_rows_count_once_and_classes_as_often_as_they_are_named(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    with tailwise.store.read() as tx:
        labelled = tx.labels.labelled(session.id)
        written = len(tx.generations.list(session.id, Page(limit=500)))
    report = tailwise.metrics(session)
    named = sum(row["human"] for row in report["balance"]["classes"])
    assert report["balance"]["labelled"] == len(labelled) == 16
    assert named == sum(len(row.labels) for row in labelled)
    states = ("proposed", "usable", "rejected", "dropped")
    counts = report["counts"]
    assert sum(counts[f"generations_{state}"] for state in states) == written
    assert report["learning_curve"]["models"][0]["labels"] == 16
    assert report["entropy"]["maximum"] == pytest.approx(0.6931, abs=1e-3)
    json.dumps([report, tailwise.clusters(session)])


@pytest.mark.parametrize("name", ["balance", "curve", "clusters", "entropy", "funnel"])
def test_every_picture_can_be_drawn(tailwise: Tailwise, name: str) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    assert tailwise.plot(session, name, format="svg").startswith(b"<?xml")


def test_without_test_rows_the_estimate_is_on_held_out_answers(tailwise: Tailwise) -> None:
    session = tailwise.create_session("ten_a", new_session(batch_size=60))
    rows = [row for row in items() if row.split != "test"]
    tailwise.add_items(session, rows, on_conflict="error", mode="atomic")
    result = one_round(tailwise, tailwise.session("ten_a", session.id))["result"]
    assert result["evaluated_on"] == "holdout"
    assert 0 < result["metrics"]["rows"] < 20


def test_training_rows_are_exported_with_their_sets_and_weights(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    request = ExportRequest(what="training", format="jsonl")
    operation = tailwise.start_export(session, request, request_key=None)
    lines = b"".join(tailwise.export_content(session, operation.id)).splitlines()
    rows = [json.loads(line) for line in lines]
    gold = {row.text: list(row.gold or ()) for row in items()}
    assert all(row["labels"] == gold[row["text"]] for row in rows)
    assert {row["weight"] for row in rows if not row["synthetic"]} == {1.0}
    assert all(0 < row["weight"] <= 0.3 for row in rows if row["synthetic"])


def test_none_of_the_classes_is_an_answer_and_not_a_skip(
    tailwise: Tailwise, session: Session
) -> None:
    first, second, *_ = picked(tailwise, session)
    answer(tailwise, session, NewLabel(item_id=first, labels=()))
    answer(tailwise, session, NewLabel(item_id=second, skip=True))
    with tailwise.store.read() as tx:
        rows = tx.items.by_ids(session.id, [first, second])
    assert (rows[first].labels, rows[first].state) == ((), "resolved")
    assert (rows[second].labels, rows[second].state) == (None, "excluded")
    with pytest.raises(Conflict) as refused:
        answer(tailwise, session, NewLabel(item_id=first, skip=True))
    assert refused.value.code == "already-labelled"


def test_an_answer_is_kept_as_a_set(tailwise: Tailwise, session: Session) -> None:
    first, *_ = picked(tailwise, session)
    answer(tailwise, session, NewLabel(item_id=first, labels=("kitchen", "garden")))
    again = NewLabel(item_id=first, labels=("garden", "kitchen"))
    done = tailwise.label(
        session, [again], annotator_id="ann", mode="atomic", allow_unsolicited=False
    )
    with tailwise.store.read() as tx:
        kept = tx.labels.current(session.id, [first])[first].labels
    assert (done.replayed, kept) == (1, ("garden", "kitchen"))


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        (None, "missing-label"),
        (("garden", "sky"), "label-not-in-schema"),
        (("garden", "garden"), "duplicate-label"),
    ],
)
def test_an_answer_that_breaks_a_rule_is_refused(
    tailwise: Tailwise, session: Session, labels: tuple[str, ...] | None, code: str
) -> None:
    first, *_ = picked(tailwise, session)
    with pytest.raises(InvalidInput) as refused:
        answer(tailwise, session, NewLabel(item_id=first, labels=labels))
    assert refused.value.code == code


def test_a_class_that_every_answer_names_cannot_be_trained(
    tailwise: Tailwise, session: Session
) -> None:
    answers = [NewLabel(item_id=i, labels=("garden",)) for i in picked(tailwise, session)]
    answer(tailwise, session, *answers)
    with pytest.raises(Conflict) as refused:
        tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    assert refused.value.code == "insufficient-classes"
    assert refused.value.extras["required"] == 1


def test_one_class_with_and_without_answers_is_a_detector(
    tailwise: Tailwise, session: Session
) -> None:
    chosen = picked(tailwise, session)
    answers = [
        NewLabel(item_id=i, labels=("garden",) if n % 2 else ()) for n, i in enumerate(chosen)
    ]
    answer(tailwise, session, *answers)
    operation = tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    operation = tailwise.wait("ten_a", operation.id, seconds=0)
    assert operation.state == "succeeded", operation.error
    found = tailwise.predict(session, ["roses and soil"], model_id=None)
    assert found.unseen_classes == ("kitchen", "harbour")
    assert len(picked(tailwise, session)) == 16


def test_the_kind_of_task_is_fixed_once_the_pool_has_items(
    tailwise: Tailwise, session: Session
) -> None:
    wished = new_session(oracle=Choice(name="human"))
    single = replace(wished, task=replace(wished.task, kind="single"))
    with pytest.raises(Conflict) as refused:
        tailwise.update_session(session, single, expected_revision=session.revision)
    assert (refused.value.code, refused.value.extras["field"]) == ("schema-locked", "/task/type")


def test_a_draft_session_may_still_change_its_kind(tailwise: Tailwise) -> None:
    session = tailwise.create_session("ten_a", new_session())
    wished = new_session()
    single = replace(wished, task=replace(wished.task, kind="single"))
    changed = tailwise.update_session(session, single, expected_revision=session.revision)
    assert changed.task.kind == "single"


def test_a_class_id_with_the_separator_of_files_is_refused(tailwise: Tailwise) -> None:
    wished = new_session()
    classes = (*wished.task.classes, LabelClass(id="a|b", name="both"))
    with pytest.raises(InvalidInput) as refused:
        tailwise.create_session(
            "ten_a", replace(wished, task=replace(wished.task, classes=classes))
        )
    assert refused.value.code == "separator-in-label"
