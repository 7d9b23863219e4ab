"""Export: labels or training data as a file to take away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

from core.data_card import data_card, place
from core.errors import Conflict, InvalidInput, NotFound
from core.export_rows import LABEL_COLUMNS, PAGE, TRAINING_COLUMNS, Row, label_rows, training_rows
from core.ports import Blobs, Clock, Ids, Job, Jobs, Store
from core.records import Operation, Options, Session
from core.requests import ExportRequest, RowFormat
from core.submission import submit

BLOCK = 64 * 1024
TYPES = {
    "jsonl": ("application/jsonl", "jsonl"),
    "csv": ("text/csv", "csv"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "hf": ("application/zip", "zip"),
}
"""Media type and file ending of each format."""


class RowWriter(Protocol):
    """Writes rows as bytes; the adapter knows the formats."""

    def write(
        self, rows: Iterable[Row], *, format: RowFormat, columns: Sequence[str]
    ) -> Iterator[bytes]: ...

    def pack(self, files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
        """Files by path in one archive, the same bytes for the same files."""


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
    """Fix what is exported (labels up to now, variations usable now) and queue the writing.

    Raises InvalidInput ``format-needs-training`` or ``format-needs-text`` for a data set
    folder of anything but training data with texts.
    """
    _check(request)
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
                "licence": request.licence,
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


def _check(request: ExportRequest) -> None:
    if request.format != "hf":
        return
    if request.what != "training":
        detail = "a data set folder holds training data; ask for what=training"
        raise InvalidInput.at("/what", detail, code="format-needs-training")
    if not request.include_text:
        detail = "a data set folder holds texts, which this key may not read or did not ask for"
        raise InvalidInput.at("/include_text", detail, code="format-needs-text")


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
    with, ``synthetic`` and, for variations, their lineage; as ``hf`` it is a zipped folder
    of a data card and one Parquet file per split. Result: ``{rows, blob, size, sha256,
    media_type, filename}``.
    """
    what, format = operation.input["what"], operation.input["format"]
    counted = Counter[str]()
    columns = LABEL_COLUMNS if what == "labels" else TRAINING_COLUMNS
    if operation.input["include_text"]:
        columns = (*columns, "text")

    def rows() -> Iterator[Row]:
        source = label_rows if what == "labels" else training_rows
        for row in source(operation, session, store=store):
            counted["rows"] += 1
            if counted["rows"] % PAGE == 0:
                job.check()
                job.progress("write", counted["rows"], 0)
            yield {column: row[column] for column in columns}

    if format == "hf":
        data = writer.pack(_folder(operation, session, list(rows()), columns, writer=writer))
    else:
        data = writer.write(rows(), format=format, columns=columns)
    digest, size = blobs.put_stream(data)
    media_type, ending = TYPES[format]
    return {
        "rows": counted["rows"],
        "blob": digest,
        "size": size,
        "sha256": digest,
        "media_type": media_type,
        "filename": f"{session.id}-{what}.{ending}",
    }


def _folder(
    operation: Operation,
    session: Session,
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    writer: RowWriter,
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The data card, then a Parquet file per split that has rows."""
    splits: Mapping[str, list[Row]] = {"train": [], "validation": []}
    for row in rows:
        if (split := place(row, share=session.settings.holdout)) is not None:
            splits[split].append(row)
    filled = {name: part for name, part in splits.items() if part}
    card = data_card(
        session,
        filled,
        licence=operation.input.get("licence"),
        label_watermark=operation.input["label_watermark"],
        left_out=len(rows) - len(list(chain.from_iterable(filled.values()))),
    )
    yield "README.md", [card.encode()]
    for name, part in filled.items():
        yield f"data/{name}.parquet", writer.write(part, format="parquet", columns=columns)


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
