"""Rows of one request meet the pool."""

from __future__ import annotations

from typing import Any

import pytest
from pool_world import World, close_session, make_world, row

from core.errors import Conflict, InvalidInput, PreconditionFailed
from core.ingest_rules import check_row
from core.rounds.ingest import add_items
from core.rounds.items import delete_item, update_item

CLASSES = ("spam", "ham")


@pytest.fixture
def world(tmp_path: Any) -> Any:
    made = make_world(tmp_path)
    yield made
    made.store.close()


def add(world: World, *rows: Any, on_conflict: str = "error", mode: str = "partial") -> Any:
    return add_items(world.session, rows, on_conflict=on_conflict, mode=mode, **world.tools)


# --- one row ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        ({}, "missing-field", "/text"),
        ({"text": None}, "missing-field", "/text"),
        ({"text": ""}, "empty-text", "/text"),
        ({"text": " \t\u3000\n"}, "empty-text", "/text"),
        ({"text": 5}, "invalid-type", "/text"),
        ({"text": "a\0b"}, "invalid-text", "/text"),
        ({"text": "a\ud800b"}, "invalid-text", "/text"),
        ({"text": "x" * 20_001}, "too-long", "/text"),
        ({"text": "a", "gold": "eggs"}, "label-not-in-schema", "/gold"),
        ({"text": "a", "gold": ["spam", "ham"]}, "too-many-labels", "/gold"),
        ({"text": "a", "gold": 1}, "invalid-type", "/gold"),
        ({"text": "a", "split": "train"}, "unknown-split", "/split"),
        ({"text": "a", "split": ["test"]}, "unknown-split", "/split"),
        ({"text": "a", "external_id": "x" * 201}, "invalid-external-id", "/external_id"),
        ({"text": "a", "external_id": "a\nb"}, "invalid-external-id", "/external_id"),
        ({"text": "a", "external_id": " a"}, "invalid-external-id", "/external_id"),
        ({"text": "a", "external_id": "a\ud800"}, "invalid-external-id", "/external_id"),
        ({"text": "a", "lang": "\0"}, "invalid-language", "/lang"),
        ({"text": "a", "metadata": []}, "invalid-type", "/metadata"),
        ({"text": "a", "metadata": {"k": float("nan")}}, "invalid-metadata", "/metadata"),
        ({"text": "a", "metadata": {"k": "\0"}}, "invalid-metadata", "/metadata"),
        ({"text": "a", "metadata": {"k": "\udfff"}}, "invalid-metadata", "/metadata"),
        ({"text": "a", "metadata": {"k": "v" * 10_001}}, "invalid-metadata", "/metadata"),
    ],
)
def test_a_bad_row_is_refused_with_its_code_and_pointer(raw: Any, code: str, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_row(raw, class_ids=CLASSES)
    assert refusal.value.code == code
    assert [error.pointer for error in refusal.value.errors] == [pointer]


def test_a_refusal_never_quotes_the_text() -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_row({"text": "canary\0", "gold": "canary"}, class_ids=CLASSES)
    assert "canary" not in repr((refusal.value.detail, refusal.value.extras, refusal.value.errors))


def test_a_row_without_an_id_gets_the_same_one_wherever_its_text_appears() -> None:
    first = check_row({"text": "Hello  World"}, class_ids=CLASSES)
    again = check_row({"text": "hello world "}, class_ids=CLASSES)
    other = check_row({"text": "hello words"}, class_ids=CLASSES)
    assert first.external_id == again.external_id != other.external_id


def test_empty_optional_fields_mean_not_given() -> None:
    raw = {"text": "a", "external_id": "", "gold": "", "split": "", "lang": ""}
    item = check_row(raw, class_ids=CLASSES)
    assert (item.gold, item.split, item.lang) == (None, "pool", None)


def test_gold_may_come_as_a_list_of_one() -> None:
    assert check_row({"text": "a", "gold": ["ham"]}, class_ids=CLASSES).gold == ("ham",)


# --- what happens in the pool ----------------------------------------------------


def test_the_first_rows_open_a_draft_session_and_queue_one_index_operation(world: World) -> None:
    result = add(world, row("a", gold=("spam",)), row("b", split="test"))
    assert (result.created, result.rejected) == (2, 0)
    assert world.now().state == "open"
    assert [o.id for o in world.jobs.enqueued] == [result.operation.id]
    assert world.operations("index") == [result.operation]
    assert world.gold() == {"a": ("spam",), "b": None}


def test_the_event_holds_counts_only(world: World) -> None:
    add(world, row("a"), row("b"))
    (event,) = world.events("items.added")
    assert event.data == {"created": 2, "updated": 0}


def test_a_queued_index_operation_is_used_again_but_a_running_one_is_not(world: World) -> None:
    first = add(world, row("a")).operation
    assert add(world, row("b")).operation.id == first.id
    with world.store.write() as tx:
        tx.operations.start(first.id, now=world.clock.now())
    later = add(world, row("c")).operation
    assert later.id != first.id
    assert len(world.operations("index")) == 2


def test_results_come_in_the_order_of_the_request(world: World) -> None:
    bad = InvalidInput.at("/text", "the text is empty", code="empty-text")
    result = add(world, row("a"), bad, row("b"))
    assert [(r.index, r.status) for r in result.results] == [
        (0, "created"),
        (1, "rejected"),
        (2, "created"),
    ]
    assert result.results[1].error.pointer == "/items/1/text"
    assert [item.external_id for item in world.items()] == ["a", "b"]


def test_more_than_500_rows_are_stored_in_several_transactions(world: World) -> None:
    result = add(world, *(row(f"r{n}") for n in range(1000)))
    assert result.created == 1000
    assert [e.data["created"] for e in world.events("items.added")] == [500, 500]
    assert [i.position for i in world.items()] == list(range(1000))


def test_more_than_1000_rows_are_refused(world: World) -> None:
    with pytest.raises(InvalidInput) as refusal:
        add(world, *(row(f"r{n}") for n in range(1001)))
    assert refusal.value.code == "too-many-items"


def test_atomic_stores_everything_in_one_transaction(world: World) -> None:
    result = add(world, *(row(f"r{n}") for n in range(1000)), mode="atomic")
    assert result.created == 1000
    assert [e.data["created"] for e in world.events("items.added")] == [1000]


def test_atomic_lists_every_bad_row_and_stores_nothing(world: World) -> None:
    empty = InvalidInput.at("/text", "the text is empty", code="empty-text")
    stray = InvalidInput.at("/gold", "not in the schema", code="label-not-in-schema")
    with pytest.raises(InvalidInput) as refusal:
        add(world, row("a"), empty, stray, mode="atomic")
    assert [(e.pointer, e.code) for e in refusal.value.errors] == [
        ("/items/1/text", "empty-text"),
        ("/items/2/gold", "label-not-in-schema"),
    ]
    assert world.items() == []
    assert world.now().state == "draft"
    assert world.jobs.enqueued == []


def test_an_external_id_twice_in_one_request_names_both_rows(world: World) -> None:
    with pytest.raises(InvalidInput) as refusal:
        add(world, row("a"), row("b"), row("a", "another"), mode="atomic")
    assert refusal.value.code == "duplicate-external-id"
    assert refusal.value.extras == {"indexes": [[0, 2]]}


def test_partial_refuses_both_rows_of_a_repeated_external_id(world: World) -> None:
    result = add(world, row("a"), row("b"), row("a"))
    assert [r.status for r in result.results] == ["rejected", "created", "rejected"]
    assert result.results[2].error.code == "duplicate-external-id"
    assert "0, 2" in result.results[2].error.detail


def test_an_identical_row_is_unchanged_and_needs_no_index(world: World) -> None:
    given = row("a", gold=("spam",), lang="en", metadata={"source": {"page": [1, 2]}})
    add(world, given)
    again = add(world, given)
    assert (again.unchanged, again.created) == (1, 0)
    assert again.operation is None
    assert again.results[0].id == world.items()[0].id


def test_a_different_row_is_an_error_by_default(world: World) -> None:
    add(world, row("a"))
    result = add(world, row("a", "changed"), row("b"))
    assert [r.status for r in result.results] == ["rejected", "created"]
    assert result.results[0].error.code == "external-id-conflict"


def test_atomic_with_a_conflict_stores_nothing(world: World) -> None:
    add(world, row("a"))
    with pytest.raises(Conflict) as refusal:
        add(world, row("b"), row("a", "changed"), mode="atomic")
    assert refusal.value.code == "external-id-conflict"
    assert [e.pointer for e in refusal.value.errors] == ["/items/1/external_id"]
    assert [i.external_id for i in world.items()] == ["a"]


def test_skip_leaves_the_stored_row_alone(world: World) -> None:
    add(world, row("a", "first"))
    result = add(world, row("a", "second"), on_conflict="skip")
    assert (result.skipped, world.items()[0].text) == (1, "first")


def test_update_replaces_content_and_gold(world: World) -> None:
    add(world, row("a", "first", gold=("spam",)))
    result = add(world, row("a", "second", gold=("ham",)), on_conflict="update")
    (item,) = world.items()
    assert (result.updated, item.text, item.revision) == (1, "second", 2)
    assert world.gold() == {"a": ("ham",)}


@pytest.mark.parametrize("state", ["open", "cancelled"])
def test_the_text_of_an_item_that_was_ever_selected_stays(world: World, state: str) -> None:
    add(world, row("a"))
    world.select(world.items()[0].id, state=state)
    result = add(world, row("a", "changed"), on_conflict="update")
    assert result.results[0].error.code == "item-already-selected"


def test_the_text_of_a_labelled_item_stays(world: World) -> None:
    add(world, row("a"))
    world.label(world.items()[0].id, "spam", seq=1)
    with pytest.raises(Conflict) as refusal:
        add(world, row("a", "changed"), on_conflict="update", mode="atomic")
    assert refusal.value.code == "item-already-selected"


def test_gold_of_a_selected_item_may_still_be_corrected(world: World) -> None:
    add(world, row("a"))
    world.select(world.items()[0].id)
    assert add(world, row("a", gold=("ham",)), on_conflict="update").updated == 1


@pytest.mark.parametrize(("first", "second"), [("test", "pool"), ("pool", "test")])
def test_a_text_may_not_be_on_both_sides_of_the_test_split(
    world: World, first: str, second: str
) -> None:
    add(world, row("a", "Same  text", split=first))
    result = add(world, row("b", "same text", split=second))
    assert result.results[0].error.code == "test-leak"


def test_a_text_may_not_be_on_both_sides_within_one_request_either(world: World) -> None:
    result = add(world, row("a", "same", split="test"), row("b", "same", split="reserve"))
    assert [r.status for r in result.results] == ["created", "rejected"]


def test_a_text_may_be_in_the_pool_twice(world: World) -> None:
    assert add(world, row("a", "same"), row("b", "same")).created == 2


def test_an_item_may_move_to_the_test_split_with_its_own_text(world: World) -> None:
    add(world, row("a"))
    assert add(world, row("a", split="test"), on_conflict="update").updated == 1


def test_a_closed_session_takes_no_rows(world: World) -> None:
    add(world, row("a"))
    close_session(world)
    with pytest.raises(Conflict) as refusal:
        add(world, row("b"))
    assert refusal.value.code == "session-not-open"


def test_an_unexpected_error_in_place_of_a_row_is_not_swallowed(world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        add(world, ZeroDivisionError("a bug"))


# --- one item changes or leaves ------------------------------------------------------


def update(world: World, changes: Any, *, revision: int = 1) -> Any:
    item = world.items()[0]
    return update_item(world.session, item.id, changes, expected_revision=revision, **world.tools)


def test_an_update_keeps_what_it_does_not_name(world: World) -> None:
    add(world, row("a", "first", gold=("spam",), metadata={"k": 1}))
    changed = update(world, {"text": "second"})
    assert (changed.text, changed.metadata, changed.revision) == ("second", {"k": 1}, 2)
    assert world.gold() == {"a": ("spam",)}


def test_gold_can_be_taken_away(world: World) -> None:
    add(world, row("a", gold=("spam",)))
    update(world, {"gold": None})
    assert world.gold() == {"a": None}


def test_an_update_with_an_old_revision_is_refused(world: World) -> None:
    add(world, row("a"))
    update(world, {"lang": "en"})
    with pytest.raises(PreconditionFailed):
        update(world, {"lang": "de"}, revision=1)


def test_an_unknown_field_is_refused(world: World) -> None:
    add(world, row("a"))
    with pytest.raises(InvalidInput) as refusal:
        update(world, {"position": 3})
    assert refusal.value.code == "unknown-field"


def test_excluding_an_item_raises_its_revision(world: World) -> None:
    add(world, row("a"))
    changed = update(world, {"state": "excluded"})
    assert (changed.state, changed.revision) == ("excluded", 2)
    assert update(world, {"state": "pooled"}, revision=2).state == "pooled"


def test_a_selected_item_is_neither_excluded_nor_rewritten(world: World) -> None:
    add(world, row("a"))
    world.select(world.items()[0].id)
    for changes in ({"state": "excluded"}, {"text": "changed"}, {"split": "test"}):
        with pytest.raises(Conflict) as refusal:
            update(world, changes)
        assert refusal.value.code == "item-already-selected"


def test_a_state_that_follows_from_labels_cannot_be_set(world: World) -> None:
    add(world, row("a"))
    with pytest.raises(InvalidInput) as refusal:
        update(world, {"state": "resolved"})
    assert refusal.value.code == "invalid-state"


def test_a_changed_text_queues_indexing_again(world: World) -> None:
    first = add(world, row("a")).operation
    with world.store.write() as tx:
        tx.operations.finish(first.id, "succeeded", result={}, error=None, now=world.clock.now())
    update(world, {"text": "changed"})
    assert [o.state for o in world.operations("index")] == ["succeeded", "queued"]


def test_a_deleted_item_is_gone_and_its_external_id_is_free_again(world: World) -> None:
    add(world, row("a", "first"))
    item = world.items()[0]
    delete_item(world.session, item.id, expected_revision=1, **world.tools)
    assert world.items() == []
    assert add(world, row("a", "second")).created == 1
    assert world.items()[0].position == 1


def test_an_item_of_an_open_batch_is_not_deleted(world: World) -> None:
    add(world, row("a"))
    item = world.items()[0]
    world.select(item.id)
    with pytest.raises(Conflict) as refusal:
        delete_item(world.session, item.id, expected_revision=1, **world.tools)
    assert refusal.value.code == "item-selected"
