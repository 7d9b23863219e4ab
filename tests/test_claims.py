"""What the documentation claims is what the stored results say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.overall import overall
from benchmarks.report.stored import read_summary
from benchmarks.statistics.targets import Contenders, verdicts
from core.records import SessionSettings
from core.registry import Registry
from core.strategies import strategies

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = ("README.md", "docs/evidence.md")


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / "paper.json").read_text())
    return found


@pytest.fixture(scope="module")
def judged(summary: dict[str, Any]) -> dict[str, Any]:
    arms = Contenders(default=summary["default"], **summary["parts"])
    return {v["target"].split(":")[0]: v for v in verdicts(summary, arms=arms)}


def test_every_checked_in_summary_has_its_experiment_file() -> None:
    from benchmarks.evidence.experiment import load_experiment

    for path in RESULTS.glob("*.json"):
        document = json.loads(path.read_text())
        if document.get("format") == "tailwise-evidence/1":
            [file] = (ROOT / "benchmarks" / "experiments").rglob(f"{path.stem}.toml")
            assert document["experiment_sha256"] == load_experiment(file).sha256, path.name


@pytest.mark.parametrize("page", PAGES)
def test_the_mean_ratio_is_the_studys(page: str, judged: dict[str, Any]) -> None:
    [claimed] = set(re.findall(r"mean ratio of (0\.\d\d)", (ROOT / page).read_text()))
    assert claimed == f"{judged['Even']['figures']['mean_ratio']:.2f}"


def test_the_page_says_which_targets_are_met(judged: dict[str, Any]) -> None:
    text = (ROOT / "docs/evidence.md").read_text()
    for name, verdict in judged.items():
        if verdict["met"] is not None:
            word = "met" if verdict["met"] else "missed"
            assert f"**{name}: {word}.**" in text, name


def test_the_service_starts_with_the_strategy_that_was_judged(summary: dict[str, Any]) -> None:
    [arm] = [arm for arm in summary["arms"] if arm["name"] == summary["default"]]
    registry: Registry[Any] = strategies()
    assert arm["strategy"]["name"] == SessionSettings().strategy.name
    assert registry.make(SessionSettings().strategy) == strategies().get("cluster_need").make()
    assert arm["strategy"]["options"] == {}


def test_the_page_shows_the_arms_as_the_study_measured_them() -> None:
    pytest.importorskip("markdown_it")
    table = overall(read_summary(RESULTS / "strategies.json"), contenders=None)
    assert table is not None
    measured = {re.sub(r"[*]| \(reference\)", "", row[0]): row[1:3] for row in table.rows}
    text = (ROOT / "docs/evidence.md").read_text()
    shown = text.partition("**Every strategy**")[2].partition("**Transfer**")[0]
    claimed = re.findall(
        r"\| \**([a-z][a-z_ ]+?)\**(?: \([^)]*\))? \| \**(\d?\.\d\d|–)\** \| \**(\.\d{3})\**", shown
    )
    assert len(claimed) >= 12
    for name, ratio, accuracy in claimed:
        assert accuracy == f"{float(measured[name][1]):.3f}".lstrip("0"), name
        if ratio != "–":
            assert float(ratio) == pytest.approx(float(measured[name][0]), abs=0.0051), name
