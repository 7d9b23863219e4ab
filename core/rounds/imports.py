"""Imports: a file of any size enters the pool, row by row, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import chain

from core.errors import Conflict, InvalidInput, JobFailed, NotFound, TailwiseError
from core.import_chunks import Desk, Totals, applied_counts, blocks, merged, take_chunk
from core.import_rows import RowReader, Survey, checked, in_chunks, survey
from core.intake import refuse_closed, writable
from core.ports import Blobs, Clock, Ids, Job, Jobs, Store
from core.records import SPLITS, Operation, Options, Session
from core.requests import ImportRequest
from core.splitting import plan_splits
from core.submission import index_operation, repeated, submit

__all__ = ["RowReader", "import_errors", "run_import", "start_import"]

HEAD_BYTES = 64 * 1024


def start_import(
    session: Session,
    chunks: Iterable[bytes],
    request: ImportRequest,
    *,
    request_key: str | None,
    reader: RowReader,
    store: Store,
    blobs: Blobs,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
    max_bytes: int,
) -> Operation:
    """Stream the upload to a blob and queue its import; memory holds one chunk at a time.

    Raises InvalidInput where the request or the file's first 64 KiB are already wrong
    (nothing is kept then) and ``payload-too-large``; Conflict ``session-not-open``, and
    ``operation-in-progress`` while another import with ``on_conflict`` update runs.
    """
    _check_request(request)
    request = replace(request, several_gold=session.task.multi_label)
    with store.read() as tx:
        known = repeated(tx, session, request_key)
        refuse_closed(tx.sessions.get(session.tenant_id, session.id))
    if known is not None:
        jobs.enqueue(known)
        return known
    rest = iter(chunks)
    head, whole = _head(rest)
    reader.check_head(head, request, whole=whole)
    digest, size = blobs.put_stream(chain([head], rest), limit=max_bytes)
    replaces = request.on_conflict == "update" and not request.dry_run
    with store.write() as tx:
        operation, _ = submit(
            tx,
            writable(tx, session),
            kind="import",
            input={"blob": digest, "bytes": size, "request": asdict(request)},
            lane=f"{session.id}:import" if replaces else None,
            request_key=request_key,
            ids=ids,
            clock=clock,
        )
    jobs.enqueue(operation)
    return operation


def run_import(
    operation: Operation,
    session: Session,
    *,
    job: Job,
    reader: RowReader,
    store: Store,
    blobs: Blobs,
    jobs: Jobs,
    clock: Clock,
    ids: Ids,
) -> Options:
    """Read the file twice: first whole, storing nothing, then chunk by chunk into the pool.

    Result: ``{rows, created, updated, unchanged, skipped, rejected, splits, gold, errors,
    errors_blob, index_operation}``; ``splits`` and ``gold`` count the rows that are in
    the pool now, ``errors`` holds the first 100, ``errors_blob`` all as JSON lines.
    One durable step per chunk: a run after a crash ends with the same rows and result.
    Cancelled between chunks, it keeps and indexes what it stored. Raises InvalidInput
    for a file that cannot be read, JobFailed ``no-valid-rows``.
    """
    request = ImportRequest(**operation.input["request"])
    desk = _desk(operation, session, request, store=store, blobs=blobs, clock=clock, ids=ids)
    found = _survey(desk, request, job=job, reader=reader)
    totals = Totals()
    try:
        _take_all(desk, request, found, totals, job=job, reader=reader)
        errors_blob = job.step("errors", partial(merged, totals.parts, blobs=blobs))
    except TailwiseError:
        _drop(totals.parts, blobs=blobs)
        _index(desk, totals, jobs=jobs)
        raise
    _drop(totals.parts, blobs=blobs)
    result = totals.result(errors_blob=errors_blob)
    if totals.rows == totals.counts["rejected"] and not request.dry_run:
        raise JobFailed("no row of the file was valid", code="no-valid-rows", extras=result)
    return {
        **result,
        "index_operation": job.step("index", partial(_index, desk, totals, jobs=jobs)),
    }


def import_errors(
    session: Session, operation_id: str, *, store: Store, blobs: Blobs
) -> Iterator[bytes]:
    """Every refused row as JSON lines ``{row, pointer, code, detail}``; empty where none was.

    Raises NotFound ``unknown-operation``, Conflict ``operation-not-finished``.
    """
    with store.read() as tx:
        operation = tx.operations.get(session.tenant_id, operation_id)
    if operation.session_id != session.id or operation.kind != "import":
        raise NotFound("there is no such operation", code="unknown-operation")
    if not operation.done:
        raise Conflict("the import is not finished yet", code="operation-not-finished")
    outcome = operation.result or (operation.error or {}).get("extras", {})
    digest = outcome.get("errors_blob")
    return blocks(digest, blobs=blobs) if digest else iter(())


def _check_request(request: ImportRequest) -> None:
    plan_splits({}, test_share=request.test_share, reserve_share=request.reserve_share)
    for split in request.split_values.values():
        if split not in SPLITS:
            detail = f"a split is one of {', '.join(SPLITS)}"
            raise InvalidInput.at(
                "/split_values", detail, code="unknown-split", allowed=list(SPLITS)
            )


def _head(chunks: Iterator[bytes]) -> tuple[bytes, bool]:
    """The first 64 KiB or a little more, and whether that is all."""
    head = bytearray()
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            return bytes(head), False
    return bytes(head), True


def _desk(
    operation: Operation,
    session: Session,
    request: ImportRequest,
    *,
    store: Store,
    blobs: Blobs,
    clock: Clock,
    ids: Ids,
) -> Desk:
    with store.read() as tx:
        applied = applied_counts(tx, operation)
    return Desk(
        operation=operation,
        session=session,
        on_conflict=request.on_conflict,
        dry_run=request.dry_run,
        applied=applied,
        store=store,
        blobs=blobs,
        clock=clock,
        ids=ids,
    )


def _survey(desk: Desk, request: ImportRequest, *, job: Job, reader: RowReader) -> Survey:
    def report(rows: int) -> None:
        job.check()
        job.progress("read", rows, 0)

    with desk.blobs.open(desk.operation.input["blob"]) as stream:
        return survey(
            reader.rows(stream, request),
            request,
            class_ids=desk.session.task.class_ids,
            report=report,
        )


def _take_all(
    desk: Desk,
    request: ImportRequest,
    found: Survey,
    totals: Totals,
    *,
    job: Job,
    reader: RowReader,
) -> None:
    with desk.blobs.open(desk.operation.input["blob"]) as stream:
        rows = checked(
            reader.rows(stream, request),
            request,
            class_ids=desk.session.task.class_ids,
            cuts=found.cuts,
        )
        for number, chunk in enumerate(in_chunks(rows)):
            job.check()
            totals.add(job.step(f"rows-{number}", partial(take_chunk, chunk, desk=desk)))
            job.progress("store", totals.rows, found.rows)


def _drop(parts: Iterable[str], *, blobs: Blobs) -> None:
    for part in parts:
        blobs.delete(part)


def _index(desk: Desk, totals: Totals, *, jobs: Jobs) -> str | None:
    """Queue what must follow new rows; the id of the index operation.

    Rows count too that an import stored whose disk was full before it could say so.
    """
    if desk.dry_run:
        return None
    with desk.store.read() as tx:
        queued = tx.operations.unfinished(desk.session.id, kinds=("index",))
        forgotten = not queued and tx.items.unindexed(desk.session.id)
    if not forgotten and not totals.counts["created"] + totals.counts["updated"]:
        return None
    with desk.store.write() as tx:
        operation = index_operation(tx, desk.session, ids=desk.ids, clock=desk.clock)
    jobs.enqueue(operation)
    return operation.id
