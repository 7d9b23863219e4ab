"""Every block of every page has a fate that is told here, and what pages link to exists."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from benchmarks.evidence.cells import check_arms
from benchmarks.evidence.experiment import ARM_FIELDS, TABLES, load_experiment
from tests.docs.fates import ELSEWHERE, NOT_HERE, fate
from tests.docs.named_commands import check_command
from tests.docs.pages import BIN, DOCS, PAGES, ROOT, bare, blocks, name_of, steps, words

LANGUAGES = {"", "text", "console", "bash", "python", "toml", "json"}
DIRECTIVES = re.compile(r"\{(toctree|image|figure|eval-rst|note|warning|tip)\}")
READERS = sorted(Path(__file__).parent.glob("test_*_pages.py"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_is_of_a_kind_that_is_known(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES or DIRECTIVES.match(block.language), block.language
        assert block.marks <= {"file"} or block.language.startswith("{"), block.marks
        if block.language == "toml":
            assert tomllib.loads(block.code)
        if block.language == "json":
            assert json.loads(block.code)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_step_of_a_page_is_typed_by_a_test_or_says_why_not(page: Path) -> None:
    name = name_of(page)
    played = any(f'"{name}"' in reader.read_text() for reader in READERS)
    left = [step.code for step in steps(page) if fate(name, step) is None]
    assert played or left == []


@pytest.mark.parametrize("begins", [*ELSEWHERE, *NOT_HERE])
def test_what_is_run_elsewhere_or_not_at_all_is_on_a_page(begins: str) -> None:
    found = [
        bare(step.code) if step.language == "console" else f"{name_of(page)}: {step.language}"
        for page in PAGES
        for step in steps(page)
    ]
    assert [code for code in found if code.startswith(begins)]


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_what_runs_a_step_elsewhere_exists(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_not_typed_exists(page: Path) -> None:
    for step in steps(page):
        if step.language == "console" and fate(name_of(page), step):
            for command in words(step.code):
                check_command(command)


def test_the_services_that_the_pages_start_are_those_of_the_file() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert {"tailwise", "postgres", "migrate", "proxy"} <= set(compose["services"])


def test_every_command_in_the_table_of_capabilities_exists() -> None:
    page = (DOCS / "capabilities.md").read_text()
    said = re.findall(r"`((?:make|tailwise|pip|pytest|docker|tailwise-client) [^`]+)`", page)
    assert len(said) > 10
    for line in said:
        for command in words(line):
            check_command(command)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_contents() -> None:
    trees = [b.code for b in blocks(DOCS / "index.md") if b.language == "{toctree}"]
    listed = {line for tree in trees for line in tree.splitlines() if line and line[0] != ":"}
    found = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")}
    assert {p for p in found if not p.startswith("decisions/")} - {"index"} <= listed


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("myst_parser")
    options = ["--fail-on-warning", "--quiet", "-b", "html"]
    done = subprocess.run(
        [BIN / "sphinx-build", *options, DOCS, tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "tutorials" / "platform.html").exists()


def test_the_experiment_of_the_benchmarks_page_is_accepted(tmp_path: Path) -> None:
    [text] = [b.code for b in blocks(DOCS / "benchmarks.md") if b.language == "toml"]
    (tmp_path / "mine.toml").write_text(text)
    experiment = load_experiment(tmp_path / "mine.toml")
    check_arms(experiment)
    assert experiment.default in {arm.name for arm in experiment.arms}


def test_every_key_of_an_experiment_is_documented() -> None:
    page = (DOCS / "benchmarks.md").read_text()
    named = set(re.findall(r"`([a-z_]+)`", page))
    tables = {"base", "grid", "arms", *TABLES} - {""}
    assert {f"[{name}]" for name in tables - {"arms"}} <= set(re.findall(r"`(\[[a-z]+\])`", page))
    assert set().union(ARM_FIELDS, *TABLES.values()) - tables <= named
