"""Rows as Parquet, with the type of each column told beforehand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 64 * 1024
GROUP = 10_000
IN_MEMORY = 8_000_000
WHOLE = frozenset({"seq", "label_seq", "guidelines_version", "duration_ms", "template_version"})
LISTS = frozenset({"labels", "attributes"})


def write_parquet(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[bytes]:
    """One file, in row groups of 10,000; a column's type follows from its name, so that an
    empty or all-null column has it too. Past 8 MB it is put together on disk."""
    import pyarrow as pa  # noqa: PLC0415 -- half a second to import
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

    schema = pa.schema([(column, _type(column)) for column in columns])
    source = iter(rows)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
        with ParquetWriter(whole, schema, compression="zstd") as writer:
            while group := list(islice(source, GROUP)):
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
        whole.seek(0)
        while block := whole.read(BLOCK):
            yield block


def _type(column: str) -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415

    if column in LISTS:
        return pa.list_(pa.string())
    if column in WHOLE:
        return pa.int64()
    if column == "synthetic":
        return pa.bool_()
    return pa.float64() if column == "weight" else pa.string()
