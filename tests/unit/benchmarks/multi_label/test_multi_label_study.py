"""The study on a small set, from the file to the table, through a real inline service."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.evidence.cells import Folders
from benchmarks.multi_label.command import run_multi_label
from benchmarks.multi_label.construction import combine, combine_reserve, drawn
from benchmarks.multi_label.inline import inline_service
from benchmarks.multi_label.rounds import Plan, Sides, run_cell
from benchmarks.multi_label.sources import open_source
from benchmarks.multi_label.study import arms
from core.records import Choice
from runtime.settings import load_settings
from tests.unit.benchmarks.multi_label.made_rows import write_csv

BATCH, ROUNDS = 16, 2
HASHING = Choice(name="hashing")


def asked(tmp_path: Path, *, none: str = "none", batch: int = BATCH) -> tuple[int, str]:
    """(exit code, what was printed)."""
    printed = io.StringIO()
    settings = load_settings({"TAILWISE_BENCHMARK_CACHE": str(tmp_path / "cache")})
    code = run_multi_label(
        settings,
        data=str(write_csv(tmp_path / "topics.csv")),
        none=none,
        seeds=1,
        results=tmp_path / "results",
        encoder=HASHING,
        batch=batch,
        rounds=ROUNDS,
        console=Console(file=printed, highlight=False, width=80),
    )
    return code, printed.getvalue()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Mapping[str, Any]]:
    """(what was printed, the document) of one run."""
    folder = tmp_path_factory.mktemp("study")
    code, printed = asked(folder)
    assert code == 0, printed
    return printed, json.loads((folder / "results" / "multi_label.json").read_bytes())


def test_every_arm_has_its_rounds_with_all_measures(done: tuple[str, Mapping[str, Any]]) -> None:
    _, document = done
    assert [cell["arm"] for cell in document["cells"]] == [arm.name for arm in arms()]
    for cell in document["cells"]:
        assert [row["labels"] for row in cell["rounds"]] == [BATCH, 2 * BATCH]
        last = cell["rounds"][-1]
        assert set(last["counts"]) == set(last["f1"]) == {"garden", "kitchen", "harbour"}
        assert 0 < last["macro_f1"] <= 1
        assert 0 < last["micro_f1"] <= 1
        assert 0 < last["normalised_entropy"] <= 1


def test_all_arms_start_with_the_same_answers(done: tuple[str, Mapping[str, Any]]) -> None:
    starts = [cell["rounds"][0]["counts"] for cell in done[1]["cells"]]
    assert all(counts == starts[0] for counts in starts)


def test_only_arms_that_write_have_written_texts(done: tuple[str, Mapping[str, Any]]) -> None:
    for cell in done[1]["cells"]:
        assert (cell["rounds"][-1]["generated"] > 0) == cell["arm"].endswith("written")


def test_answers_may_name_two_classes_or_none(done: tuple[str, Mapping[str, Any]]) -> None:
    document = done[1]
    assert document["rows"]["pool"]["by_number_of_labels"]["2"] > 0
    named = [sum(c["rounds"][-1]["counts"].values()) for c in document["cells"]]
    assert any(number != 2 * BATCH for number in named)


def test_the_table_has_a_line_for_every_arm(done: tuple[str, Mapping[str, Any]]) -> None:
    lines = done[0].splitlines()
    assert all(any(line.startswith(arm.name) for line in lines) for arm in arms())
    assert any(line.split()[:3] == ["arm", "macro", "±"] for line in lines)


def test_the_same_seed_gives_the_same_rows_in_another_service(tmp_path: Path) -> None:
    folders = Folders(datasets=None, cache=tmp_path, encoder=tmp_path)
    source = open_source(str(write_csv(tmp_path / "t.csv")), none="none", folders=folders)
    sides = Sides(
        pool=drawn(combine(source.pool, none="none"), seed=3),
        reserve=combine_reserve(source.reserve, none="none"),
        test=combine(source.test, none="none"),
    )
    plan = Plan(classes=source.classes, encoder=HASHING, batch=BATCH, rounds=ROUNDS)

    def story() -> object:
        with inline_service(load_settings({})) as service:
            return run_cell(arms()[-1], sides, seed=3, plan=plan, service=service)

    assert story() == story()


def test_a_pool_that_cannot_give_the_labels_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    code, printed = asked(tmp_path, batch=500)
    assert (code, printed.startswith("error: ")) == (2, True)
    assert "1000 labels of 2 rounds" in " ".join(printed.split())
    assert not (tmp_path / "results").exists()


def test_an_unknown_class_for_none_is_refused_with_those_there_are(tmp_path: Path) -> None:
    code, printed = asked(tmp_path, none="sky")
    assert code == 2
    assert "'garden'" in printed
