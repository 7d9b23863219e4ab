"""A study from start to summary: resumed, spread, and refused before any work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.evidence import study
from benchmarks.evidence.cells import Folders
from benchmarks.evidence.records import Experiment
from benchmarks.statistics import to_json
from core.errors import InvalidInput, Unavailable
from core.records import Choice
from tests.unit.benchmarks.evidence.made_study import NO_ENCODER, arm, experiment, write_csv

SEEDS = 8
TOML = """
datasets = ["{data}"]
baseline = "random"
[budget]
start = 12
batch = 8
rounds = 2
[seeds]
count = {seeds}
[base]
encoder = "hashing"
[[arms]]
strategy = "random"
[[arms]]
strategy = "cluster_entropy"
"""
SCRIPT = """
import sys
from pathlib import Path
from benchmarks.evidence.cells import Folders
from benchmarks.evidence.command import RunOptions, run
here = Path(sys.argv[1])
folders = Folders(datasets=None, cache=here / "cache", encoder=here)
options = RunOptions(
    experiments=[here / "made.toml"], folders=folders, results=here / "results", workers=1
)
sys.exit(run(options))
"""


def silent(words: str, done: int, total: int) -> None:
    del words, done, total


def folders(tmp_path: Path, name: str = "cache") -> Folders:
    return Folders(datasets=None, cache=tmp_path / name, encoder=NO_ENCODER)


def asked(tmp_path: Path, **more: object) -> Experiment:
    data = tmp_path / "topics.csv"
    path = data if data.exists() else write_csv(data)
    made = experiment(arm(), arm("cluster_entropy"), datasets=(str(path),), seeds=(0, 1, 2))
    return replace(made, **more)  # type: ignore[arg-type]


def run(made: Experiment, where: Folders) -> str:
    """The study's summary as it is written, its cells run in this process."""
    prepared = study.prepare(made, where, progress=silent)
    study.run(prepared, pool=ThreadPoolExecutor(1), progress=silent)
    return to_json(study.summary_of(prepared))


def stored(where: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (where / "runs").rglob("*.json")}


def test_a_study_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    made = asked(tmp_path)
    assert run(made, folders(tmp_path, "one")) == run(made, folders(tmp_path, "other"))
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "runs").rglob("*.json")}
        for name in ("one", "other")
    )
    assert one == other
    assert len(one) == 6


def test_finished_cells_are_not_run_again_and_new_ones_are(tmp_path: Path) -> None:
    where = folders(tmp_path)
    run(asked(tmp_path, seeds=(0, 1)), where)
    before = stored(where.cache)
    whole = run(asked(tmp_path), where)
    after = stored(where.cache)
    assert {name: after[name] for name in before} == before
    assert (len(before), len(after)) == (4, 6)
    assert whole == run(asked(tmp_path), folders(tmp_path, "fresh"))


def test_an_arm_of_another_name_uses_the_stored_cells(tmp_path: Path) -> None:
    where, made = folders(tmp_path), asked(tmp_path)
    run(made, where)
    before = stored(where.cache)
    renamed = (made.arms[0], replace(made.arms[1], name="the paper's rule"))
    assert "the paper's rule" in run(replace(made, arms=renamed), where)
    assert stored(where.cache) == before


def test_progress_ends_at_every_cell(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    prepared = study.prepare(asked(tmp_path), folders(tmp_path), progress=silent)
    study.run(prepared, pool=ThreadPoolExecutor(1), progress=lambda *facts: heard.append(facts))
    assert heard[0] == ("running cells", 0, 6)
    assert heard[-1] == ("running cells", 6, 6)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGKILL to the run and its worker midway; the next run ends as an undisturbed one."""
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "topics.csv")
        text = TOML.format(data="topics.csv", seeds=SEEDS)
        (tmp_path / name / "made.toml").write_text(text)
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", SCRIPT]
    process = subprocess.Popen(
        [*command, str(killed)], stdout=subprocess.DEVNULL, start_new_session=True
    )
    while len(stored(killed / "cache")) < 2 and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = stored(killed / "cache")
    assert 2 <= len(before) < 2 * SEEDS
    assert not (killed / "results").exists()
    for where in (killed, tmp_path / "whole"):
        subprocess.run([*command, str(where)], check=True, stdout=subprocess.DEVNULL)
    after = stored(killed / "cache")
    assert {name: after[name] for name in before} == before
    assert len(after) == 2 * SEEDS
    summaries = [(tmp_path / n / "results" / "made.json").read_bytes() for n in ("killed", "whole")]
    assert summaries[0] == summaries[1]


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_summary(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    from benchmarks.evidence.pools import dask_pool

    made = asked(tmp_path)
    here = run(made, folders(tmp_path, "here"))
    prepared = study.prepare(made, folders(tmp_path, "there"), progress=silent)
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        study.run(prepared, pool=dask_pool(cluster.scheduler_address), progress=silent)
    assert to_json(study.summary_of(prepared)) == here


# --- refusals before any work ----------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"rounds": 40},
        {"transfer": ("psychic",)},
        {"arms": (arm("psychic"),)},
        {"arms": (arm(), arm("margin", generator=Choice(name="simulated", options={"n": 1})))},
        {"arms": (arm(), replace(arm("margin"), encoder=Choice(name="psychic")))},
        {"datasets": ("psychic",)},
        {"datasets": ("no-such-file.csv",)},
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(
    tmp_path: Path, more: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput):
        study.prepare(asked(tmp_path, **more), folders(tmp_path), progress=silent)
    assert not (tmp_path / "cache" / "runs").exists()


def test_a_damaged_cell_is_refused_before_another_is_run(tmp_path: Path) -> None:
    where = folders(tmp_path)
    run(asked(tmp_path, seeds=(0,)), where)
    damaged = next((where.cache / "runs").rglob("*.json"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(Unavailable, match=damaged.name):
        run(asked(tmp_path), where)
    assert len(stored(where.cache)) == 2


def test_a_summary_names_the_classes_with_a_thin_reserve(tmp_path: Path) -> None:
    made = study.prepare(asked(tmp_path), folders(tmp_path), progress=silent)
    study.run(made, pool=ThreadPoolExecutor(1), progress=silent)
    (facts,) = study.summary_of(made)["datasets"].values()
    assert "harbour has fewer than 20 reserve rows" in facts["flags"]
