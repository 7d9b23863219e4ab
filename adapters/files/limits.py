"""How much a file may make the reader hold, whatever the file claims."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``unpacked_bytes`` bounds what a compressed file may unfold to in total;
    ``ratio`` how many bytes one compressed byte may become once ``free_bytes`` were read.
    ``row_bytes`` bounds a CSV record or a JSON line, ``cell_bytes`` one value,
    ``row_group_bytes`` the unpacked columns read from one Parquet row group,
    ``parser_bytes`` and ``parser_seconds`` the address space and the processor time of the
    process that reads Parquet.
    """

    unpacked_bytes: int = 10_000 * MIB
    ratio: int = 200
    free_bytes: int = 8 * MIB
    row_bytes: int = MIB
    cell_bytes: int = 128 * 1024
    columns: int = 1_000
    row_group_bytes: int = 256 * MIB
    parser_bytes: int = 4_096 * MIB
    parser_seconds: int = 900
