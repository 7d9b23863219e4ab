"""Training data as Parquet, and as a folder that Hugging Face's library opens."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from pool_world import DurableJob, World, make_world, row
from test_export import variation

from adapters.files import FileWriter
from core.data_card import place
from core.errors import InvalidInput
from core.requests import ExportRequest
from core.rounds.export import run_export, start_export
from core.rounds.ingest import add_items


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Forty labelled rows, half of them with a variation."""
    made = make_world(tmp_path)
    rows = [row(f"r{n}", f"a text {n}", gold=("other",)) for n in range(40)]
    add_items(made.session, rows, on_conflict="error", mode="atomic", **made.tools)
    for number, item in enumerate(made.items()):
        made.label(item.id, "spam" if number % 4 else "ham", seq=number + 1)
        if number % 2:
            variation(made, f"gen_{number}", item)
    yield made
    made.store.close()


def exported(world: World, request: ExportRequest) -> bytes:
    operation = start_export(world.session, request, request_key=None, **world.tools)
    result = run_export(
        operation,
        world.session,
        job=DurableJob(),
        store=world.store,
        blobs=world.blobs,
        writer=FileWriter(),
    )
    return world.blobs.held[result["blob"]]


def test_parquet_has_the_rows_of_json_lines_with_types(world: World) -> None:
    data = exported(world, ExportRequest(what="training", format="parquet"))
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    assert table.num_rows == 60
    assert str(table.schema.field("labels").type).startswith("list<")
    assert sum(table.column("synthetic").to_pylist()) == 20


def test_labels_leave_as_parquet_too(world: World) -> None:
    data = exported(world, ExportRequest(what="labels", format="parquet", include_text=False))
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    assert table.column("seq").to_pylist() == list(range(1, 41))
    assert "text" not in table.column_names


def unpacked(world: World, folder: Path, **wish: Any) -> Path:
    data = exported(world, ExportRequest(what="training", format="hf", **wish))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.filterwarnings("default")
def test_the_folder_opens_as_a_data_set_with_splits(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = unpacked(world, tmp_path / "set", licence="cc-by-4.0")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {"train", "validation"}
    assert not any(loaded["validation"]["synthetic"])
    assert any(loaded["train"]["synthetic"])
    seeds = {seed for seed in loaded["train"]["seed_item_id"] if seed}
    assert seeds & set(loaded["validation"]["id"]) == set()


def test_the_card_names_licence_splits_and_counts(world: World, tmp_path: Path) -> None:
    card = (unpacked(world, tmp_path, licence="cc-by-4.0") / "README.md").read_text()
    assert "license: cc-by-4.0" in card
    assert "path: data/train.parquet" in card
    assert "`seed_item_id`" in card


def test_without_a_licence_the_card_says_that_it_is_unknown(world: World, tmp_path: Path) -> None:
    assert "license: unknown" in (unpacked(world, tmp_path) / "README.md").read_text()


def test_without_a_holdout_everything_is_for_training(world: World, tmp_path: Path) -> None:
    world.session = replace(world.session, settings=replace(world.session.settings, holdout=0.0))
    assert [p.name for p in (unpacked(world, tmp_path) / "data").iterdir()] == ["train.parquet"]


def test_the_same_rows_make_the_same_bytes(world: World) -> None:
    request = ExportRequest(what="training", format="hf")
    assert exported(world, request) == exported(world, request)


@pytest.mark.parametrize(
    ("wish", "code"),
    [({"what": "labels"}, "format-needs-training"), ({"include_text": False}, "format-needs-text")],
)
def test_a_folder_needs_training_data_with_texts(
    world: World, wish: dict[str, Any], code: str
) -> None:
    request = ExportRequest(**{"what": "training", "format": "hf", **wish})
    with pytest.raises(InvalidInput) as refusal:
        start_export(world.session, request, request_key=None, **world.tools)
    assert refusal.value.code == code


def test_a_variation_follows_its_seed_or_leaves() -> None:
    for number in range(200):
        human = {"id": f"itm_{number}", "seed_item_id": None, "synthetic": False}
        written = {"id": "gen_1", "seed_item_id": f"itm_{number}", "synthetic": True}
        expected = {"train": "train", "validation": None}[place(human, share=0.3) or ""]
        assert place(written, share=0.3) == expected
