"""What the documentation says to type is typed here, and what it links to exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from benchmarks.evidence.cells import check_arms
from benchmarks.evidence.experiment import ARM_FIELDS, TABLES, load_experiment
from tests.e2e.running import running

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CLASSES = {"self-harm", "medical", "legal", "financial", "emergency", "no-harm"}


@pytest.mark.slow
def test_one_round_in_curl_runs_as_it_is_written(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "one-round.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    script = "set -euo pipefail\n" + "\n".join(blocks)
    with running(tmp_path / "data") as server:
        done = subprocess.run(
            ["bash", "-c", script],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "TAILWISE_URL": server.url,
                "TAILWISE_API_KEY": server.token,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[:3] == ["958", "typical", "30"]
    assert "no API key is set" in said[3]
    assert int(said[4]) > 0
    assert 0.2 < float(said[6]) <= 1.0
    assert said[7] in CLASSES
    assert said[-1] == "unknown-strategy"


@pytest.mark.slow
def test_inviting_and_revoking_run_as_they_are_written(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "people.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    with running(tmp_path / "data") as server:
        done = subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + "\n".join(blocks)],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "TAILWISE_URL": server.url,
                "TAILWISE_API_KEY": server.token,
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["annotator", "True", "signed-out"]


@pytest.mark.slow
def test_labelling_by_several_people_runs_as_it_is_written(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "labelling.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    with running(tmp_path / "data") as server:
        done = subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + "\n".join(blocks)],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "TAILWISE_URL": server.url,
                "TAILWISE_API_KEY": server.token,
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == [
        "4",
        *("selected", "resolved", "selected", "conflict"),
        *("undone", "conflict", "resolved", "1", "superseded"),
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_make_target_of_the_readme_exists() -> None:
    named = set(re.findall(r"^\$ make ([a-z -]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named
    assert {word for line in named for word in line.split()} <= targets


def test_the_experiment_of_the_benchmarks_page_is_accepted(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    [text] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.toml").write_text(text)
    experiment = load_experiment(tmp_path / "mine.toml")
    check_arms(experiment)
    assert experiment.default in {arm.name for arm in experiment.arms}


def test_every_key_of_an_experiment_is_documented() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    named = set(re.findall(r"`([a-z_]+)`", page))
    tables = {"base", "grid", "arms", *TABLES} - {""}
    assert {f"[{name}]" for name in tables - {"arms"}} <= set(re.findall(r"`(\[[a-z]+\])`", page))
    assert set().union(ARM_FIELDS, *TABLES.values()) - tables <= named
