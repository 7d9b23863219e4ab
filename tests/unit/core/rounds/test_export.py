"""Labels and training data leave as files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pool_world import START, DurableJob, World, label_often, make_world, row

from adapters.files import FileWriter
from core.errors import Cancelled, Conflict, NotFound
from core.records import Generation, Operation
from core.requests import ExportRequest
from core.rounds.export import export_content, run_export, start_export
from core.rounds.ingest import add_items

HOSTILE = "=cmd|'/c calc'!A1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    rows = [
        row("a", HOSTILE, gold=("other",)),
        row("b", 'two\nlines, "quoted"', gold=("other",)),
        row("c", "third", gold=("other",)),
    ]
    add_items(made.session, rows, on_conflict="error", mode="atomic", **made.tools)
    yield made
    made.store.close()


def labelled(world: World) -> list[Any]:
    """a is spam; b was ham and then spam."""
    items = world.items()
    world.label(items[0].id, "spam", seq=1)
    world.label(items[1].id, "ham", seq=2)
    world.label(items[1].id, "spam", seq=3, kind="superseded")
    return items


def variation(
    world: World, id: str, seed: Any, *, label: str = "spam", state: Any = "accepted"
) -> None:
    made = Generation(
        id=id,
        tenant_id="ten_1",
        session_id=world.session.id,
        operation_id="op_x",
        round=1,
        seed_item_id=seed.id,
        seed_label_id="lab_x",
        text=f"a variation {id}",
        labels=(label,),
        original_text=None,
        original_labels=None,
        state=state,
        screens=(),
        needs_review=False,
        generator="perturb",
        model=None,
        template_id="attributes",
        template_version=1,
        template_sha256="t" * 64,
        attributes=("short", "angry"),
        example_ids=(),
        contrast=None,
        prompt_sha256="p" * 64,
        response_sha256="r" * 64,
        request_id=None,
        reviewer="ann_1",
        reason=None,
        revision=1,
        created_at=START,
        reviewed_at=None,
    )
    with world.store.write() as tx:
        tx.generations.add_many([made])


def start(world: World, request: ExportRequest, *, request_key: str | None = None) -> Operation:
    return start_export(world.session, request, request_key=request_key, **world.tools)


def run(world: World, operation: Operation, *, job: DurableJob | None = None) -> Any:
    return run_export(
        operation,
        world.session,
        job=job or DurableJob(),
        store=world.store,
        blobs=world.blobs,
        writer=FileWriter(),
    )


def exported(world: World, what: Any, format: Any = "jsonl", *, text: bool = True) -> list[Any]:
    request = ExportRequest(what=what, format=format, include_text=text)
    data = world.blobs.held[run(world, start(world, request))["blob"]]
    if format == "jsonl":
        return [json.loads(line) for line in data.decode().splitlines()]
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_labels_are_every_event_in_order_with_the_items_own_id(world: World) -> None:
    labelled(world)
    found = exported(world, "labels")
    assert [(r["seq"], r["external_id"], r["kind"], r["labels"]) for r in found] == [
        (1, "a", "created", ["spam"]),
        (2, "b", "created", ["ham"]),
        (3, "b", "superseded", ["spam"]),
    ]
    assert found[0]["text"] == HOSTILE
    assert found[0]["annotator_id"] == "ann_1"


def test_more_labels_than_a_page_all_arrive(world: World) -> None:
    label_often(world, world.items()[0].id, times=1202)
    assert [r["seq"] for r in exported(world, "labels")] == list(range(1, 1203))


def test_texts_stay_at_home_when_asked(world: World) -> None:
    items = labelled(world)
    variation(world, "gen_1", items[0])
    for what in ("labels", "training"):
        for format in ("jsonl", "csv"):
            assert all("text" not in found for found in exported(world, what, format, text=False))


def test_csv_cells_are_formula_safe_and_jsonl_texts_unchanged(world: World) -> None:
    labelled(world)
    assert exported(world, "labels", "csv")[0]["text"] == "'" + HOSTILE
    assert exported(world, "labels", "csv")[1]["text"] == 'two\nlines, "quoted"'
    assert exported(world, "labels", "jsonl")[0]["text"] == HOSTILE


def test_training_data_is_what_counts_now_and_what_may_train(world: World) -> None:
    items = labelled(world)
    variation(world, "gen_1", items[0])
    variation(world, "gen_2", items[0], state="rejected")
    variation(world, "gen_3", items[0], state="proposed")
    found = exported(world, "training")
    assert [(r["id"], r["labels"], r["synthetic"], r["weight"]) for r in found] == [
        (items[0].id, ["spam"], False, 1.0),
        (items[1].id, ["spam"], False, 1.0),
        ("gen_1", ["spam"], True, 0.3),
    ]
    assert found[2]["seed_item_id"] == items[0].id
    assert found[2]["template_id"] == "attributes"
    assert found[2]["attributes"] == ["short", "angry"]


def test_the_weight_is_the_one_that_training_uses_where_the_cap_binds(world: World) -> None:
    items = labelled(world)
    capped = replace(world.session.settings, generated_cap=0.1)
    world.session = replace(world.session, settings=capped)
    for n in range(4):
        variation(world, f"gen_{n}", items[0])
    weights = [r["weight"] for r in exported(world, "training") if r["synthetic"]]
    assert weights == pytest.approx([0.1 * 2 / 4] * 4)


@pytest.mark.parametrize("what", ["labels", "training"])
@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_gold_is_never_exported(world: World, what: Any, format: Any) -> None:
    labelled(world)
    request = ExportRequest(what=what, format=format)
    data = world.blobs.held[run(world, start(world, request))["blob"]]
    assert b"other" not in data
    assert b"gold" not in data


def test_labels_that_come_after_the_request_are_not_in_it(world: World) -> None:
    items = labelled(world)
    operation = start(world, ExportRequest(what="labels", format="jsonl"))
    training = start(world, ExportRequest(what="training", format="jsonl"))
    world.label(items[2].id, "ham", seq=4)
    variation(world, "gen_late", items[0])
    assert run(world, operation)["rows"] == 3
    assert run(world, training)["rows"] == 2


def test_the_result_describes_the_file_and_is_the_same_when_run_again(world: World) -> None:
    labelled(world)
    operation = start(world, ExportRequest(what="labels", format="csv"))
    result = run(world, operation)
    data = world.blobs.held[result["blob"]]
    assert result == {
        "rows": 3,
        "blob": hashlib.sha256(data).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "media_type": "text/csv",
        "filename": "ses_1-labels.csv",
    }
    assert run(world, operation) == result


def test_an_export_of_nothing_is_an_empty_file_with_a_header_in_csv(world: World) -> None:
    assert exported(world, "labels", "jsonl") == []
    assert exported(world, "training", "csv") == []


def test_an_export_stops_when_asked(world: World) -> None:
    label_often(world, world.items()[0].id, times=600)
    operation = start(world, ExportRequest(what="labels", format="jsonl"))
    with pytest.raises(Cancelled):
        run(world, operation, job=DurableJob(cancel_after=0))


def test_the_same_request_key_is_one_export(world: World) -> None:
    request = ExportRequest(what="labels", format="jsonl")
    assert start(world, request, request_key="k") == start(world, request, request_key="k")


def test_the_content_of_a_finished_export_streams_and_of_others_is_refused(world: World) -> None:
    labelled(world)
    operation = start(world, ExportRequest(what="labels", format="jsonl"))
    stores = {"store": world.store, "blobs": world.blobs}
    with pytest.raises(Conflict) as refusal:
        export_content(world.session, operation.id, **stores)
    assert refusal.value.code == "operation-not-finished"
    result = run(world, operation)
    with world.store.write() as tx:
        now = world.clock.now()
        tx.operations.finish(operation.id, "succeeded", result=result, error=None, now=now)
    content = b"".join(export_content(world.session, operation.id, **stores))
    assert hashlib.sha256(content).hexdigest() == result["sha256"]
    with pytest.raises(NotFound):
        export_content(replace(world.session, id="ses_2"), operation.id, **stores)
