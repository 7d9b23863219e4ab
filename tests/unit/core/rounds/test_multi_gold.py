"""Gold of several classes: in rows, in files of every format, and in splits."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pool_world import World, make_world

from core.errors import InvalidInput
from core.ingest_rules import check_row
from core.requests import ImportRequest
from core.splitting import plan_gold_splits, plan_splits

CLASSES = ("spam", "ham", "other")
GIVEN: dict[str, Any] = {
    "one": ["spam"],
    "two": ["spam", "ham"],
    "none": [],
    "unknown": None,
}
HELD = {"one": ("spam",), "two": ("ham", "spam"), "none": (), "unknown": None}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path, kind="multi")
    yield made
    made.store.close()


def gold_of(value: Any) -> Any:
    return check_row({"text": "a", "gold": value}, class_ids=CLASSES, multi_label=True).gold


@pytest.mark.parametrize(
    ("value", "gold"),
    [
        ("spam", ("spam",)),
        ("spam|ham", ("ham", "spam")),
        (" spam | ham ", ("ham", "spam")),
        ("|", ()),
        ([], ()),
        (["other", "ham"], ("ham", "other")),
        ("", None),
        (None, None),
    ],
)
def test_a_gold_cell_names_any_number_of_classes(value: Any, gold: Any) -> None:
    assert gold_of(value) == gold


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("spam|eggs", "label-not-in-schema"),
        ("spam|", "label-not-in-schema"),
        ("spam|spam", "duplicate-label"),
        (["ham", "ham"], "duplicate-label"),
        (["ham", 1], "invalid-type"),
        (7, "invalid-type"),
    ],
)
def test_a_gold_cell_that_breaks_a_rule_is_refused(value: Any, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        gold_of(value)
    assert (refused.value.code, refused.value.errors[0].pointer) == (code, "/gold")


def csv_file() -> bytes:
    cells = {"one": "spam", "two": "ham|spam", "none": "|", "unknown": ""}
    lines = [f"{name},text {name},{cell}" for name, cell in cells.items()]
    return "\n".join(["external_id,text,gold", *lines]).encode()


def jsonl_file() -> bytes:
    rows = [
        {"external_id": name, "text": f"text {name}", "gold": gold} for name, gold in GIVEN.items()
    ]
    return "\n".join(map(json.dumps, rows)).encode()


def parquet_file() -> bytes:
    texts = [f"text {name}" for name in GIVEN]
    columns = {"external_id": list(GIVEN), "text": texts, "gold": list(GIVEN.values())}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("format_", "data"), [("csv", csv_file), ("jsonl", jsonl_file), ("parquet", parquet_file)]
)
def test_every_format_holds_sets_of_classes(world: World, format_: Any, data: Any) -> None:
    result = world.bring(data(), ImportRequest(format=format_))
    assert result["created"] == 4, result["errors"]
    assert result["gold"] == {"ham": 1, "spam": 2}
    assert world.gold() == HELD


def test_lists_of_numbers_are_class_ids_too(tmp_path: Path) -> None:
    world = make_world(tmp_path, classes=("1", "2"), kind="multi")
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["a", "b"], "gold": [[1, 2], [2]]}), sink)
    world.bring(sink.getvalue(), ImportRequest(format="parquet"))
    assert sorted(world.gold().values()) == [("1", "2"), ("2",)]
    world.store.close()


def test_a_bad_list_costs_its_row_and_no_other(world: World) -> None:
    lines = [{"text": "a", "gold": [["spam"]]}, {"text": "b", "gold": ["spam"]}]
    data = "\n".join(map(json.dumps, lines)).encode()
    result = world.bring(data, ImportRequest(format="jsonl"))
    assert (result["created"], result["rejected"]) == (1, 1)
    assert result["errors"][0]["code"] == "invalid-type"


def test_rare_classes_get_test_rows_although_they_come_with_others(world: World) -> None:
    rows = [{"text": f"spam {n}", "gold": ["spam"]} for n in range(300)]
    rows += [{"text": f"both {n}", "gold": ["ham", "spam"]} for n in range(6)]
    rows += [{"text": f"nothing {n}", "gold": []} for n in range(40)]
    data = "\n".join(map(json.dumps, rows)).encode()
    world.bring(data, ImportRequest(format="jsonl", test_share=0.1))
    gold = world.gold()
    tests = Counter(gold[i.external_id] for i in world.items() if i.split == "test")
    assert tests == {("spam",): 30, ("ham", "spam"): 1, (): 4}


def test_labels_of_one_class_are_cut_as_classes_are() -> None:
    rng = np.random.default_rng(0)
    hashes = {name: rng.integers(0, 2**63, 40).astype(np.uint64) for name in CLASSES}
    shares = {"test_share": 0.2, "reserve_share": 0.1}
    plain = plan_splits({**hashes, "": hashes["ham"]}, **shares)
    sets = plan_gold_splits({**{(c,): h for c, h in hashes.items()}, None: hashes["ham"]}, **shares)
    assert {gold[0] if gold else "": cut for gold, cut in sets.items()} == plain
