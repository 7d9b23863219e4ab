"""A session by hand: filled, selected from, labelled, written for, trained, asked."""

from __future__ import annotations

import json

import pytest

from tailwise_client import (
    BatchOpen,
    Conflict,
    Decision,
    InvalidInput,
    NewLabel,
    NoModel,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
)
from tests.sdk.conftest import TOPICS, rows, topic_of


@pytest.fixture
def filled(session):
    session.upload([*rows(18), *rows(6, split="test")])
    return session


@pytest.fixture
def labelled(filled):
    batch = filled.select()
    items = {item.id: item for item in filled.items(batch_id=batch.id)}
    filled.label(NewLabel(item_id=pick.id, label=topic_of(items[pick.id])) for pick in batch.items)
    return filled


@pytest.fixture
def trained(labelled):
    labelled.wait(labelled.retrain())
    return labelled


def test_a_new_session_says_what_to_do_next(session):
    found = session.get()
    assert found.phase == "needs_items"
    assert [label.id for label in found.task.labels] == list(TOPICS)


def test_sessions_are_listed_over_pages(tailwise, session):
    listed = [found.id for found in tailwise.sessions(limit=1)]
    assert session.id in listed
    assert len(listed) == len(set(listed))


def test_a_batch_has_picks_and_cluster_shares(filled):
    batch = filled.select(size=4)
    assert [pick.rank for pick in batch.items] == sorted(pick.rank for pick in batch.items)
    assert len(batch.items) == batch.selected == 4
    assert sum(share.taken for share in batch.clusters) == 4
    assert filled.batch(batch.id).items == batch.items


def test_a_select_with_the_same_key_gives_the_same_batch(filled):
    assert filled.select(key="mine").id == filled.select(key="mine").id


def test_a_second_select_names_the_open_batch(filled):
    batch = filled.select()
    with pytest.raises(BatchOpen) as caught:
        filled.select()
    assert caught.value.extras["batch_id"] == batch.id
    assert filled.cancel_batch(batch.id).state == "cancelled"


def test_each_answer_has_its_result(filled):
    batch = filled.select(size=3)
    first, second, third = (pick.id for pick in batch.items)
    result = filled.label(
        [
            {"item_id": first, "label": "garden"},
            {"item_id": second, "label": "desert"},
            {"item_id": third, "skip": True},
        ]
    )
    assert [row.status for row in result.results] == ["created", "rejected", "skipped"]
    assert result.results[1].error.code == "label-not-in-schema"


def test_a_single_answer_that_is_refused_raises(filled):
    [pick] = filled.select(size=1).items
    with pytest.raises(InvalidInput) as caught:
        filled.label([{"item_id": pick.id, "label": "desert"}])
    assert caught.value.code == "label-not-in-schema"
    assert caught.value.extras["allowed"] == list(TOPICS)


def test_an_answer_can_be_undone_and_is_listed(filled):
    [pick] = filled.select(size=1).items
    result = filled.label([{"item_id": pick.id, "label": "garden"}])
    undone = filled.undo(result.results[0].label_id)
    kinds = [event.kind for event in filled.labels(item_id=pick.id, limit=1)]
    assert undone.target_id == result.results[0].label_id
    assert kinds == ["created", "undone"]


def test_an_item_is_changed_and_deleted_at_its_revision(filled):
    item = next(iter(filled.items(limit=5)))
    changed = filled.update_item(item.id, {"lang": "en"}, revision=item.revision)
    assert filled.item(item.id).lang == changed.lang == "en"
    with pytest.raises(PreconditionFailed):
        filled.delete_item(item.id, revision=item.revision)
    filled.delete_item(item.id)


def test_variations_are_planned_written_and_reviewed(labelled):
    plan = labelled.plan_generation(variations=2)
    done = labelled.wait(labelled.generate(variations=2))
    proposed = list(labelled.generations(operation_id=done.id, state="proposed"))
    decisions = [Decision(generation_id=row.id, decision="accept") for row in proposed]
    assert plan.generator == "perturb"
    assert len(labelled.review(decisions).results) == len(proposed)
    assert done.result["proposed"] == len(proposed)


def test_a_reviewed_variation_is_read_as_decided(labelled):
    done = labelled.wait(labelled.generate(variations=2))
    every = list(labelled.generations(operation_id=done.id))
    read = labelled.generation(every[0].id)
    assert read == every[0]
    assert read.template_id


def test_training_gives_a_model_that_predicts(trained):
    [model] = trained.models()
    found = trained.predict(["a harbour at night", {"id": "x", "text": "a garden"}])
    assert found.model_id == model.id == trained.model(model.id).id
    assert [prediction.id for prediction in found.results] == [None, "x"]
    assert all(set(p.scores) == set(TOPICS) for p in found.results)


def test_more_texts_than_a_request_may_have_go_in_several(trained, tailwise):
    most = tailwise.limits().max_predict
    found = trained.predict([f"text {n}" for n in range(most + 1)])
    assert len(found.results) == most + 1


def test_a_model_answers_in_the_shape_of_a_moderation_service(trained):
    [model] = trained.models()
    found = trained.moderate(["a harbour at night", "a garden"])
    assert found.model == model.id
    assert [set(verdict.categories) for verdict in found.results] == [set(TOPICS)] * 2
    assert found.results[0].categories["harbour"]
    assert found.results[0].flagged
    assert sum(found.results[0].category_scores.values()) == pytest.approx(1)


def test_many_texts_to_moderate_go_in_several_requests_to_one_model(trained, tailwise):
    most = tailwise.limits().max_predict
    found = trained.moderate(f"text {n}" for n in range(most + 1))
    assert len(found.results) == most + 1
    assert trained.moderate("a garden", model=found.model).model == found.model


def test_no_text_is_nothing_to_moderate(trained):
    with pytest.raises(ValueError, match="no text"):
        trained.moderate([])


def test_nothing_predicts_before_a_model(filled):
    with pytest.raises(NoModel):
        filled.predict(["a garden"])


def test_a_model_is_downloaded_whole(trained, tmp_path):
    [model] = trained.models()
    head = trained.download_onnx(model.id, to=tmp_path / "head.onnx")
    assert head.stat().st_size > 100
    assert [path.name for path in tmp_path.iterdir()] == ["head.onnx"]


def test_a_refused_download_leaves_no_file(trained, tmp_path):
    [model] = trained.models()
    with pytest.raises(Conflict) as caught:
        trained.download_model(model.id, to=tmp_path / "model.zip")
    assert caught.value.code == "encoder-not-portable"
    assert list(tmp_path.iterdir()) == []


def test_an_older_model_is_activated_again(trained):
    [first] = trained.models()
    trained.wait(trained.retrain(force=True))
    trained.wait(trained.activate_model(first.id))
    assert trained.get().active_model_id == first.id
    second = next(m for m in trained.models() if m.id != first.id)
    trained.delete_model(second.id)


def test_labels_are_exported_to_a_file(labelled, tmp_path):
    path = labelled.export("labels", to=tmp_path / "labels.jsonl")
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 6


def test_figures_and_pictures_are_read(trained, tmp_path):
    assert trained.metrics()["round"] == 1
    assert trained.learning_curve()["models"]
    assert trained.clusters()
    assert trained.plot("balance").startswith(b"<?xml")
    assert trained.plot("balance", format="png", to=tmp_path / "b.png").startswith(b"\x89PNG")
    assert (tmp_path / "b.png").stat().st_size > 100


def test_events_come_in_order_and_go_on_after_the_last(trained):
    events = list(trained.events(limit=2))
    assert [event.sequence for event in events] == sorted(event.sequence for event in events)
    assert "model.trained" in {event.type for event in events}
    assert list(trained.events(after=events[-1].sequence)) == []
    assert {e.type for e in trained.events(types=["labels.added"])} == {"labels.added"}


def test_a_session_is_paused_changed_closed_and_deleted(filled, tailwise):
    assert filled.pause().state == "paused"
    assert filled.resume().state == "open"
    assert filled.update({"name": "renamed"}).name == "renamed"
    assert filled.close().state == "closed"
    assert filled.reopen().state == "open"
    filled.wait(filled.delete())
    assert filled.id not in {found.id for found in tailwise.sessions()}


def test_operations_are_listed_by_kind(trained, tailwise):
    [mine] = trained.operations(kind="retrain")
    assert mine.state == "succeeded"
    assert tailwise.operation(mine.id) == mine


def test_keys_are_made_used_and_revoked(tailwise, connect, served):
    made = tailwise.create_key("reader", scopes=["content:read"])
    reader = connect(served.url, made.token)
    listed = list(tailwise.keys())
    assert made.id in {key.id for key in listed}
    assert {key.token for key in listed} == {None}
    with pytest.raises(NotAllowed):
        reader.create_session("mine", labels=TOPICS)
    tailwise.revoke_key(made.id)
    with pytest.raises(NotAuthenticated):
        list(reader.sessions())


def test_what_another_tenant_has_does_not_exist(session, connect, served):
    stranger = connect(served.url, served.key_with("admin", tenant="ten_stranger"))
    with pytest.raises(NotFound) as caught:
        stranger.session(session.id).get()
    assert caught.value.request_id


def test_templates_limits_components_and_version_are_read(tailwise):
    assert any(template.builtin for template in tailwise.templates())
    assert tailwise.limits().max_items == 1000
    assert tailwise.components()["strategies"]
    assert tailwise.version().api
