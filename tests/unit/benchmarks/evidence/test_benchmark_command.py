"""What running experiment files prints and answers with."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from benchmarks.evidence.cells import Folders
from benchmarks.evidence.command import RunOptions, run
from tests.unit.benchmarks.evidence.made_study import NO_ENCODER, write_csv

FILE = """
datasets = ["topics.csv"]
baseline = "random"
{more}
[budget]
start = 12
batch = 8
rounds = 1
[seeds]
count = 2
[base]
encoder = "hashing"
[[arms]]
strategy = "random"
"""


def asked(tmp_path: Path, *, more: str = "", seeds: int | None = None) -> tuple[int, str]:
    """(exit code, what was printed)."""
    write_csv(tmp_path / "topics.csv")
    path = tmp_path / "made.toml"
    path.write_text(FILE.format(more=more))
    options = RunOptions(
        experiments=[path],
        folders=Folders(datasets=None, cache=tmp_path / "cache", encoder=NO_ENCODER),
        results=tmp_path / "results",
        workers=1,
        seeds=seeds,
    )
    printed = io.StringIO()
    code = run(options, console=Console(file=printed, highlight=False, soft_wrap=True))
    return code, printed.getvalue()


def test_a_run_writes_its_summary_and_says_where(tmp_path: Path) -> None:
    code, printed = asked(tmp_path, seeds=1)
    path = tmp_path / "results" / "made.json"
    assert code == 0
    assert f"summary: {path}" in printed
    assert "1 data sets x 1 arms x 1 seeds" in printed
    assert list(json.loads(path.read_text())["datasets"]) == ["topics.csv"]


def test_a_refusal_is_one_line_and_exit_code_two(tmp_path: Path) -> None:
    code, printed = asked(tmp_path, more='colour = "red"')
    assert code == 2
    assert printed.startswith("error: /colour: is unknown")
    assert printed.count("\n") == 1
    assert not (tmp_path / "cache").exists()


def test_no_seeds_are_refused(tmp_path: Path) -> None:
    code, printed = asked(tmp_path, seeds=0)
    assert (code, printed.count("\n")) == (2, 1)
    assert "/seeds/count" in printed


def test_a_damaged_cell_is_refused_with_its_file(tmp_path: Path) -> None:
    asked(tmp_path, seeds=1)
    damaged = next((tmp_path / "cache" / "runs").rglob("*.json"))
    damaged.write_bytes(b"{}")
    code, printed = asked(tmp_path, seeds=1)
    assert code == 2
    assert printed.splitlines()[-1].startswith("error: the cached file")
    assert damaged.name in printed
