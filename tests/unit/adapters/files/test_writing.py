"""Rows out, in files that do no harm where they are opened."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files import FileWriter, read_rows, write_csv, write_jsonl
from core.requests import ImportRequest

STARTS = "=+-@\t\r\0"


def written(rows: list[dict[str, Any]], columns: list[str]) -> list[list[str]]:
    data = b"".join(write_csv(rows, columns)).decode()
    return list(csv.reader(io.StringIO(data, newline=""), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|'/c calc'!A1",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\0=1",
        '="quoted"\n=next',
    ],
)
def test_a_cell_that_a_spreadsheet_could_run_gets_an_apostrophe(text: str) -> None:
    assert written([{"text": text}], ["text"])[1] == ["'" + text]


def test_a_hostile_column_name_is_guarded_too() -> None:
    assert written([], ["=1"]) == [["'=1"]]


def test_a_hostile_class_in_a_list_is_guarded() -> None:
    assert written([{"labels": ["=a", "b"]}], ["labels"])[1] == ["'=a|b"]


def test_numbers_booleans_and_nothing_are_written_plainly() -> None:
    row = {"n": -5, "w": 0.25, "s": True, "x": None}
    assert written([row], ["n", "w", "s", "x", "absent"])[1] == ["-5", "0.25", "true", "", ""]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_starts_a_formula_and_every_text_comes_back(text: str) -> None:
    cell = written([{"text": text, "end": "."}], ["text", "end"])[1][0]
    assert not cell.startswith(tuple(STARTS))
    assert cell.removeprefix("'") == text or cell == text


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_jsonl_keeps_every_text_as_it_is(text: str) -> None:
    data = b"".join(write_jsonl([{"text": text}]))
    assert json.loads(data) == {"text": text}
    assert data.count(b"\n") == 1


def test_what_is_written_can_be_imported_again() -> None:
    texts = ["plain", 'with "quotes", commas', "two\nlines"]
    rows = [{"external_id": str(n), "text": text} for n, text in enumerate(texts)]
    for format in ("csv", "jsonl"):
        data = b"".join(FileWriter().write(rows, format=format, columns=["external_id", "text"]))
        back = read_rows(io.BytesIO(data), ImportRequest(format=format))
        assert [row["text"] for _, row in back] == texts


def test_rows_are_written_as_they_come() -> None:
    taken = []

    def rows() -> Any:
        for n in range(3):
            taken.append(n)
            yield {"text": str(n)}

    stream = write_csv(rows(), ["text"])
    next(stream)
    next(stream)
    assert taken == [0]
