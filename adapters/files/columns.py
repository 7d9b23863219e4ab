"""Which column of a file holds which field of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from core.errors import InvalidInput
from core.requests import ImportRequest

COLUMN_OF = {
    "text": "text_column",
    "external_id": "id_column",
    "gold": "gold_column",
    "split": "split_column",
    "lang": "lang_column",
}
DEFAULTS = {field.name: field.default for field in fields(ImportRequest)}
SHOWN_COLUMNS = 30
SHOWN_CHARS = 40


def wanted(request: ImportRequest) -> dict[str, str]:
    """Field -> column name, for every field the request looks for."""
    named = {field: getattr(request, option) for field, option in COLUMN_OF.items()}
    return {field: column for field, column in named.items() if column is not None}


def present(have: Sequence[str], request: ImportRequest) -> dict[str, str]:
    """Field -> column name, for the columns a file has.

    The text must be there, and any column the request names itself; a column that is
    only looked for by default may be absent. Raises InvalidInput ``missing-column``
    (with the file's columns in the extras) and ``duplicate-column``.
    """
    found = {}
    for field, column in wanted(request).items():
        if column in have:
            found[field] = column
        elif field == "text" or column != DEFAULTS[COLUMN_OF[field]]:
            raise missing(column, have)
    repeated = sorted(column for column in found.values() if have.count(column) > 1)
    if repeated:
        detail = "the file has more than one column of that name"
        raise InvalidInput(detail, code="duplicate-column", extras={"columns": repeated})
    return found


def missing(column: str, have: Sequence[str]) -> InvalidInput:
    """The refusal of a file without ``column``; long names are cut, they may be texts."""
    names = [name[:SHOWN_CHARS] for name in have[:SHOWN_COLUMNS]]
    shown = [name.encode("utf-8", "replace").decode() for name in names]
    return InvalidInput(
        "the file lacks a column that the request names",
        code="missing-column",
        extras={"missing": column, "columns": shown},
    )
