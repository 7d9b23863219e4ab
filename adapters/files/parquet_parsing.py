"""Rows of a Parquet file, a few hundred at a time; runs in a child process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

from adapters.files.columns import present
from adapters.files.limits import Limits
from adapters.files.unpacking import unreadable
from core.errors import InvalidInput
from core.requests import ImportRequest

BATCH_ROWS = 500
READ_AHEAD = 1 << 20


def parse(
    stream: BinaryIO, request: ImportRequest, *, limits: Limits
) -> Iterator[tuple[int, Mapping[str, Any] | InvalidInput]]:
    """(row number from 1, row by field, or why it cannot be read).

    Raises InvalidInput ``unreadable-file``, ``missing-column``, ``wrong-column-type``
    and ``row-group-too-large``.
    """
    import pyarrow as pa  # noqa: PLC0415 (heavy)

    try:
        yield from _rows(stream, request, limits=limits)
    except (pa.ArrowException, OSError, EOFError, ValueError, MemoryError, OverflowError):
        raise unreadable("the Parquet file is damaged or cut off") from None


def _rows(
    stream: BinaryIO, request: ImportRequest, *, limits: Limits
) -> Iterator[tuple[int, Mapping[str, Any] | InvalidInput]]:
    file, columns = _open(stream, request)
    _check_size(file, list(columns.values()), limits=limits)
    number = 0
    for batch in file.iter_batches(
        batch_size=BATCH_ROWS, columns=list(columns.values()), use_threads=False
    ):
        cells = {
            field: _cells(batch.column(name), field=field, limits=limits)
            for field, name in columns.items()
        }
        for row in zip(*cells.values(), strict=True):
            number += 1
            yield number, _row(dict(zip(cells, row, strict=True)))


def _open(stream: BinaryIO, request: ImportRequest) -> tuple[Any, dict[str, str]]:
    """The file and its columns by field. Repeated strings stay dictionaries, so that one
    long value in a million rows is one value in memory."""
    import pyarrow.parquet as pq  # noqa: PLC0415 (heavy)

    options = {"pre_buffer": False, "buffer_size": READ_AHEAD, "memory_map": False}
    schema = pq.ParquetFile(stream, **options).schema_arrow
    columns = present(schema.names, request)
    strings = []
    for field, name in columns.items():
        type = schema.field(name).type
        kind = _kind(type)
        if field == "gold" and request.several_gold and _is_list(type):
            kind = "list" if _kind(type.value_type) else None
        if kind is None or (kind == "number" and field not in {"external_id", "gold"}):
            raise InvalidInput(
                "a column holds neither strings nor, for ids and classes, whole numbers",
                code="wrong-column-type",
                extras={"field": field},
            )
        strings += [name] if kind == "string" else []
    stream.seek(0)
    return pq.ParquetFile(stream, read_dictionary=strings, **options), columns


def _kind(type: Any) -> str | None:
    from pyarrow import types  # noqa: PLC0415 (heavy)

    if types.is_dictionary(type):
        type = type.value_type
    if types.is_string(type) or types.is_large_string(type) or types.is_string_view(type):
        return "string"
    return "number" if types.is_integer(type) else None


def _is_list(type: Any) -> bool:
    from pyarrow import types  # noqa: PLC0415 (heavy)

    return bool(types.is_list(type) or types.is_large_list(type))


def _check_size(file: Any, columns: list[str], *, limits: Limits) -> None:
    """Believe the footer only where it accuses the file."""
    metadata = file.metadata
    total = 0
    for place in range(metadata.num_row_groups):
        group = metadata.row_group(place)
        parts = (group.column(c) for c in range(group.num_columns))
        size = sum(p.total_uncompressed_size for p in parts if _is_of(p.path_in_schema, columns))
        total += size
        if size > limits.row_group_bytes or total > limits.unpacked_bytes:
            raise InvalidInput(
                "a row group is too large; write the file with smaller ones",
                code="row-group-too-large",
                extras={"limit": limits.row_group_bytes},
            )


def _is_of(path: str, columns: Sequence[str]) -> bool:
    """A list's values lie below its column: ``gold.list.element``."""
    return any(path == column or path.startswith(f"{column}.") for column in columns)


def _lists(column: Any, *, field: str, limits: Limits) -> list[Any]:
    """The column's lists; one that holds a refused value is refused."""
    from pyarrow import compute  # noqa: PLC0415 (heavy)

    values = iter(_cells(column.flatten(), field=field, limits=limits))
    found: list[Any] = []
    for length in compute.list_value_length(column).to_pylist():
        cell = None if length is None else list(islice(values, length))
        refused = [value for value in cell or () if isinstance(value, InvalidInput)]
        found.append(refused[0] if refused else cell)
    return found


def _cells(column: Any, *, field: str, limits: Limits) -> list[Any]:
    """The column's values as text; one that is too long is never made a Python string."""
    import pyarrow as pa  # noqa: PLC0415 (heavy)
    from pyarrow import compute  # noqa: PLC0415 (heavy)

    if _is_list(column.type):
        return _lists(column, field=field, limits=limits)
    if pa.types.is_integer(column.type):
        return [None if value is None else str(value) for value in column.to_pylist()]
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    lengths = compute.binary_length(column.dictionary).to_pylist()
    refusal = InvalidInput.at(
        f"/{field}", "the value is too long", code="too-long", limit=limits.cell_bytes
    )
    texts: dict[int, str | InvalidInput | None] = {}
    found: list[Any] = []
    for place in column.indices.to_pylist():
        if place is not None and place not in texts:
            fits = (lengths[place] or 0) <= limits.cell_bytes
            texts[place] = _decoded(column.dictionary[place], field) if fits else refusal
        found.append(None if place is None else texts[place])
    return found


def _decoded(value: Any, field: str) -> str | InvalidInput | None:
    try:
        text: str | None = value.as_py()
    except UnicodeDecodeError:
        return InvalidInput.at(f"/{field}", "the value is not UTF-8", code="invalid-text")
    return text


def _row(
    cells: Mapping[str, Any],
) -> Mapping[str, Any] | InvalidInput:
    row: dict[str, Any] = {}
    for field, value in cells.items():
        if isinstance(value, InvalidInput):
            return value
        row[field] = value
    return row
