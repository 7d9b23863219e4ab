"""Files as rows, whatever is in them."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.files import FileReader, read_rows, sniff_format
from adapters.files.limits import Limits
from core.errors import InvalidInput
from core.requests import ImportRequest

CSV = ImportRequest(format="csv")
JSONL = ImportRequest(format="jsonl")
PARQUET = ImportRequest(format="parquet")


def rows(data: bytes, request: ImportRequest, **limits: Any) -> list[Any]:
    """(number, row) with refusals as their code."""
    found = read_rows(io.BytesIO(data), request, limits=Limits(**limits))
    return [(n, row.code if isinstance(row, InvalidInput) else row) for n, row in found]


def texts(data: bytes, request: ImportRequest, **limits: Any) -> list[Any]:
    found = rows(data, request, **limits)
    return [row if isinstance(row, str) else row["text"] for _, row in found]


def refusal(data: bytes, request: ImportRequest, **limits: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as found:
        rows(data, request, **limits)
    return found.value


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Counts Python's memory from here on; yields how to ask for its peak, in bytes."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- names ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", ("csv", False)),
        ("A.CSV.GZ", ("csv", True)),
        ("dir.x/a.jsonl.gz", ("jsonl", True)),
        ("a.ndjson", ("jsonl", False)),
        ("a.b.parquet", ("parquet", False)),
    ],
)
def test_the_format_follows_from_the_name(name: str, expected: Any) -> None:
    assert sniff_format(name) == expected


@pytest.mark.parametrize("name", ["a", "a.gz", "a.txt", "a.csv.zip", ".csv"])
def test_a_name_that_tells_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as found:
        sniff_format(name)
    assert found.value.code == "unknown-format"


# --- CSV --------------------------------------------------------------------


def test_csv_with_quotes_commas_and_newlines_is_read_as_rfc_4180_says() -> None:
    data = b'external_id,text,gold\r\n1,"a, ""b""\r\nc",x\r\n2,d,\r\n'
    assert rows(data, CSV) == [
        (1, {"text": 'a, "b"\r\nc', "external_id": "1", "gold": "x"}),
        (2, {"text": "d", "external_id": "2", "gold": ""}),
    ]


def test_a_byte_order_mark_and_a_missing_last_newline_do_no_harm() -> None:
    assert texts(b"\xef\xbb\xbftext\nhello", CSV) == ["hello"]


def test_columns_may_have_other_names_and_any_order() -> None:
    request = ImportRequest(format="csv", text_column="body", id_column="nr", gold_column="label")
    assert rows(b"label,extra,nr,body\nspam,?,7,hi\n", request) == [
        (1, {"text": "hi", "external_id": "7", "gold": "spam"})
    ]


def test_a_missing_text_column_is_named_together_with_what_the_file_has() -> None:
    found = refusal(b"id;text;label\n1;a;b\n", CSV)
    assert found.code == "missing-column"
    assert found.extras == {"missing": "text", "columns": ["id;text;label"]}


def test_a_file_without_a_header_does_not_get_its_first_row_quoted_at_length() -> None:
    found = refusal(b"x" * 5000 + b",\xff\n", CSV)
    assert [len(name) for name in found.extras["columns"]] == [40, 1]
    json.dumps(found.extras, ensure_ascii=False).encode()


def test_a_column_the_request_names_itself_must_be_there() -> None:
    request = ImportRequest(format="csv", gold_column="label")
    assert refusal(b"text\na\n", request).extras["missing"] == "label"


def test_a_used_column_twice_is_refused() -> None:
    assert refusal(b"text,text\na,b\n", CSV).code == "duplicate-column"


def test_ragged_rows_are_refused_one_by_one() -> None:
    assert texts(b"text,gold\na,b\nc\nd,e,f\n\ng,h\n", CSV) == [
        "a",
        "ragged-row",
        "ragged-row",
        "g",
    ]


def test_a_stray_quote_costs_its_own_row_only() -> None:
    assert texts(b'text,gold\n"a"b,c\nd,e\n', CSV) == ["malformed-row", "d"]


def test_an_unclosed_quote_ends_with_its_limit_and_reading_goes_on() -> None:
    data = b'text,gold\n"never closed,x\n' + b"y,z\n" * 60_000
    found = texts(data, CSV)
    assert found[0] == "malformed-row"
    assert set(found[1:]) == {"y"}


def test_an_unclosed_quote_at_the_end_is_a_refused_row() -> None:
    assert texts(b'text\nfine\n"open', CSV) == ["fine", "malformed-row"]


def test_a_monstrous_line_is_skipped_without_being_held() -> None:
    data = b"text,gold\na,b\n" + b"," * 5_000_000 + b"\nc,d\n"
    assert texts(data, CSV) == ["a", "row-too-long", "c"]


def test_a_record_over_many_lines_is_bounded_too() -> None:
    cell = b'"' + b"x\n" * 2_000 + b'"'
    data = b"text,gold\n" + b",".join([cell] * 4) + b"\n" + b"after,b\n" * 5_000
    found = texts(data, CSV, row_bytes=10_000)
    assert "row-too-long" in found
    assert found[-1] == "after"


def test_bytes_that_are_not_utf_8_reach_the_row_rules_as_lone_surrogates() -> None:
    assert texts(b"text\ncaf\xe9\n", CSV) == ["caf\udce9"]


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"", CSV).code == "empty-file"


def test_a_header_alone_has_no_rows() -> None:
    assert rows(b"text\n", CSV) == []


def test_too_many_columns_are_refused() -> None:
    assert refusal(b"text" + b",c" * 1000 + b"\n", CSV).code == "unreadable-file"


@pytest.mark.parametrize(
    "start",
    [
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"PAR1",
        "text\n".encode("utf-16"),
        b"SQLite format 3\0",
        b"\x28\xb5\x2f\xfd",
    ],
)
@pytest.mark.parametrize("request_", [CSV, JSONL])
def test_another_format_in_disguise_is_refused(start: bytes, request_: ImportRequest) -> None:
    assert refusal(start + b"text\n" * 10, request_).code == "unreadable-file"


# --- JSON Lines ---------------------------------------------------------------


def test_jsonl_rows_keep_their_line_numbers() -> None:
    data = b'{"text": "a", "external_id": 7, "gold": ["x"]}\n\n{"text": "b", "other": [1]}\n'
    blank = {"external_id": None, "gold": None, "split": None, "lang": None}
    assert rows(data, JSONL) == [
        (1, {**blank, "text": "a", "external_id": "7", "gold": "x"}),
        (3, {**blank, "text": "b"}),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "malformed-row"),
        (b"[]", "malformed-row"),
        (b"null", "malformed-row"),
        (b'"text"', "malformed-row"),
        (b'{"text": NaN}', "malformed-row"),
        (b'{"text": "a", "x": Infinity}', "malformed-row"),
        (b'{"text": "a", "text": "b"}', "malformed-row"),
        (b'{"text": "a", "x": ' + b"9" * 5000 + b"}", "malformed-row"),
        (b"[" * 100_000, "malformed-row"),
        (b'{"a":' * 100_000, "malformed-row"),
        (b'{"text": "\xff"}', "invalid-text"),
        (b'{"text": 5}', "invalid-type"),
        (b'{"text": "a", "external_id": true}', "invalid-type"),
        (b'{"text": "a", "external_id": 1.5}', "invalid-type"),
        (b'{"text": "a", "gold": ["x", "y"]}', "too-many-labels"),
        (b'{"text": "a", "gold": [["x"]]}', "invalid-type"),
        (b'{"text": "' + b"a" * 2_000_000 + b'"}', "row-too-long"),
    ],
)
def test_a_hostile_line_costs_its_own_row_only(line: bytes, code: str) -> None:
    data = b'{"text": "before"}\n' + line + b'\n{"text": "after"}\n'
    assert texts(data, JSONL) == ["before", code, "after"]


def test_escaped_surrogates_and_nul_pass_on_to_the_row_rules() -> None:
    assert texts(b'{"text": "\\ud800\\u0000"}\n', JSONL) == ["\ud800\0"]


# --- Parquet --------------------------------------------------------------------


def test_parquet_rows_of_several_groups_and_types_are_read() -> None:
    table = pa.table(
        {
            "text": pa.array(["a", None, "c"], pa.large_string()),
            "external_id": pa.array([1, 2, None], pa.int32()),
            "gold": pa.array(["x", "y", "x"]).dictionary_encode(),
            "unused": pa.array([[1], [2], [3]]),
        }
    )
    assert rows(parquet(table, row_group_size=2), PARQUET) == [
        (1, {"text": "a", "external_id": "1", "gold": "x"}),
        (2, {"text": None, "external_id": "2", "gold": "y"}),
        (3, {"text": "c", "external_id": None, "gold": "x"}),
    ]


def test_parquet_without_a_text_column_is_refused() -> None:
    found = refusal(parquet(pa.table({"body": ["a"]})), PARQUET)
    assert (found.code, found.extras["columns"]) == ("missing-column", ["body"])


@pytest.mark.parametrize(
    "column", [pa.array([1.5]), pa.array([[1]]), pa.array([b"x"]), pa.array([1])]
)
def test_parquet_with_a_text_column_of_another_type_is_refused(column: Any) -> None:
    assert refusal(parquet(pa.table({"text": column})), PARQUET).code == "wrong-column-type"


def test_a_row_group_that_is_too_large_is_refused_before_it_is_read() -> None:
    data = parquet(pa.table({"text": [f"{n} " * 50 for n in range(2000)]}), row_group_size=1000)
    assert refusal(data, PARQUET, row_group_bytes=10_000).code == "row-group-too-large"
    assert len(rows(data, PARQUET)) == 2000


def test_one_long_value_repeated_many_times_is_never_expanded() -> None:
    indices = pa.array([0] * 5000, pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 3_000_000]))
    data = parquet(pa.table({"text": column}), dictionary_pagesize_limit=1 << 28)
    assert len(data) < 1_000_000
    assert set(texts(data, PARQUET, parser_bytes=2 << 30)) == {"too-long"}


def test_a_parser_that_dies_takes_nobody_with_it() -> None:
    data = parquet(pa.table({"text": ["a"]}))
    assert refusal(data, PARQUET, parser_bytes=1 << 27).code == "unreadable-file"


@pytest.mark.parametrize("cut", [4, 400, -1])
def test_a_damaged_parquet_file_is_refused(cut: int) -> None:
    data = parquet(pa.table({"text": ["a" * 50, "b" * 50] * 50}))
    assert refusal(data[:cut], PARQUET).code == "unreadable-file"


def test_noise_inside_a_parquet_file_is_refused_or_read_but_never_breaks() -> None:
    whole = parquet(pa.table({"text": [f"text {n}" for n in range(100)]}), compression="gzip")
    codes = set()
    for place in range(4, len(whole) - 8, 90):
        data = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        try:
            codes.add("read" if rows(data, PARQUET) else "empty")
        except InvalidInput as error:
            codes.add(error.code)
    assert "unreadable-file" in codes


# --- gzip -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "request_"),
    [
        (b"text\nhello\n", CSV),
        (b'{"text": "hello"}\n', JSONL),
        (parquet(pa.table({"text": ["hello"]})), PARQUET),
    ],
)
def test_gzip_of_every_format_is_read(data: bytes, request_: ImportRequest) -> None:
    packed = ImportRequest(format=request_.format, gzip=True)
    assert texts(gzip.compress(data), packed) == ["hello"]


def test_members_one_after_another_and_padding_are_one_file() -> None:
    data = gzip.compress(b"text\na\n") + gzip.compress(b"b\n") + b"\0" * 100_000
    assert texts(data, ImportRequest(format="csv", gzip=True)) == ["a", "b"]


def test_every_byte_of_a_large_gzip_arrives() -> None:
    plain = b"text\n" + b"".join(b"%d %d\n" % (n, n * n) for n in range(50_000))
    found = texts(gzip.compress(plain), ImportRequest(format="csv", gzip=True))
    assert (len(found), found[-1]) == (50_000, "49999 2499900001")


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_a_bomb_stops_early(format_: Any) -> None:
    bomb = gzip.compress(b"\0" * 40_000_000, compresslevel=9)
    start = {"csv": b"text\n", "jsonl": b"{}\n", "parquet": b"PAR1"}[format_]
    request = ImportRequest(format=format_, gzip=True)
    with traced() as peak:
        assert refusal(gzip.compress(start) + bomb, request).code == "decompression-bomb"
        assert peak() < 10_000_000


def test_the_unpacked_size_is_bounded_whatever_the_ratio() -> None:
    data = gzip.compress(b"text\n" + bytes(range(97, 122)) * 1000)
    request = ImportRequest(format="csv", gzip=True)
    assert refusal(data, request, unpacked_bytes=1000).code == "decompression-bomb"


@pytest.mark.parametrize("spoil", [lambda d: d[:-9], lambda d: d[:30] + b"??" + d[32:]])
def test_damaged_or_cut_gzip_is_refused(spoil: Any) -> None:
    data = spoil(gzip.compress(b"text\n" + b"".join(b"%d\n" % n for n in range(1000))))
    assert refusal(data, ImportRequest(format="csv", gzip=True)).code == "unreadable-file"


def test_a_gzip_that_is_none_is_refused() -> None:
    assert refusal(b"text\na\n", ImportRequest(format="csv", gzip=True)).code == "unreadable-file"


def test_a_gzip_within_a_gzip_is_refused() -> None:
    twice = gzip.compress(gzip.compress(b"text\na\n"))
    assert refusal(twice, ImportRequest(format="csv", gzip=True)).code == "unreadable-file"


# --- the head ---------------------------------------------------------------------


def condemned(head: bytes, request: ImportRequest, *, whole: bool) -> str | None:
    try:
        FileReader().check_head(head, request, whole=whole)
    except InvalidInput as error:
        return error.code
    return None


LONG_CSV = b"text,gold\n" + b"hello,x\n" * 20_000


@pytest.mark.parametrize(
    ("head", "request_", "code"),
    [
        (LONG_CSV, CSV, None),
        (LONG_CSV, ImportRequest(format="csv", text_column="body"), "missing-column"),
        (LONG_CSV, JSONL, "malformed-row"),
        (LONG_CSV, PARQUET, "unreadable-file"),
        (LONG_CSV, ImportRequest(format="csv", gzip=True), "unreadable-file"),
        (b"text,gold\n" + b"hello\n" * 20_000, CSV, "ragged-row"),
        (b'{"body": "a"}\n' * 10_000, JSONL, "missing-column"),
        (gzip.compress(LONG_CSV), ImportRequest(format="csv", gzip=True), None),
        (
            gzip.compress(LONG_CSV),
            ImportRequest(format="csv", gzip=True, text_column="body"),
            "missing-column",
        ),
        (gzip.compress(LONG_CSV), CSV, "unreadable-file"),
        (b"", CSV, "empty-file"),
        (b'text\n"one long record\n' + b"that goes on\n" * 6000, CSV, None),
    ],
)
def test_the_first_bytes_already_condemn_a_wrong_file(
    head: bytes, request_: ImportRequest, code: str | None
) -> None:
    assert condemned(head[:65_536], request_, whole=False) == code


def test_a_jsonl_file_without_the_text_key_is_told_its_keys() -> None:
    with pytest.raises(InvalidInput) as found:
        FileReader().check_head(b'{"body": "a", "nr": 1}\n', JSONL, whole=True)
    assert found.value.extras["columns"] == ["body", "nr"]


def test_a_small_parquet_file_is_judged_whole() -> None:
    assert condemned(parquet(pa.table({"body": ["a"]})), PARQUET, whole=True) == "missing-column"
    assert condemned(parquet(pa.table({"text": ["a"]})), PARQUET, whole=True) is None


def test_a_gzip_head_cut_anywhere_is_not_called_damaged() -> None:
    data = gzip.compress(b"text\n" + b"".join(b"%d\n" % n for n in range(50_000)))
    request = ImportRequest(format="csv", gzip=True)
    cuts = range(11, len(data), len(data) // 40)
    assert {condemned(data[:cut], request, whole=False) for cut in cuts} == {None}


# --- memory ---------------------------------------------------------------------


def _peak(path: Path, request: ImportRequest) -> int:
    with traced() as peak, path.open("rb") as stream:
        assert sum(1 for _ in read_rows(stream, request)) > 0
        return peak()


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, format_: Any) -> None:
    peaks = []
    for size in (2_000, 20_000):
        lines = [f"row {n} " + "x" * 100 for n in range(size)]
        data = {
            "csv": lambda ls=lines: "text\n" + "\n".join(ls),
            "jsonl": lambda ls=lines: "\n".join(json.dumps({"text": t}) for t in ls),
            "parquet": lambda ls=lines: parquet(pa.table({"text": ls}), row_group_size=1000),
        }[format_]()
        path = tmp_path / f"{size}.{format_}"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        peaks.append(_peak(path, ImportRequest(format=format_)))
    assert peaks[1] < peaks[0] * 1.5 + 200_000


def test_the_real_sets_are_read_whole() -> None:
    folder = Path("../shared/data")
    if not folder.exists():
        pytest.skip("the real sets are not here")
    request = ImportRequest(format="csv", gzip=True, id_column="id", gold_column="label")
    for path in sorted(folder.glob("*.csv.gz")):
        with path.open("rb") as stream:
            bad = [row for _, row in read_rows(stream, request) if isinstance(row, InvalidInput)]
        assert bad == []
