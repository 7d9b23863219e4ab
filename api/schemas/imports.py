"""How a file becomes rows."""

from __future__ import annotations

from typing import Any

from marshmallow import post_load
from webargs.fields import DelimitedList

from api.schemas.documents import Query
from api.schemas.fields import Flag, Name, Real, Text

COLUMN = 200
RENAMING = r"^[^:,\x00-\x20]{1,64}:(pool|test|reserve)$"


class ImportQuery(Query):
    """How to read the uploaded file."""

    format = Name(
        "What the file is, where it is sent as application/octet-stream.",
        *("csv", "jsonl", "parquet"),
    )
    gzip = Flag("The body is gzip-compressed.", load_default=False)
    text_column = Text("Column of the text.", most=COLUMN, load_default="text")
    id_column = Text(
        "Column of your ids; empty for none.", most=COLUMN, blank=True, load_default="external_id"
    )
    gold_column = Text(
        "Column of known answers; empty for none.", most=COLUMN, blank=True, load_default="gold"
    )
    split_column = Text(
        "Column of pool, test or reserve; empty for none.",
        most=COLUMN,
        blank=True,
        load_default="split",
    )
    lang_column = Text(
        "Column of language tags; empty for none.", most=COLUMN, blank=True, load_default="lang"
    )
    split_values = DelimitedList(
        Text("One name.", pattern=RENAMING),
        load_default=list,
        metadata={
            "description": "What the file's own split names mean: ``train:pool,dev:test``.",
            "maxItems": 50,
        },
    )
    test_share = Real(
        "Share of rows set aside for tests where the file has no split column.",
        least=0,
        most=1,
        load_default=0.0,
    )
    reserve_share = Real(
        "Share of rows set aside for simulated generation where there is no split column.",
        least=0,
        most=1,
        load_default=0.0,
    )
    on_conflict = Name(
        "What to do with a row whose external id exists with other content.",
        "error",
        "skip",
        "update",
        load_default="error",
    )
    dry_run = Flag("Check the file and store nothing.", load_default=False)

    @post_load
    def _rename(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """The keyword arguments of an ImportRequest, but for the format."""
        columns = ("id_column", "gold_column", "split_column", "lang_column")
        renamed = dict(pair.split(":") for pair in data["split_values"])
        return {**data, **{c: data[c] or None for c in columns}, "split_values": renamed}
