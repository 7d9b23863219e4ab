"""Export: labels or training data as a file to take away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from core.errors import Conflict, NotFound
from core.ports import Blobs, Clock, Ids, Job, Jobs, Store
from core.records import Generation, Item, LabelEvent, Labelled, Operation, Options, Page, Session
from core.requests import ExportRequest
from core.submission import submit
from core.training import row_weights

PAGE = 500
BLOCK = 64 * 1024
TYPES = {"jsonl": "application/jsonl", "csv": "text/csv"}
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


class RowWriter(Protocol):
    """Writes rows as bytes; the adapter knows the formats."""

    def write(
        self, rows: Iterable[Row], *, format: Literal["jsonl", "csv"], columns: Sequence[str]
    ) -> Iterator[bytes]: ...


def start_export(
    session: Session,
    request: ExportRequest,
    *,
    request_key: str | None,
    store: Store,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> Operation:
    """Fix what is exported (labels up to now, variations usable now) and queue the writing."""
    with store.write() as tx:
        watermark = tx.labels.watermark(session.id)
        training = request.what == "training"
        usable = tx.generations.usable(session.id) if training else ()
        operation, _ = submit(
            tx,
            session,
            kind="export",
            input={
                "what": request.what,
                "format": request.format,
                "include_text": request.include_text,
                "label_watermark": watermark,
                "generation_ids": [row.id for row in usable],
            },
            lane=None,
            request_key=request_key,
            ids=ids,
            clock=clock,
        )
    jobs.enqueue(operation)
    return operation


def run_export(
    operation: Operation,
    session: Session,
    *,
    job: Job,
    store: Store,
    blobs: Blobs,
    writer: RowWriter,
) -> Options:
    """Stream the rows into a blob; gold never is among them.

    ``labels``: every label event by seq, with its item's external id. ``training``: the
    answers that count and the variations that may train, each with the weight it trains
    with, ``synthetic`` and, for variations, their lineage. Result: ``{rows, blob, size,
    sha256, media_type, filename}``.
    """
    what, format = operation.input["what"], operation.input["format"]
    source = _label_rows if what == "labels" else _training_rows
    columns = LABEL_COLUMNS if what == "labels" else TRAINING_COLUMNS
    if operation.input["include_text"]:
        columns = (*columns, "text")
    counted = Counter[str]()

    def rows() -> Iterator[Row]:
        for row in source(operation, session, store=store):
            counted["rows"] += 1
            if counted["rows"] % PAGE == 0:
                job.check()
                job.progress("write", counted["rows"], 0)
            yield {column: row[column] for column in columns}

    digest, size = blobs.put_stream(writer.write(rows(), format=format, columns=columns))
    return {
        "rows": counted["rows"],
        "blob": digest,
        "size": size,
        "sha256": digest,
        "media_type": TYPES[format],
        "filename": f"{session.id}-{what}.{format}",
    }


def export_content(
    session: Session, operation_id: str, *, store: Store, blobs: Blobs
) -> Iterator[bytes]:
    """The file of a finished export, in blocks of 64 KiB.

    Raises NotFound ``unknown-operation``, Conflict ``operation-not-finished`` or
    ``operation-failed``.
    """
    with store.read() as tx:
        operation = tx.operations.get(session.tenant_id, operation_id)
    if operation.session_id != session.id or operation.kind != "export":
        raise NotFound("there is no such operation", code="unknown-operation")
    if not operation.done:
        raise Conflict("the export is not finished yet", code="operation-not-finished")
    if operation.state != "succeeded" or operation.result is None:
        raise Conflict(f"the export ended as {operation.state}", code="operation-failed")
    return _blocks(operation.result["blob"], blobs=blobs)


def _blocks(digest: str, *, blobs: Blobs) -> Iterator[bytes]:
    with blobs.open(digest) as stream:
        while block := stream.read(BLOCK):
            yield block


def _label_rows(operation: Operation, session: Session, *, store: Store) -> Iterator[Row]:
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


def _training_rows(operation: Operation, session: Session, *, store: Store) -> Iterator[Row]:
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
