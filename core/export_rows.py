"""The rows of an export: label events, and training data with weights and lineage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.ports import Store
from core.records import Generation, Item, LabelEvent, Labelled, Operation, Page, Session
from core.training import row_weights

PAGE = 500
LABEL_COLUMNS = (
    "seq",
    "label_id",
    "item_id",
    "external_id",
    "kind",
    "labels",
    "oracle",
    "annotator_id",
    "target_id",
    "batch_id",
    "status",
    "guidelines_version",
    "duration_ms",
    "note",
    "created_at",
)
TRAINING_COLUMNS = (
    "id",
    "external_id",
    "labels",
    "weight",
    "synthetic",
    "oracle",
    "label_seq",
    "seed_item_id",
    "seed_label_id",
    "state",
    "generator",
    "model",
    "template_id",
    "template_version",
    "template_sha256",
    "prompt_sha256",
    "attributes",
    "reviewer",
    "created_at",
)

Row = Mapping[str, Any]


def label_rows(operation: Operation, session: Session, *, store: Store) -> Iterator[Row]:
    """A page per transaction, so that no transaction waits for the disk."""
    seq, last = 0, operation.input["label_watermark"]
    while seq < last:
        with store.read() as tx:
            events = tx.labels.list(session.id, Page(limit=PAGE, after=str(seq)))
            items = tx.items.by_ids(session.id, [event.item_id for event in events])
        for event in events:
            if event.seq <= last and event.item_id in items:
                yield _label_row(event, items[event.item_id])
        seq = events[-1].seq if events else last


def _label_row(event: LabelEvent, item: Item) -> Row:
    return {
        "seq": event.seq,
        "label_id": event.id,
        "item_id": item.id,
        "external_id": item.external_id,
        "kind": event.kind,
        "labels": list(event.labels),
        "oracle": event.oracle,
        "annotator_id": event.annotator_id,
        "target_id": event.target_id,
        "batch_id": event.batch_id,
        "status": event.status,
        "guidelines_version": event.guidelines_version,
        "duration_ms": event.duration_ms,
        "note": event.note,
        "created_at": event.created_at.isoformat(),
        "text": item.text,
    }


def training_rows(operation: Operation, session: Session, *, store: Store) -> Iterator[Row]:
    """Human answers by position, then variations by id."""
    with store.read() as tx:
        labelled = tx.labels.labelled(session.id, watermark=operation.input["label_watermark"])
    for start in range(0, len(labelled), PAGE):
        part = labelled[start : start + PAGE]
        with store.read() as tx:
            items = tx.items.by_ids(session.id, [row.item_id for row in part])
        yield from (_human_row(row, items[row.item_id]) for row in part if row.item_id in items)
    wanted = operation.input["generation_ids"]
    with store.read() as tx:
        found = tx.generations.by_ids(session.id, wanted)
    written = [found[id] for id in wanted if id in found]
    weights = row_weights(
        [row.labels for row in labelled],
        [row.labels for row in written],
        settings=session.settings,
    )
    for row, weight in zip(written, weights, strict=True):
        yield _written_row(row, weight=weight)


def _human_row(row: Labelled, item: Item) -> Row:
    lineage = dict.fromkeys(TRAINING_COLUMNS)
    return {
        **lineage,
        "id": item.id,
        "external_id": item.external_id,
        "labels": list(row.labels),
        "weight": 1.0,
        "synthetic": False,
        "oracle": row.oracle,
        "label_seq": row.seq,
        "created_at": item.created_at.isoformat(),
        "text": item.text,
    }


def _written_row(row: Generation, *, weight: float) -> Row:
    return {
        "id": row.id,
        "external_id": None,
        "labels": list(row.labels),
        "weight": weight,
        "synthetic": True,
        "oracle": None,
        "label_seq": None,
        "seed_item_id": row.seed_item_id,
        "seed_label_id": row.seed_label_id,
        "state": row.state,
        "generator": row.generator,
        "model": row.model,
        "template_id": row.template_id,
        "template_version": row.template_version,
        "template_sha256": row.template_sha256,
        "prompt_sha256": row.prompt_sha256,
        "attributes": list(row.attributes),
        "reviewer": row.reviewer,
        "created_at": row.created_at.isoformat(),
        "text": row.text,
    }
