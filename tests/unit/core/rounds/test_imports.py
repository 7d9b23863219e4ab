"""Files enter the pool, once, whatever happens on the way."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pool_world import Crash, DurableJob, World, close_session, make_world, row

from core.errors import Cancelled, Conflict, InvalidInput, JobFailed, NotFound
from core.records import Operation
from core.requests import ImportRequest
from core.rounds.imports import import_errors
from core.rounds.ingest import add_items

CSV = ImportRequest(format="csv")
JSONL = ImportRequest(format="jsonl")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 6 rows in transactions of 2, so that small files have many boundaries."""
    monkeypatch.setattr("core.import_rows.CHUNK_ROWS", 6)
    monkeypatch.setattr("core.import_chunks.TRANSACTION_ROWS", 2)


def table(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    columns = list(dict.fromkeys(name for found in rows for name in found))
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"external_id": f"r{n}", "text": f"text number {n}", **more} for n in range(count)]


def errors_of(world: World, operation: Operation, outcome: Any) -> list[Any]:
    with world.store.write() as tx:
        tx.operations.finish(
            operation.id, "succeeded", result=outcome, error=None, now=world.clock.now()
        )
    data = b"".join(
        import_errors(world.session, operation.id, store=world.store, blobs=world.blobs)
    )
    return [json.loads(line) for line in data.splitlines()]


# --- starting ------------------------------------------------------------------


def test_an_upload_is_stored_and_queued(world: World) -> None:
    data = table(numbered(3))
    operation = world.start(data, CSV)
    assert world.blobs.held[operation.input["blob"]] == data
    assert (operation.kind, operation.state, operation.input["bytes"]) == (
        "import",
        "queued",
        len(data),
    )
    assert world.jobs.enqueued == [operation]


def test_the_same_request_key_is_one_import_and_is_not_read_again(world: World) -> None:
    first = world.start(table(numbered(3)), CSV, request_key="k1")
    again = world.start(b"not even a file", CSV, request_key="k1")
    assert again == first


@pytest.mark.parametrize(
    ("data", "request_", "code"),
    [
        (b"", CSV, "empty-file"),
        (b"body\nhello\n", CSV, "missing-column"),
        (b"text,gold\nhello\n", CSV, "ragged-row"),
        (b"PK\x03\x04", CSV, "unreadable-file"),
        (b"text\nhello\n", ImportRequest(format="parquet"), "unreadable-file"),
        (b"text\n" + b"x\n" * 50_000, ImportRequest(format="csv", gzip=True), "unreadable-file"),
        (
            b"text\na\n",
            ImportRequest(format="csv", test_share=0.6, reserve_share=0.4),
            "out-of-range",
        ),
        (b"text\na\n", ImportRequest(format="csv", test_share=-0.1), "out-of-range"),
        (
            b"text\na\n",
            ImportRequest(format="csv", split_values={"train": "training"}),  # type: ignore[dict-item]
            "unknown-split",
        ),
    ],
)
def test_a_file_that_is_wrong_from_the_start_is_refused_and_not_kept(
    world: World, data: bytes, request_: ImportRequest, code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        world.start(data, request_)
    assert refusal.value.code == code
    assert world.blobs.held == {}
    assert world.operations("import") == []


def test_a_file_past_the_limit_is_refused_while_it_streams(world: World) -> None:
    with pytest.raises(InvalidInput) as refusal:
        world.start(table(numbered(10_000)), CSV, max_bytes=100_000)
    assert refusal.value.code == "payload-too-large"
    assert world.blobs.held == {}


def test_a_closed_session_imports_nothing(world: World) -> None:
    close_session(world)
    with pytest.raises(Conflict) as refusal:
        world.start(table(numbered(1)), CSV)
    assert refusal.value.code == "session-not-open"


def test_one_replacing_import_runs_at_a_time(world: World) -> None:
    replacing = ImportRequest(format="csv", on_conflict="update")
    world.start(table(numbered(1)), replacing)
    with pytest.raises(Conflict) as refusal:
        world.start(table(numbered(2)), replacing)
    assert refusal.value.code == "operation-in-progress"
    assert world.start(table(numbered(2)), CSV).state == "queued"


# --- what becomes of the rows --------------------------------------------------------


def test_rows_enter_the_pool_and_one_index_operation_follows(world: World) -> None:
    rows = numbered(1201, gold="spam", lang="en")
    result = world.bring(table(rows), CSV)
    items = world.items()
    assert (result["rows"], result["created"], result["rejected"]) == (1201, 1201, 0)
    assert [item.external_id for item in items] == [found["external_id"] for found in rows]
    assert result["gold"] == {"spam": 1201}
    assert result["splits"] == {"pool": 1201, "test": 0, "reserve": 0, "check": 0}
    assert [o.id for o in world.operations("index")] == [result["index_operation"]]
    assert world.now().state == "open"


def test_no_transaction_holds_more_than_500_rows_and_events_hold_only_counts(world: World) -> None:
    world.bring(table(numbered(1201)), CSV)
    events = world.events("items.added")
    assert [event.data["created"] for event in events] == [500, 500, 201]
    assert all(
        isinstance(value, int)
        for event in events
        for key, value in event.data.items()
        if key != "operation_id"
    )


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_pool(world: World, format_: Any, packed: bool) -> None:
    rows = numbered(20, gold="ham")
    lines = b"".join(json.dumps(found).encode() + b"\n" for found in rows)
    data = table(rows) if format_ == "csv" else lines
    request = ImportRequest(format=format_, gzip=packed)
    result = world.bring(gzip.compress(data) if packed else data, request)
    assert (result["created"], result["gold"]) == (20, {"ham": 20})


def test_every_bad_row_is_reported_without_its_text(world: World) -> None:
    data = (
        b"external_id,text,gold,split\n"
        b"a,fine,spam,\n"
        b"b,,spam,\n"
        b"c,canary,eggs,\n"
        b"d,canary,spam,canary\n"
        b"e,canary\n"
        b"f,canary \xff,spam,\n"
        b'g,"canary" x,spam,\n'
    )
    operation = world.start(data, CSV)
    result = world.run(operation)
    assert (result["created"], result["rejected"]) == (1, 6)
    found = errors_of(world, operation, result)
    assert [(e["row"], e["pointer"], e["code"]) for e in found] == [
        (2, "/text", "empty-text"),
        (3, "/gold", "label-not-in-schema"),
        (4, "/split", "unknown-split"),
        (5, "", "ragged-row"),
        (6, "/text", "invalid-text"),
        (7, "", "malformed-row"),
    ]
    assert "canary" not in json.dumps(found)
    assert result["errors"] == found


def test_the_result_shows_100_errors_and_the_file_has_all(world: World) -> None:
    rows = [*numbered(1), *({"external_id": f"b{n}", "text": ""} for n in range(1300))]
    operation = world.start(table(rows), CSV)
    result = world.run(operation)
    assert len(result["errors"]) == 100
    found = errors_of(world, operation, result)
    assert [e["row"] for e in found] == list(range(2, 1302))


def test_error_files_of_chunks_do_not_stay_behind(world: World, small_chunks: None) -> None:
    rows = [{"external_id": f"b{n}", "text": "" if n % 2 else "fine"} for n in range(40)]
    operation = world.start(table(rows), CSV)
    result = world.run(operation)
    assert set(world.blobs.held) == {operation.input["blob"], result["errors_blob"]}


def test_when_every_row_is_bad_the_import_fails_and_says_why(world: World) -> None:
    rows = [{"external_id": f"r{n}", "text": "a", "gold": "eggs"} for n in range(30)]
    with pytest.raises(JobFailed) as failure:
        world.bring(table(rows), CSV)
    assert failure.value.code == "no-valid-rows"
    assert failure.value.extras["rejected"] == 30
    assert failure.value.extras["errors_blob"] in world.blobs.held
    assert world.operations("index") == []
    assert world.now().state == "draft"


def test_a_file_without_rows_fails(world: World) -> None:
    with pytest.raises(JobFailed):
        world.bring(b"text\n", CSV)


def test_errors_of_a_failed_import_can_be_downloaded(world: World) -> None:
    operation = world.start(table([{"text": "a", "gold": "eggs"}]), CSV)
    with pytest.raises(JobFailed) as failure:
        world.run(operation)
    with world.store.write() as tx:
        tx.operations.finish(
            operation.id,
            "failed",
            result=None,
            error={"code": "no-valid-rows", "extras": failure.value.extras},
            now=world.clock.now(),
        )
    data = import_errors(world.session, operation.id, store=world.store, blobs=world.blobs)
    assert json.loads(b"".join(data))["code"] == "label-not-in-schema"


def test_errors_of_an_unfinished_or_foreign_operation_are_refused(world: World) -> None:
    operation = world.start(table(numbered(1)), CSV)
    with pytest.raises(Conflict) as refusal:
        import_errors(world.session, operation.id, store=world.store, blobs=world.blobs)
    assert refusal.value.code == "operation-not-finished"
    index = add_items(world.session, [row("x")], on_conflict="error", mode="atomic", **world.tools)
    with pytest.raises(NotFound):
        import_errors(world.session, index.operation.id, store=world.store, blobs=world.blobs)


def test_a_clean_import_has_no_error_file(world: World) -> None:
    operation = world.start(table(numbered(2)), CSV)
    result = world.run(operation)
    assert result["errors_blob"] is None
    assert errors_of(world, operation, result) == []


def test_a_file_that_breaks_off_leaves_nothing_behind(world: World) -> None:
    data = gzip.compress(table([{"text": f"{n} {n * 7919}"} for n in range(60_000)]))
    operation = world.start(data[:-20], ImportRequest(format="csv", gzip=True))
    with pytest.raises(InvalidInput) as failure:
        world.run(operation)
    assert failure.value.code == "unreadable-file"
    assert world.items() == []
    assert world.now().state == "draft"


def test_rows_without_an_id_are_stored_once_however_often_they_come(world: World) -> None:
    data = table([{"text": "the same"}, {"text": "The  SAME"}, {"text": "another"}])
    first = world.bring(data, ImportRequest(format="csv", on_conflict="skip"))
    assert (first["created"], first["skipped"]) == (2, 1)
    again = world.bring(data, ImportRequest(format="csv", on_conflict="skip"))
    assert (again["created"], again["unchanged"], again["skipped"]) == (0, 2, 1)
    assert again["index_operation"] is None


def test_a_repeated_id_meets_its_earlier_row_wherever_chunks_are_cut(
    world: World, small_chunks: None
) -> None:
    rows = numbered(20)
    rows += [rows[0], {**rows[1], "text": "changed"}, {**rows[19], "text": "changed too"}]
    result = world.bring(table(rows), CSV)
    assert (result["created"], result["unchanged"], result["rejected"]) == (20, 1, 2)
    assert [e["code"] for e in result["errors"]] == ["external-id-conflict"] * 2


@pytest.mark.parametrize(
    ("on_conflict", "text", "outcome"),
    [("error", "first", "rejected"), ("skip", "first", "skipped"), ("update", "second", "updated")],
)
def test_on_conflict_decides_about_rows_that_differ(
    world: World, on_conflict: Any, text: str, outcome: str
) -> None:
    world.bring(table([{"external_id": "a", "text": "first"}]), CSV)
    rows = [{"external_id": "a", "text": "second"}, {"external_id": "b", "text": "new"}]
    result = world.bring(table(rows), ImportRequest(format="csv", on_conflict=on_conflict))
    assert (result[outcome], result["created"]) == (1, 1)
    assert world.items()[0].text == text


def test_a_pool_row_with_a_test_rows_text_is_refused(world: World) -> None:
    rows = [
        {"external_id": "a", "text": "same", "split": "test"},
        {"external_id": "b", "text": "SAME", "split": "pool"},
    ]
    assert [e["code"] for e in world.bring(table(rows), CSV)["errors"]] == ["test-leak"]


def test_a_files_own_split_names_are_translated(world: World) -> None:
    rows = [{"text": "a", "split": "train"}, {"text": "b", "split": "test"}, {"text": "c"}]
    request = ImportRequest(format="csv", split_values={"train": "pool"})
    splits = world.bring(table(rows), request)["splits"]
    assert splits == {"pool": 2, "test": 1, "reserve": 0, "check": 0}


# --- splitting by hash -------------------------------------------------------------


def skewed() -> list[dict[str, Any]]:
    rows = [{"text": f"spam {n}", "gold": "spam"} for n in range(400)]
    rows += [{"text": f"ham {n}", "gold": "ham"} for n in range(40)]
    return rows + [{"text": f"nothing known {n}", "gold": ""} for n in range(60)]


def test_rows_are_split_by_their_texts_stratified_by_gold(world: World) -> None:
    request = ImportRequest(format="csv", test_share=0.2, reserve_share=0.1)
    result = world.bring(table(skewed()), request)
    assert result["splits"] == {"pool": 350, "test": 100, "reserve": 50, "check": 0}
    gold = world.gold()
    tests = Counter(gold[i.external_id] for i in world.items() if i.split == "test")
    assert tests == {("spam",): 80, ("ham",): 8, None: 12}


def test_the_order_of_the_rows_does_not_move_them_to_another_split(
    world: World, tmp_path: Path
) -> None:
    other_place = tmp_path / "other"
    other_place.mkdir()
    other = make_world(other_place)
    request = ImportRequest(format="csv", test_share=0.2)
    world.bring(table(skewed()), request)
    other.bring(table(skewed()[::-1]), request)
    splits = [{i.external_id: i.split for i in w.items()} for w in (world, other)]
    other.store.close()
    assert splits[0] == splits[1]


def test_a_row_with_a_split_of_its_own_keeps_it(world: World) -> None:
    rows = [{**found, "split": "reserve" if n < 10 else ""} for n, found in enumerate(skewed())]
    result = world.bring(table(rows), ImportRequest(format="csv", test_share=0.5))
    assert result["splits"]["reserve"] == 10
    assert result["splits"]["test"] == 245


# --- dry run ------------------------------------------------------------------------


def test_a_dry_run_reports_and_stores_nothing(world: World) -> None:
    world.bring(table([{"external_id": "a", "text": "there"}]), CSV)
    rows = [
        {"external_id": "a", "text": "there"},
        {"external_id": "b", "text": "new"},
        {"external_id": "c", "text": ""},
    ]
    before = len(world.events())
    result = world.bring(table(rows), ImportRequest(format="csv", dry_run=True))
    assert (result["unchanged"], result["created"], result["rejected"]) == (1, 1, 1)
    assert [e["code"] for e in result["errors"]] == ["empty-text"]
    assert [i.external_id for i in world.items()] == ["a"]
    assert [e.type for e in world.events()[before:]] == ["operation.queued"]
    assert result["index_operation"] is None


def test_a_dry_run_of_bad_rows_succeeds_with_the_errors(world: World) -> None:
    result = world.bring(table([{"text": ""}]), ImportRequest(format="csv", dry_run=True))
    assert (result["rejected"], len(result["errors"])) == (1, 1)


# --- progress and cancelling ------------------------------------------------------------


def test_progress_counts_rows_of_a_known_total(world: World, small_chunks: None) -> None:
    job = DurableJob()
    world.run(world.start(table(numbered(15)), CSV), job)
    assert job.seen == [("store", 6, 15), ("store", 12, 15), ("store", 15, 15)]


def test_a_cancelled_import_keeps_and_indexes_what_it_stored(
    world: World, small_chunks: None
) -> None:
    rows = [{"external_id": f"r{n}", "text": "" if n == 3 else f"t{n}"} for n in range(20)]
    operation = world.start(table(rows), CSV)
    with pytest.raises(Cancelled):
        world.run(operation, DurableJob(cancel_after=2))
    assert len(world.items()) == 11
    assert len(world.operations("index")) == 1
    assert set(world.blobs.held) == {operation.input["blob"]}


def test_an_import_cancelled_before_its_first_row_leaves_nothing(world: World) -> None:
    with pytest.raises(Cancelled):
        world.run(world.start(table(numbered(5)), CSV), DurableJob(cancel_after=0))
    assert world.items() == []
    assert world.operations("index") == []


# --- crashes ----------------------------------------------------------------------------


class DyingStore:
    """Dies right before or right after the ``crash_at``-th commit."""

    def __init__(self, store: Any, *, crash_at: int | None = None) -> None:
        self._store = store
        self._crash_at = crash_at
        self.moments = 0

    def read(self) -> Any:
        return self._store.read()

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self._store.write() as tx:
            yield tx
            self._moment()
        self._moment()

    def _moment(self) -> None:
        if self.moments == self._crash_at:
            raise Crash
        self.moments += 1


def messy() -> bytes:
    """Rows of every fate, with repeats before, on and across the cuts."""
    rows = [
        {"external_id": f"r{n}", "text": f"text {n}", "gold": ("spam", "ham", "")[n % 3]}
        for n in range(14)
    ]
    rows[3]["text"] = ""
    rows[8]["gold"] = "eggs"
    rows.insert(5, dict(rows[2]))
    rows.insert(9, {**rows[1], "text": "changed 1"})
    rows.append({**rows[0], "text": "changed 0"})
    rows.append({"external_id": "twin", "text": "TEXT 12", "gold": "", "split": "test"})
    return table(rows)


def outcome(world: World, result: Any) -> Any:
    """What must not depend on crashes: the pool, the counts, the errors."""
    pool = [(i.position, i.external_id, i.text, i.split) for i in world.items()]
    counted = {k: v for k, v in result.items() if k != "index_operation"}
    events = [dict(e.data) for e in world.events("items.added")]
    errors = world.blobs.held.get(result["errors_blob"], b"")
    return pool, world.gold(), counted, events, errors


@pytest.mark.parametrize(
    ("where", "on_conflict"), [("step", "update"), ("commit", "update"), ("commit", "error")]
)
def test_a_crash_anywhere_changes_nothing_about_the_end(
    tmp_path: Path, small_chunks: None, where: str, on_conflict: Any
) -> None:
    request = ImportRequest(format="csv", on_conflict=on_conflict, test_share=0.2)
    expected, moments = _run_with_crash(tmp_path / "calm", request, where=where, crash_at=None)
    assert moments > 8
    for moment in range(moments):
        found, _ = _run_with_crash(tmp_path / f"{moment}", request, where=where, crash_at=moment)
        assert found == expected, f"differs after a crash at moment {moment}"


def _run_with_crash(
    directory: Path, request: ImportRequest, *, where: str, crash_at: int | None
) -> tuple[Any, int]:
    directory.mkdir()
    world = make_world(directory)
    operation = world.start(messy(), request)
    records: dict[str, str] = {}
    job = DurableJob(records, crash_at=crash_at if where == "step" else None)
    healthy = world.store
    dying = DyingStore(healthy, crash_at=crash_at if where == "commit" else None)
    world.store = dying  # type: ignore[assignment]
    try:
        result = world.run(operation, job)
    except Crash:
        world.store = healthy
        result = world.run(operation, DurableJob(records))
    world.store = healthy
    found = outcome(world, result)
    healthy.close()
    return found, job.moments if where == "step" else dying.moments
