"""Answers meet items: stored, replayed, replaced, undone or refused."""

from __future__ import annotations

import pytest

from core.errors import Conflict, InvalidInput, NotFound, TailwiseError
from core.records import Batch, Choice, Session
from core.requests import LabelResult, NewLabel, SelectRequest
from runtime.tailwise import Tailwise
from tests.corpus import items, new_session


@pytest.fixture
def session(tailwise: Tailwise) -> Session:
    made = tailwise.create_session("ten_a", new_session(oracle=Choice(name="human"), batch_size=4))
    tailwise.add_items(made, items(), on_conflict="error", mode="atomic")
    return tailwise.session("ten_a", made.id)


@pytest.fixture
def batch(tailwise: Tailwise, session: Session) -> Batch:
    return tailwise.select(session, SelectRequest(), request_key=None).batch


def give(
    tailwise: Tailwise, session: Session, *answers: NewLabel, by: str = "ann", **options: object
) -> LabelResult:
    return tailwise.label(
        session,
        answers,
        annotator_id=by,
        mode=options.get("mode", "partial"),  # type: ignore[arg-type]
        allow_unsolicited=bool(options.get("allow_unsolicited")),
    )


def code_of(result: LabelResult, index: int = 0) -> str | None:
    error = result.results[index].error
    return error.code if error else None


def answer(batch: Batch, place: int = 0, label: str = "garden", **more: object) -> NewLabel:
    return NewLabel(item_id=batch.items[place].item_id, labels=(label,), **more)  # type: ignore[arg-type]


def test_an_answer_resolves_its_item_and_moves_the_watermark(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    result = give(tailwise, session, answer(batch))
    assert (result.accepted, result.label_watermark) == (1, 1)
    assert result.results[0].item_state == "resolved"


def test_the_last_answer_completes_the_batch(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    give(tailwise, session, *(answer(batch, place) for place in range(4)))
    with tailwise.store.read() as tx:
        assert tx.batches.get(session.id, batch.id).state == "completed"


def test_the_same_answer_again_is_replayed(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    first = give(tailwise, session, answer(batch, client_label_id="c1"))
    again = give(tailwise, session, answer(batch, client_label_id="c1"))
    without = give(tailwise, session, answer(batch))
    assert again.results[0].status == without.results[0].status == "replayed"
    assert again.results[0].label_id == first.results[0].label_id
    assert again.label_watermark == 1


def test_a_client_id_used_for_another_answer_is_refused(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    give(tailwise, session, answer(batch, client_label_id="c1"))
    result = give(tailwise, session, answer(batch, 1, client_label_id="c1"))
    assert code_of(result) == "client-label-id-reused"


def test_another_value_by_the_same_annotator_needs_supersedes(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    first = give(tailwise, session, answer(batch)).results[0].label_id
    refused = give(tailwise, session, answer(batch, label="kitchen"))
    revised = give(tailwise, session, answer(batch, label="kitchen", supersedes=first))
    assert code_of(refused) == "already-labelled"
    assert revised.results[0].status == "superseded"
    with tailwise.store.read() as tx:
        item = tx.items.get(session.id, batch.items[0].item_id)
    assert item.labels == ("kitchen",)


def test_a_second_annotator_finds_the_item_answered(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    give(tailwise, session, answer(batch))
    assert code_of(give(tailwise, session, answer(batch), by="bob")) == "overlap-reached"


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        (("weather",), "label-not-in-schema"),
        (("garden", "kitchen"), "too-many-labels"),
        ((), "missing-label"),
    ],
)
def test_labels_outside_the_schema_are_refused_by_name(
    tailwise: Tailwise, session: Session, batch: Batch, labels: tuple[str, ...], code: str
) -> None:
    wrong = NewLabel(item_id=batch.items[0].item_id, labels=labels)
    with pytest.raises(InvalidInput) as refused:
        give(tailwise, session, wrong, mode="atomic")
    assert refused.value.code == code


def test_an_unknown_item_is_not_found_alone_and_reported_in_bulk(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    stranger = NewLabel(item_id="itm_none", labels=("garden",))
    result = give(tailwise, session, answer(batch), stranger)
    assert (result.accepted, result.rejected, code_of(result, 1)) == (1, 1, "unknown-item")
    with pytest.raises(NotFound):
        give(tailwise, session, stranger, mode="atomic")


def test_an_item_in_no_batch_needs_allow_unsolicited(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    chosen = {item.external_id for item in batch.items}
    other = next(
        row.external_id for row in items() if row.split == "pool" and row.external_id not in chosen
    )
    unasked = NewLabel(external_id=other, labels=("garden",))
    assert code_of(give(tailwise, session, unasked)) == "item-not-selected"
    taken = give(tailwise, session, unasked, allow_unsolicited=True)
    assert taken.accepted == 1


def test_an_item_of_a_cancelled_batch_is_refused(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    tailwise.cancel_batch(session, batch.id)
    assert code_of(give(tailwise, session, answer(batch))) == "batch-closed"


def test_a_test_row_is_never_labelled(tailwise: Tailwise, session: Session) -> None:
    row = NewLabel(external_id="garden-0", labels=("garden",))
    result = give(tailwise, session, row, allow_unsolicited=True)
    assert code_of(result) == "item-not-in-pool"


def test_atomic_stores_nothing_when_one_answer_is_wrong(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    with pytest.raises(TailwiseError) as refused:
        give(tailwise, session, answer(batch), answer(batch, 1, label="weather"), mode="atomic")
    assert refused.value.errors[0].pointer.startswith("/labels/1")
    with tailwise.store.read() as tx:
        assert tx.labels.watermark(session.id) == 0
        assert tx.items.get(session.id, batch.items[0].item_id).state == "selected"


def test_a_skipped_item_leaves_the_pool_without_a_label(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    skip = NewLabel(item_id=batch.items[0].item_id, skip=True, note="not English")
    result = give(tailwise, session, skip)
    assert result.results[0].item_state == "excluded"
    assert tailwise.overview(session).counts["labelled"] == 0


def test_undoing_reopens_the_item_and_the_batch(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    given = give(tailwise, session, *(answer(batch, place) for place in range(4)))
    label_id = str(given.results[0].label_id)
    event = tailwise.undo_label(session, label_id, annotator_id="ann")
    assert (event.kind, event.seq) == ("undone", 5)
    with tailwise.store.read() as tx:
        assert tx.items.get(session.id, batch.items[0].item_id).state == "selected"
        assert tx.batches.get(session.id, batch.id).state == "open"
    with pytest.raises(Conflict) as refused:
        tailwise.undo_label(session, label_id, annotator_id="ann")
    assert refused.value.code == "label-not-current"


def test_undoing_a_revision_restores_the_earlier_answer(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    first = give(tailwise, session, answer(batch)).results[0].label_id
    second = give(tailwise, session, answer(batch, label="kitchen", supersedes=first))
    tailwise.undo_label(session, str(second.results[0].label_id), annotator_id="ann")
    with tailwise.store.read() as tx:
        assert tx.items.get(session.id, batch.items[0].item_id).labels == ("garden",)


def test_nobody_undoes_another_annotators_label(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    label_id = str(give(tailwise, session, answer(batch)).results[0].label_id)
    with pytest.raises(Conflict) as refused:
        tailwise.undo_label(session, label_id, annotator_id="bob")
    assert refused.value.code == "not-your-label"


def test_a_paused_session_still_takes_answers_and_a_closed_one_does_not(
    tailwise: Tailwise, session: Session, batch: Batch
) -> None:
    tailwise.transition(session, "pause")
    assert give(tailwise, session, answer(batch)).accepted == 1
    tailwise.transition(session, "close")
    with pytest.raises(Conflict) as refused:
        give(tailwise, session, answer(batch, 1))
    assert refused.value.code == "session-not-open"
