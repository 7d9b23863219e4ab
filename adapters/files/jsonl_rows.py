"""Rows of a JSON Lines file: one object a line, strict JSON, UTF-8."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NoReturn

from adapters.files.columns import wanted
from adapters.files.limits import Limits
from adapters.files.lines import BoundedLines, RowTooLong
from core.errors import InvalidInput
from core.requests import ImportRequest


def jsonl_rows(
    stream: BinaryIO, request: ImportRequest, *, limits: Limits
) -> Iterator[tuple[int, Mapping[str, Any] | InvalidInput]]:
    """(line number from 1, row by field, or why it cannot be read); blank lines are skipped."""
    lines = BoundedLines(stream, limit=limits.row_bytes)
    fields = wanted(request)
    for number, line in enumerate(_lines(lines), start=1):
        if isinstance(line, InvalidInput):
            yield number, line
        elif line.strip():
            yield number, _row(line, fields, several=request.several_gold)


def first_keys(stream: BinaryIO, *, limits: Limits) -> list[str]:
    """The keys of the first object, [] where the first line is none."""
    for line in _lines(BoundedLines(stream, limit=limits.row_bytes)):
        if not isinstance(line, InvalidInput) and line.strip():
            return _keys(line)
    return []


def _keys(line: bytes) -> list[str]:
    try:
        return list(strict_object(line))
    except InvalidInput:
        return []


def _lines(lines: BoundedLines) -> Iterator[bytes | InvalidInput]:
    while True:
        lines.start_record()
        try:
            yield next(lines)
        except StopIteration:
            return
        except RowTooLong as error:
            yield error


def _row(
    line: bytes, fields: Mapping[str, str], *, several: bool
) -> Mapping[str, Any] | InvalidInput:
    try:
        document = strict_object(line)
        return {
            field: _several(value) if several and field == "gold" else _value(value, field)
            for field, value in ((f, document.get(name)) for f, name in fields.items())
        }
    except InvalidInput as error:
        return error


def strict_object(line: bytes) -> Mapping[str, Any]:
    """One JSON object; raises InvalidInput ``invalid-text`` or ``malformed-row``.

    Refuses what other parsers let pass: NaN and Infinity, a key twice, numbers of
    thousands of digits, endless nesting.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise InvalidInput("the line is not UTF-8", code="invalid-text") from None
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidInput("the line is not strict JSON", code="malformed-row") from None
    if not isinstance(document, dict):
        raise InvalidInput("the line is not a JSON object", code="malformed-row")
    return document


def _value(value: object, field: str) -> str | None:
    """A field as text; whole numbers pass for ids and classes, a list of one for gold."""
    if field == "gold" and isinstance(value, list):
        value = _only(value)
    if value is None or isinstance(value, str):
        return value
    if field in {"external_id", "gold"} and type(value) is int:
        return str(value)
    raise InvalidInput.at(f"/{field}", "the value must be a string", code="invalid-type")


def _several(value: object) -> list[str | None] | str | None:
    """The gold of a multi-label row: a list, or what ``_value`` takes."""
    if not isinstance(value, list):
        return _value(value, "gold")
    if any(isinstance(one, list) for one in value):
        raise InvalidInput.at("/gold", "the value must be a string", code="invalid-type")
    return [_value(one, "gold") for one in value]


def _only(values: list[Any]) -> object:
    if len(values) > 1:
        detail = "a single-label session takes one gold label per row"
        raise InvalidInput.at("/gold", detail, code="too-many-labels")
    return values[0] if values else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        detail = "a key occurs twice"
        raise ValueError(detail)
    return document


def _no_constant(name: str) -> NoReturn:
    detail = f"{name} is not JSON"
    raise ValueError(detail)
