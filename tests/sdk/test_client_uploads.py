"""Rows and files on their way into the pool."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from tailwise_client import InvalidInput, OperationFailed
from tailwise_client.asking import chunked, evenly
from tests.sdk.conftest import CLASSES, SETTINGS, rows

COLUMNS = {"text": "text", "external_id": "id", "gold": "label", "split": "split"}


def test_ten_thousand_rows_go_in_parts_that_the_service_takes(session, tailwise):
    heard = []
    many = ({"external_id": f"r{n}", "text": f"text number {n}"} for n in range(10_000))
    found = session.upload(many, on_progress=heard.append)
    sent = [progress.done for progress in heard if progress.phase == "upload"]
    assert found.created == 10_000
    assert sent == [1000 * n for n in range(1, 11)]
    assert [row.index for row in found.results] == list(range(10_000))
    assert found.results[-1].external_id == "r9999"
    assert session.get().phase == "ready_to_select"


def test_a_bad_row_is_told_by_its_place_in_the_upload(session):
    many = [{"text": f"text {n}"} for n in range(1500)]
    many[1200] = {"text": "  "}
    found = session.upload(many)
    [refused] = found.rejections
    assert (found.created, found.rejected) == (1499, 1)
    assert (refused.index, refused.error.code) == (1200, "empty-text")


def test_rows_that_are_there_are_left_alone(session):
    session.upload(rows(6))
    assert session.upload(rows(6)).unchanged == 6


def test_long_rows_are_parted_by_their_bytes():
    short, long = {"text": "x"}, {"text": "x" * 200}
    parts = list(chunked([short, short, short, long, long, short], most=2, most_bytes=120))
    assert parts == [[short, short], [short], [long], [long], [short]]


@pytest.mark.parametrize("count", [0, 1, 5, 6, 11])
def test_even_parts_leave_no_row_alone(count):
    parts = list(evenly(list(range(count)), most=5))
    assert [n for part in parts for n in part] == list(range(count))
    assert all(len(part) <= 5 for part in parts)
    assert count == 1 or all(len(part) > 1 for part in parts)


def test_a_csv_file_is_streamed_and_imported(tailwise, corpus_file):
    heard = []
    session = tailwise.create_session("messages", labels=CLASSES, settings=SETTINGS)
    found = session.upload(corpus_file, columns=COLUMNS, on_progress=heard.append)
    sent = [progress for progress in heard if progress.phase == "upload"]
    assert found.created == 958
    assert sent[-1].done == sent[-1].total == corpus_file.stat().st_size
    assert session.get().counts["test"] == 180


def test_a_compressed_json_lines_file_is_imported(session, tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "one"}\n{"text": "two"}\n'))
    assert session.upload(str(path)).created == 2


def test_a_files_own_splits_get_our_names(session, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,split\nfirst,train\nsecond,held\n")
    session.upload(path, split_values={"train": "pool", "held": "test"})
    assert (session.get().counts["pool"], session.get().counts["test"]) == (1, 1)


def test_an_import_that_fails_says_why(session, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("body\nfirst\n")
    with pytest.raises((OperationFailed, InvalidInput)) as caught:
        session.upload(path)
    assert caught.value.code == "missing-column"


def test_refused_rows_of_a_file_can_be_read(session, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "one"}\n{"text": ""}\n')
    found = session.upload(path)
    errors = session.import_errors(found.import_id, to=tmp_path / "errors.jsonl")
    assert found.rejected == 1
    assert "empty-text" in errors.read_text()


def test_a_pandas_frame_is_uploaded_without_its_gaps(session):
    frame = pd.DataFrame(
        {"text": ["one", "two"], "lang": ["en", None], "score": [1.0, float("nan")]}
    )
    found = session.upload(frame)
    assert found.created == 2
    assert [item.lang for item in session.items()] == ["en", None]


class PolarsLike:
    """Quacks as a polars frame does."""

    def to_dicts(self):
        return [{"id": "a", "body": "one"}, {"id": "b", "body": "two"}]


def test_a_polars_frame_is_uploaded_by_its_columns(session):
    session.upload(PolarsLike(), columns={"text": "body", "external_id": "id"})
    assert [item.external_id for item in session.items()] == ["a", "b"]


def test_an_unknown_ending_is_refused_before_anything_is_sent(session, tmp_path):
    (tmp_path / "rows.xlsx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"\.csv"):
        session.upload(tmp_path / "rows.xlsx")


@pytest.mark.parametrize(
    ("source", "options"),
    [([], {"test_share": 0.2}), ("rows.csv", {"columns": {"texts": "body"}})],
)
def test_options_that_do_not_fit_the_source_are_refused(session, source, options):
    with pytest.raises(TypeError):
        session.upload(source, **options)
