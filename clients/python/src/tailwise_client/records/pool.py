"""Items of the pool and what became of an upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tailwise_client.errors import FieldProblem
from tailwise_client.records.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One text. ``text`` is None for keys that may not read contents; ``labels`` None = not
    answered; ``state``: pooled, selected, conflict, resolved or excluded."""

    id: str
    external_id: str
    position: int
    split: str
    state: str
    created_at: datetime
    revision: int = 1
    text: str | None = field(default=None, repr=False)
    labels: tuple[str, ...] | None = None
    lang: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of one uploaded row; ``index`` is its place in the upload, from 0."""

    index: int
    status: str
    id: str | None = None
    external_id: str | None = None
    error: FieldProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestResult:
    """The answer to one request of rows; ``operation`` indexes them."""

    created: int
    updated: int
    unchanged: int
    skipped: int
    rejected: int
    results: tuple[RowResult, ...] = ()
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResult:
    """What an upload did. ``results`` has one entry per row where rows were sent, and none
    where a file was imported; ``import_id`` names the import whose errors can be read."""

    created: int
    updated: int
    unchanged: int
    skipped: int
    rejected: int
    results: tuple[RowResult, ...] = ()
    import_id: str | None = None
    index_operation_id: str | None = None

    @property
    def rejections(self) -> tuple[RowResult, ...]:
        """The rows that were refused, each with its error."""
        return tuple(row for row in self.results if row.error is not None)
