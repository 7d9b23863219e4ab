"""The whole round in one process, on real storage and real components."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from core.errors import Conflict, InvalidInput, NotFound
from core.records import Choice, Page, Session
from core.requests import (
    GenerateRequest,
    NewLabel,
    RetrainRequest,
    ReviewDecision,
    SelectRequest,
)
from runtime.tailwise import Tailwise
from tests.corpus import items, new_session


def opened(tailwise: Tailwise, **settings: object) -> Session:
    session = tailwise.create_session("ten_a", new_session(**settings))
    tailwise.add_items(session, items(), on_conflict="error", mode="atomic")
    return tailwise.session("ten_a", session.id)


def one_round(tailwise: Tailwise, session: Session) -> dict[str, object]:
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    written = tailwise.start_generate(session, GenerateRequest(), request_key=None)
    written = tailwise.wait("ten_a", written.id, seconds=0)
    with tailwise.store.read() as tx:
        proposed = tx.generations.list(session.id, Page(limit=500), state="proposed")
    tailwise.review(
        session,
        [
            ReviewDecision(
                generation_id=row.id, decision="reject" if row.needs_review else "accept"
            )
            for row in proposed
        ],
        reviewer="test",
        mode="atomic",
    )
    trained = tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    trained = tailwise.wait("ten_a", trained.id, seconds=0)
    return {"batch": batch, "generate": written, "retrain": trained}


def test_a_session_opens_and_is_indexed_when_its_first_items_arrive(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    overview = tailwise.overview(session)
    assert session.state == "open"
    assert overview.phase == "ready_to_select"
    assert overview.counts["pool"] == 88
    assert overview.counts["test"] == 18
    assert overview.counts["unindexed"] == 0


def test_three_rounds_buy_labels_write_variations_and_train_better_models(
    tailwise: Tailwise,
) -> None:
    session = opened(tailwise)
    rounds = [one_round(tailwise, session) for _ in range(3)]
    for number, parts in enumerate(rounds, start=1):
        assert parts["batch"].round == number
        assert len(parts["batch"].items) == 12
        assert parts["generate"].state == "succeeded", parts["generate"].error
        assert parts["retrain"].state == "succeeded", parts["retrain"].error
    result = rounds[-1]["retrain"].result
    assert result["evaluated_on"] == "test"
    assert result["metrics"]["macro_f1"] > 0.8
    assert result["parity"] <= 1e-5
    assert tailwise.overview(session).active_model_id == result["model_id"]


def test_the_first_batch_is_typical_and_later_ones_follow_the_strategy(
    tailwise: Tailwise,
) -> None:
    session = opened(tailwise)
    first = one_round(tailwise, session)["batch"]
    second = tailwise.select(session, SelectRequest(), request_key=None).batch
    assert first.strategy_used == "typical"
    assert first.items[0].pick.entropy is None
    assert second.strategy_used == session.settings.strategy.name
    assert all(item.pick.entropy is not None for item in second.items)
    assert not {i.item_id for i in first.items} & {i.item_id for i in second.items}


def test_only_pool_rows_are_ever_selected(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    batch = tailwise.select(session, SelectRequest(size=500), request_key=None).batch
    assert batch.requested == 500
    assert len(batch.items) + batch.shortfall == 500
    with tailwise.store.read() as tx:
        rows = tx.items.by_ids(session.id, [item.item_id for item in batch.items])
    assert {row.split for row in rows.values()} == {"pool"}


def test_the_same_seed_gives_the_same_rounds_byte_for_byte(tailwise: Tailwise) -> None:
    def story() -> str:
        session = opened(tailwise, generator=Choice(name="simulated", options={"noise": 0.1}))
        parts = [one_round(tailwise, session) for _ in range(2)]
        with tailwise.store.read() as tx:
            written = tx.generations.list(session.id, Page(limit=500))
            models = tx.models.all(session.id)
        return json.dumps(
            [
                [[dataclasses.asdict(i.pick) for i in part["batch"].items] for part in parts],
                [[row.text, row.labels, row.state] for row in written],
                [model.onnx for model in models],
            ]
        )

    assert story() == story()


def test_gold_never_leaves_through_picks_predictions_items_or_metrics(
    tailwise: Tailwise,
) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    with tailwise.store.read() as tx:
        rows = tx.items.list(session.id, Page(limit=500))
    assert not any("gold" in field.name for field in dataclasses.fields(rows[0]))
    unlabelled = {item.item_id for item in batch.items}
    assert all(row.labels is None for row in rows if row.id in unlabelled)
    assert "gold" not in json.dumps(tailwise.metrics(session))


def test_selecting_while_a_batch_is_open_is_refused_with_its_id(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    with pytest.raises(Conflict) as refused:
        tailwise.select(session, SelectRequest(), request_key=None)
    assert refused.value.code == "batch-open"
    assert refused.value.extras["batch_id"] == batch.id


def test_a_repeated_request_key_returns_the_same_batch(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    first = tailwise.select(session, SelectRequest(), request_key="k")
    again = tailwise.select(session, SelectRequest(), request_key="k")
    assert again.batch == first.batch


def test_a_cancelled_batch_returns_its_items_to_the_pool(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    tailwise.cancel_batch(session, batch.id)
    again = tailwise.select(session, SelectRequest(), request_key=None).batch
    assert tailwise.overview(session).counts["selected"] == len(again.items)
    with pytest.raises(Conflict, match="cancelled"):
        tailwise.cancel_batch(session, batch.id)


def test_selecting_from_an_empty_pool_says_how_many_are_resolved(tailwise: Tailwise) -> None:
    session = tailwise.create_session("ten_a", new_session(min_distance=0.0))
    tailwise.add_items(session, items()[:20], on_conflict="error", mode="atomic")
    session = tailwise.session("ten_a", session.id)
    batch = tailwise.select(session, SelectRequest(size=100), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    with pytest.raises(Conflict) as refused:
        tailwise.select(session, SelectRequest(), request_key=None)
    assert refused.value.code == "pool-empty"
    assert refused.value.extras == {"pooled": 0, "resolved": len(batch.items)}


def test_a_draft_session_refuses_to_select(tailwise: Tailwise) -> None:
    session = tailwise.create_session("ten_a", new_session())
    with pytest.raises(Conflict) as refused:
        tailwise.select(session, SelectRequest(), request_key=None)
    assert refused.value.code == "session-not-open"


def test_an_unknown_strategy_is_refused_with_the_known_ones(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    request = SelectRequest(strategy=Choice(name="astrology"))
    with pytest.raises(InvalidInput) as refused:
        tailwise.select(session, request, request_key=None)
    assert "cluster_entropy" in refused.value.extras["allowed"]


def test_retraining_with_one_class_names_what_is_there(tailwise: Tailwise) -> None:
    session = opened(tailwise, oracle=Choice(name="human"))
    batch = tailwise.select(session, SelectRequest(size=3), request_key=None).batch
    answers = [NewLabel(item_id=i.item_id, labels=("garden",)) for i in batch.items]
    tailwise.label(session, answers, annotator_id="ann", mode="atomic", allow_unsolicited=False)
    with pytest.raises(Conflict) as refused:
        tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    assert refused.value.code == "insufficient-classes"
    assert refused.value.extras["present"] == {"garden": 3}


def test_retraining_with_nothing_new_is_refused_unless_forced(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    with pytest.raises(Conflict) as refused:
        tailwise.start_retrain(session, RetrainRequest(), request_key=None)
    assert refused.value.code == "nothing-new"
    forced = tailwise.start_retrain(session, RetrainRequest(force=True), request_key=None)
    assert tailwise.wait("ten_a", forced.id, seconds=0).state == "succeeded"


def test_rolling_back_makes_the_earlier_model_score_the_pool(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    first = one_round(tailwise, session)["retrain"].result["model_id"]
    one_round(tailwise, session)
    with tailwise.store.read() as tx:
        revision = tx.models.get(session.id, first).revision
    operation = tailwise.start_activate(
        session, first, expected_revision=revision, request_key=None
    )
    assert tailwise.wait("ten_a", operation.id, seconds=0).state == "succeeded"
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    assert batch.model_id == first


def test_a_model_whose_file_is_damaged_is_not_activated_and_the_active_one_stays(
    tailwise: Tailwise, tmp_path: Path
) -> None:
    session = opened(tailwise)
    first = one_round(tailwise, session)["retrain"].result["model_id"]
    second = one_round(tailwise, session)["retrain"].result["model_id"]
    with tailwise.store.read() as tx:
        damaged = tx.models.get(session.id, first)
    [file] = (tmp_path / "data").rglob(damaged.onnx)
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    operation = tailwise.start_activate(
        session, first, expected_revision=damaged.revision, request_key=None
    )
    ended = tailwise.wait("ten_a", operation.id, seconds=0)
    assert (ended.state, ended.error["code"]) == ("failed", "blob-corrupt")
    assert tailwise.predict(session, ["bread and flour"], model_id=None).model_id == second


def test_predictions_cover_the_schema_and_name_unseen_classes(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    with pytest.raises(Conflict) as refused:
        tailwise.predict(session, ["bread and flour"], model_id=None)
    assert refused.value.code == "no-model"
    one_round(tailwise, session)
    answer = tailwise.predict(session, ["bread, oven, flour and dough"], model_id=None)
    scores = answer.results[0].scores
    assert set(scores) == {"garden", "kitchen", "harbour"}
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
    assert all(scores[name] == 0 for name in answer.unseen_classes)


def test_the_label_budget_bounds_batches_and_then_ends_them(tailwise: Tailwise) -> None:
    from core.records import Budget

    session = opened(tailwise, budget=Budget(labels=15))
    one_round(tailwise, session)
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    assert (len(batch.items), batch.shortfall_reason) == (3, "budget")
    tailwise.label_by_oracle(session, batch.id, noise=None)
    with pytest.raises(Conflict) as refused:
        tailwise.select(session, SelectRequest(), request_key=None)
    assert refused.value.code == "budget-exceeded"


def test_asking_the_oracle_in_a_human_session_is_a_mismatch(tailwise: Tailwise) -> None:
    session = opened(tailwise, oracle=Choice(name="human"))
    batch = tailwise.select(session, SelectRequest(), request_key=None).batch
    with pytest.raises(Conflict) as refused:
        tailwise.label_by_oracle(session, batch.id, noise=None)
    assert refused.value.code == "oracle-mismatch"


def test_items_without_gold_are_listed_when_the_oracle_is_asked(tailwise: Tailwise) -> None:
    session = tailwise.create_session("ten_a", new_session())
    rows = [dataclasses.replace(row, gold=None) for row in items()]
    tailwise.add_items(session, rows, on_conflict="error", mode="atomic")
    session = tailwise.session("ten_a", session.id)
    batch = tailwise.select(session, SelectRequest(size=4), request_key=None).batch
    with pytest.raises(Conflict) as refused:
        tailwise.label_by_oracle(session, batch.id, noise=None)
    assert refused.value.code == "gold-missing"
    assert set(refused.value.extras["items"]) == {i.item_id for i in batch.items}


def test_another_tenants_session_does_not_exist(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    with pytest.raises(NotFound):
        tailwise.session("ten_b", session.id)


def test_generating_before_any_label_is_refused(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    with pytest.raises(InvalidInput) as refused:
        tailwise.start_generate(session, GenerateRequest(), request_key=None)
    assert refused.value.code == "source-unlabelled"


def test_variations_go_to_classes_below_their_share_only(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    batch = tailwise.select(session, SelectRequest(size=30), request_key=None).batch
    tailwise.label_by_oracle(session, batch.id, noise=None)
    plan = tailwise.plan_generation(session, GenerateRequest())
    with tailwise.store.read() as tx:
        labelled = tx.labels.labelled(session.id)
    counts = {
        c: sum(row.labels == (c,) for row in labelled) for c in ("garden", "kitchen", "harbour")
    }
    over = {c for c, n in counts.items() if n > 10}
    assert plan.variations == sum(plan.by_class.values()) > 0
    assert not over & set(plan.by_class)
    assert plan.generator == "perturb"
    assert "no API key" in (plan.note or "")


def test_a_deleted_session_is_gone_and_leaves_no_text(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    one_round(tailwise, session)
    session = tailwise.session("ten_a", session.id)
    operation = tailwise.delete_session(
        session, expected_revision=session.revision, request_key=None
    )
    assert tailwise.wait("ten_a", operation.id, seconds=0).state == "succeeded"
    with pytest.raises(Exception) as gone:
        tailwise.session("ten_a", session.id)
    assert getattr(gone.value, "code", None) == "session-deleted"


def test_readiness_goes_red_when_an_active_models_file_is_lost(tailwise: Tailwise) -> None:
    session = opened(tailwise)
    model_id = one_round(tailwise, session)["retrain"].result["model_id"]
    assert tailwise.ready()["models"]
    with tailwise.store.read() as tx:
        tailwise.blobs.delete(tx.models.get(session.id, model_id).onnx)
    assert not tailwise.ready()["models"]


def test_a_repeated_request_key_returns_the_operation_although_the_state_moved_on(
    tailwise: Tailwise,
) -> None:
    session = opened(tailwise)
    first = one_round(tailwise, session)["retrain"].result["model_id"]
    one_round(tailwise, session)
    with tailwise.store.read() as tx:
        revision = tx.models.get(session.id, first).revision

    def activate() -> str:
        return tailwise.start_activate(
            session, first, expected_revision=revision, request_key="activate"
        ).id

    def generate() -> str:
        return tailwise.start_generate(session, GenerateRequest(), request_key="generate").id

    made = (activate(), generate())
    tailwise.transition(session, "pause")
    assert (activate(), generate()) == made
