"""Items: uploaded from files, rows and data frames; listed, changed, taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tailwise_client.asking import chunked, rows_of
from tailwise_client.binding import listing, verb
from tailwise_client.files import FileBody
from tailwise_client.records.operations import Operation, Progress
from tailwise_client.records.pool import IngestResult, Item, RowResult, UploadResult
from tailwise_client.sending import Call
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.operations import OnProgress
from tailwise_client.verbs.within import Within, if_match

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".jsonl": "application/jsonl",
    ".ndjson": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
}
COLUMNS = {
    "text": "text_column",
    "external_id": "id_column",
    "gold": "gold_column",
    "split": "split_column",
    "lang": "lang_column",
}
ENVELOPE_BYTES = 1024
OUTCOMES = ("created", "updated", "unchanged", "skipped", "rejected")


class PoolVerbs(Within):
    """The pool of a session."""

    @verb
    def upload(
        self,
        source: Any,
        *,
        columns: Mapping[str, str] | None = None,
        on_conflict: str = "skip",
        wait: bool = True,
        on_progress: OnProgress | None = None,
        test_share: float | None = None,
        reserve_share: float | None = None,
        split_values: Mapping[str, str] | None = None,
    ) -> Flow[UploadResult]:
        """Add rows to the pool and wait until they can be selected.

        ``source``: a path (CSV, JSON Lines or Parquet, also with .gz), which is streamed and
        imported; a pandas or polars data frame, or an iterable of dictionaries, which are sent
        in parts, each row with its own result. ``columns`` names the column of each field:
        ``{"text": "body", "external_id": "id", "gold": "label"}``. ``on_conflict`` says what
        happens to a row whose external id exists: skip, update or error. ``on_progress`` hears
        of the upload (bytes or rows), the import and the indexing.

        For files only: ``test_share`` and ``reserve_share`` set rows aside where there is no
        split column, ``split_values`` maps a file's own names: ``{"train": "pool"}``.
        """
        if isinstance(source, str | Path):
            params = {
                "on_conflict": on_conflict,
                "test_share": test_share,
                "reserve_share": reserve_share,
                "split_values": [f"{name}:{split}" for name, split in (split_values or {}).items()],
            }
            return self._import(
                Path(source), columns=columns, params=params, wait=wait, on_progress=on_progress
            )
        if any(option is not None for option in (test_share, reserve_share, split_values)):
            message = "only files are split on the way; rows carry their own split"
            raise TypeError(message)
        rows = rows_of(source, columns=columns)
        return self._upload_rows(rows, on_conflict=on_conflict, wait=wait, on_progress=on_progress)

    @verb
    def add_items(
        self, rows: Any, *, on_conflict: str = "error", mode: str = "atomic"
    ) -> Flow[IngestResult]:
        """One request of rows; ``mode`` atomic stores all or none, partial the good ones."""
        document = {"items": list(rows_of(rows)), "on_conflict": on_conflict, "mode": mode}
        return self._post(IngestResult, f"{self.path}/items", document)

    @listing
    def items(
        self,
        *,
        status: str | None = None,
        split: str | None = None,
        label: str | None = None,
        batch_id: str | None = None,
        q: str | None = None,
        limit: int = 500,
    ) -> Stream[Item]:
        """Items by position; ``q`` searches texts, ``limit`` is the size of a page."""
        return self._pages(
            Item,
            f"{self.path}/items",
            status=status,
            split=split,
            label=label,
            batch_id=batch_id,
            q=q,
            limit=limit,
        )

    @verb
    def item(self, item_id: str) -> Flow[Item]:
        """Read an item."""
        return self._get(Item, f"{self.path}/items/{item_id}")

    @verb
    def update_item(
        self, item_id: str, changes: Mapping[str, Any], *, revision: int | None = None
    ) -> Flow[Item]:
        """Merge ``changes`` into it; with ``revision``, only where nobody did so since."""
        path = f"{self.path}/items/{item_id}"
        return self._patch(Item, path, changes, revision=revision)

    @verb
    def delete_item(self, item_id: str, *, revision: int | None = None) -> Flow[None]:
        """Blank its text and take it out."""
        call = Call(
            method="DELETE", path=f"{self.path}/items/{item_id}", headers=if_match(revision)
        )
        yield from self._sender.send(call)

    @verb
    def import_errors(self, import_id: str, *, to: str | Path) -> Flow[Path]:
        """Save every refused row of an import, as JSON Lines."""
        return self._download(f"{self.path}/imports/{import_id}/errors", to)

    def _upload_rows(
        self, rows: Any, *, on_conflict: str, wait: bool, on_progress: OnProgress | None
    ) -> Flow[UploadResult]:
        limits = yield from self._limits()
        counts: Counter[str] = Counter()
        results: list[RowResult] = []
        indexing: dict[str, Operation] = {}
        most_bytes = limits.max_body_bytes - ENVELOPE_BYTES
        for part in chunked(rows, most=limits.max_items, most_bytes=most_bytes):
            found = yield from self.add_items(part, on_conflict=on_conflict, mode="partial")
            counts.update({name: getattr(found, name) for name in OUTCOMES})
            start = len(results)
            results += [replace(row, index=start + row.index) for row in found.results]
            if found.operation is not None:
                indexing[found.operation.id] = found.operation
            if on_progress is not None:
                on_progress(Progress(phase="upload", done=len(results), total=0))
        if wait:
            for operation in indexing.values():
                yield from self.wait(operation, on_progress=on_progress)
        last = next(reversed(indexing), None)
        return replace(_counted(counts), results=tuple(results), index_operation_id=last)

    def _import(
        self,
        path: Path,
        *,
        columns: Mapping[str, str] | None,
        params: Mapping[str, Any],
        wait: bool,
        on_progress: OnProgress | None,
    ) -> Flow[UploadResult]:
        call = Call(
            method="POST",
            path=f"{self.path}/imports",
            params={**_import_columns(columns), **params},
            headers={"Content-Encoding": "gzip"} if path.suffix == ".gz" else {},
            body=FileBody(path, on_bytes=_bytes_heard(on_progress)),
            media_type=_media_type(path),
            keyed=True,
        )
        started = yield from self._call(Operation, call)
        done = yield from self.wait(started, on_progress=on_progress)
        result = done.result or {}
        index_id = result.get("index_operation")
        if wait and index_id:
            yield from self.wait(index_id, on_progress=on_progress)
        return replace(_counted(result), import_id=done.id, index_operation_id=index_id)


def _counted(counts: Mapping[str, int]) -> UploadResult:
    return UploadResult(**{name: counts.get(name, 0) for name in OUTCOMES})  # type: ignore[arg-type]


def _import_columns(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Query parameters; a field that ``columns`` does not name is in no column."""
    if columns is None:
        return {}
    if unknown := set(columns) - set(COLUMNS):
        message = f"a file has no field {', '.join(sorted(unknown))}; it has {', '.join(COLUMNS)}"
        raise TypeError(message)
    return {param: columns.get(field, "") for field, param in COLUMNS.items()}


def _media_type(path: Path) -> str:
    """By the file's ending, .gz aside."""
    ending = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    if ending not in MEDIA_TYPES:
        message = f"{path.name} is none of {', '.join(MEDIA_TYPES)}, with or without .gz"
        raise ValueError(message)
    return MEDIA_TYPES[ending]


def _bytes_heard(on_progress: OnProgress | None) -> Any:
    if on_progress is None:
        return None
    return lambda done, total: on_progress(Progress(phase="upload", done=done, total=total))
